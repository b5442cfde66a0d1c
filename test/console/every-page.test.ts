import type { Page } from "playwright-core";
import { beforeAll, expect, it } from "vitest";
import { accessibilityFindings } from "../support/console/accessibility.ts";
import type { ConsoleBed } from "../support/console/bed.ts";
import { describeConsole } from "../support/console/console-test.ts";
import { settled } from "../support/console/page.ts";
import { until } from "../support/until.ts";

/** Every page, and how its title begins. */
const PAGES = [
  ["#/live", /^Live/],
  ["#/state/jobs", /^State/],
  ["#/deployments", /^Deployments/],
  ["#/state/nodes", /^State/],
  ["#/cluster", /^Cluster/],
  ["#/alerts", /^Alerts/],
  ["#/deliveries", /^Deliveries/],
  ["#/object/jobs/default/web", /^Object/],
  ["#/event/<cursor>", /^Event/],
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

  /** Goes from page to page, as people do, and does with each what is asked once it is there. */
  async function visit(page: Page, look: (hash: string) => Promise<void>): Promise<void> {
    for (const [hash, title] of PAGES) {
      await page.goto(`${bed.url}/${hash.replace("<cursor>", cursor)}`);
      await until(`the page ${hash}`, async () => title.test(await page.title()));
      await until(`${hash} is there`, () => settled(page));
      await look(hash);
    }
  }

  it("can be used by everybody at a desk and in light", async () => {
    const { page } = await open(bed);
    await visit(page, async (hash) => {
      expect([hash, await accessibilityFindings(page)]).toEqual([hash, []]);
    });
  });

  it("fits a phone, and can be used by everybody there and in the dark", async () => {
    const { page } = await open(bed, "", { device: "phone", theme: "dark" });
    await visit(page, async (hash) => {
      const wider = await page.evaluate<number>("document.documentElement.scrollWidth - innerWidth");
      expect([hash, Math.max(0, wider)]).toEqual([hash, 0]);
      expect([hash, await accessibilityFindings(page)]).toEqual([hash, []]);
    });
  });
});
