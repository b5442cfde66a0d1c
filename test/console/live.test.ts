import { setTimeout as sleep } from "node:timers/promises";
import type { Page } from "playwright-core";
import { beforeAll, expect, inject, it } from "vitest";
import type { FeedLog } from "../../src/feed/log.ts";
import { readConsoleFiles } from "../../src/http/console/files.ts";
import { allocationUpdates } from "../support/console/allocation-updates.ts";
import type { ConsoleBed } from "../support/console/bed.ts";
import { describeConsole } from "../support/console/console-test.ts";
import { TestFeed } from "../support/http-feed.ts";
import { TestClock } from "../support/test-clock.ts";
import { until } from "../support/until.ts";

const DAY_MS = 86_400_000;

/** Rows of the list, as the page itself says: the events that it holds. The last row is the end. */
async function held(page: Page): Promise<number> {
  const size = await page.evaluate<string | null>(
    `document.querySelector("[aria-setsize]")?.getAttribute("aria-setsize") ?? null`,
  );
  return size === null ? 0 : Number(size) - 1;
}

/** Cursors of the rows that are drawn, newest first. */
async function drawn(page: Page): Promise<string[]> {
  const hidden = await page.locator("[aria-setsize] a .visually-hidden").allTextContents();
  return hidden.flatMap((text) => /^Event (\S+)/.exec(text)?.[1] ?? []);
}

const sequenceOf = (cursor = "") => Number(cursor.split("-")[1]);
const status = (page: Page, words: string | RegExp) =>
  page.getByRole("status").filter({ hasText: words }).first().waitFor();

/** Waits until the newest event of the log is the first that is shown; none is left out below it. */
async function expectNewest(page: Page, log: FeedLog): Promise<void> {
  await until("the newest event is shown first", async () => {
    const { sequence } = await log.head();
    return sequenceOf((await drawn(page))[0]) === sequence;
  });
  const sequences = (await drawn(page)).map(sequenceOf);
  const newest = sequences[0] ?? 0;
  expect(sequences.length).toBeGreaterThan(20);
  expect(sequences).toEqual(sequences.map((_, at) => newest - at));
}

/** Waits until the page has all that the log has, too. */
async function expectWhole(page: Page, log: FeedLog): Promise<void> {
  await until(
    "the page has all events of the log",
    async () => (await held(page)) === (await log.head()).sequence,
  );
  await expectNewest(page, log);
}

/** Commits updates of allocations, 500 a second. */
async function busy(feed: TestFeed, batches: number): Promise<void> {
  for (let batch = 0; batch < batches; batch += 1) {
    await feed.commit(...allocationUpdates(50));
    await sleep(100);
  }
}

describeConsole("the live events", ({ open, startBed }) => {
  /** Of the tests that need a cluster; the last of them takes its log away. */
  let bed: ConsoleBed;
  beforeAll(async () => {
    bed = await startBed();
  });

  it("come at 500 a second, and none is left out; paused they wait, and none is lost", async () => {
    await using feed = await TestFeed.open();
    await feed.commit(...allocationUpdates(30));
    const served = await feed.serve({}, { console: readConsoleFiles(inject("consoleFolder")) });
    const { page } = await open(served);
    await status(page, /^Live$/);
    await expectWhole(page, feed.log);
    await busy(feed, 40);
    await expectWhole(page, feed.log);

    await page.keyboard.press("p");
    await status(page, /^Paused/);
    await busy(feed, 10);
    await status(page, "Paused, 500 new");
    expect(sequenceOf((await drawn(page))[0])).toBe(2030);
    await page.keyboard.press("p");
    await expectWhole(page, feed.log);
    expect(await held(page)).toBe(2530);
    await page.close();
  });

  it("are read back to their beginning, a day ago, as one scrolls", async () => {
    const clock = new TestClock(Date.now() - DAY_MS);
    await using feed = await TestFeed.open({ clock });
    for (let batch = 0; batch < 6; batch += 1) {
      await feed.commit(...allocationUpdates(400));
      await clock.advance(DAY_MS / 6);
    }
    const served = await feed.serve({}, { console: readConsoleFiles(inject("consoleFolder")) });
    const { page } = await open(served);
    await status(page, /^Live$/);
    const list = page.getByLabel("Events, newest first");
    await list.focus();
    await until("the list ends where the feed begins", async () => {
      await page.keyboard.press("End");
      return page.getByText("The feed begins here").isVisible();
    });
    expect(await held(page)).toBe(2400);
    expect(sequenceOf((await drawn(page)).at(-1))).toBe(1);
    await page.close();
  });

  it("are those that the address asks for", async () => {
    const { page } = await open(bed, "#/live?types=jobs");
    await status(page, /^Live$/);
    const before = await held(page);
    bed.simulator.cluster.runJob({ id: "shown" });
    await page.getByRole("listitem").filter({ hasText: "shown" }).first().waitFor();
    const jobs = async () => {
      const answer = await fetch(`${bed.url}/v1/events?types=jobs&limit=1000`);
      return ((await answer.json()) as object[]).length;
    };
    await until("the page has all events of jobs", async () => (await held(page)) === (await jobs()));
    expect(await held(page)).toBeGreaterThan(before);
    expect(await page.getByRole("listitem").filter({ hasText: "allocation" }).count()).toBe(0);
  });

  it("are walked through and opened by keys", async () => {
    const { page } = await open(bed);
    await status(page, /^Live$/);
    await page.keyboard.press("j");
    await page.keyboard.press("j");
    await page.keyboard.press("Enter");
    const second = (await drawn(page))[1] ?? "";
    await page.getByRole("article", { name: `Event ${second}` }).waitFor();
    expect(new URL(page.url()).hash).toContain(`open=${second}`);
    await page.keyboard.press("Escape");
    await page.getByRole("article").waitFor({ state: "detached" });
  });

  it("say where a new history begins, and go on with it", async () => {
    const { page, problems } = await open(bed);
    await status(page, /^Live$/);
    const [before = ""] = await drawn(page);
    problems.tolerate(/net::ERR_(CONNECTION|EMPTY)|WebSocket connection| (409|503) /);
    await bed.stopBridge();
    await status(page, /^Reconnecting/);
    await bed.loseLog();
    await bed.startBridge();
    bed.simulator.cluster.registerJob({ id: "of-the-new-history" });
    await page.getByRole("listitem").filter({ hasText: "of-the-new-history" }).first().waitFor();
    await status(page, /^Live$/);
    const [after = ""] = await drawn(page);
    expect(after.split("-")[0]).not.toBe(before.split("-")[0]);
    await page
      .getByRole("listitem")
      .filter({ hasText: /history/i })
      .nth(1)
      .waitFor();
  });

  it("say that retention has overtaken them, and go on with what is left", async () => {
    await using feed = await TestFeed.open();
    await feed.commit(...allocationUpdates(30));
    const options = { console: readConsoleFiles(inject("consoleFolder")) };
    const served = await feed.serve({}, options);
    const { page, problems } = await open(served);
    await status(page, /^Live$/);
    problems.tolerate(/net::ERR_(CONNECTION|EMPTY)|WebSocket connection| (410|503) /);
    await served.server.stop();
    await status(page, /^Reconnecting/);
    await feed.commit(...allocationUpdates(200));
    await feed.log.trim({ maxEvents: 100 });
    await feed.serve({ port: Number(new URL(served.url).port) }, options);
    await page.getByRole("listitem").filter({ hasText: "Retention has removed events" }).first().waitFor();
    await status(page, /^Live$/);
    await feed.commit(...allocationUpdates(50));
    await expectNewest(page, feed.log);
  });
});
