import { expect, it } from "vitest";
import { metricDocs } from "../support/metric-docs.ts";

it("docs/metrics.md lists every metric as the sources have it", async () => {
  await expect(metricDocs()).toMatchFileSnapshot("../../docs/metrics.md");
});
