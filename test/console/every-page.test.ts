import { beforeAll, expect, it } from "vitest";
import { accessibilityFindings } from "../support/console/accessibility.ts";
import type { ConsoleBed } from "../support/console/bed.ts";
import { describeConsole } from "../support/console/console-test.ts";
import { settled } from "../support/console/page.ts";
import { until } from "../support/until.ts";

/** Every page, and what shows that it is there. */
const PAGES = [
  ["live", "#/live"],
  ["state", "#/state/jobs"],
  ["deployments", "#/deployments"],
  ["cluster", "#/cluster"],
  ["alerts", "#/alerts"],
  ["deliveries", "#/deliveries"],
  ["an object", "#/object/jobs/default/web"],
  ["an event", "#/event/<cursor>"],
] as const;

describeConsole("every page", ({ open, startBed }) => {
  let bed: ConsoleBed;
  let cursor = "";
  beforeAll(async () => {
    bed = await startBed();
    bed.simulator.cluster.runJob({ id: "web" });
    const events = async () =>
      (await (await fetch(`${bed.url}/v1/history?job=web`)).json()) as { cursor: string }[];
    cursor = await until("an event of the job", async () => (await events())[0]?.cursor);
  });

  it.each(PAGES)("%s: at a desk and in light", async (_name, hash) => {
    const { page } = await open(bed, hash.replace("<cursor>", cursor));
    await until("the page is there", () => settled(page));
    expect(await accessibilityFindings(page)).toEqual([]);
  });

  it.each(PAGES)("%s: on a phone and in the dark", async (_name, hash) => {
    const { page } = await open(bed, hash.replace("<cursor>", cursor), { device: "phone", theme: "dark" });
    await until("the page is there", () => settled(page));
    const wider = await page.evaluate<number>("document.documentElement.scrollWidth - innerWidth");
    expect(wider).toBeLessThanOrEqual(0);
    expect(await accessibilityFindings(page)).toEqual([]);
  });
});
