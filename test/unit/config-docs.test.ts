import { expect, it } from "vitest";
import { configDocs } from "../support/config-docs.ts";

it("docs/configuration.md is what the definitions say", async () => {
  await expect(configDocs()).toMatchFileSnapshot("../../docs/configuration.md");
});
