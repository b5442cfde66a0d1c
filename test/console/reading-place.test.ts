import type { Page } from "playwright-core";
import { expect, inject, it } from "vitest";
import { readConsoleFiles } from "../../src/http/console/files.ts";
import { allocationUpdates } from "../support/console/allocation-updates.ts";
import { describeConsole } from "../support/console/console-test.ts";
import { TestFeed } from "../support/http-feed.ts";
import { until } from "../support/until.ts";

interface PlacedRow {
  readonly sequence: number;
  /** Px from the top of the window. */
  readonly top: number;
}

/** The rows of which the whole can be seen, from above, as the next frame shows them. */
const rowsInSight = (page: Page) =>
  page.evaluate<
    PlacedRow[]
  >(`new Promise(requestAnimationFrame).then(() => new Promise((done) => setTimeout(done))).then(() => {
    const list = document.querySelector('[aria-label="Events, newest first"]').getBoundingClientRect();
    return [...document.querySelectorAll("[aria-setsize]")].flatMap((row) => {
      const { top, bottom } = row.getBoundingClientRect();
      const sequence = /Event \\S+?-(\\d+)/.exec(row.textContent)?.[1];
      return sequence === undefined || top < list.top || bottom > list.bottom
        ? [] : { sequence: Number(sequence), top };
    });
  })`);

const scrolledPx = (page: Page) =>
  page.evaluate<number>(`document.querySelector('[aria-label="Events, newest first"]').scrollTop`);

describeConsole("who reads further down", ({ open }) => {
  it("keeps the place while newer events come on top, and passes every one of them on the way up", async () => {
    await using feed = await TestFeed.open();
    await feed.commit(...allocationUpdates(400));
    const bed = await feed.serve({}, { console: readConsoleFiles(inject("consoleFolder")) });
    const { page } = await open(bed);
    // So high that there are few steps.
    await page.setViewportSize({ width: 1440, height: 2200 });
    await page.getByLabel("Events, newest first").waitFor();
    await until("the newest is shown", async () => (await rowsInSight(page))[0]?.sequence === 400);
    await page.getByLabel("Events, newest first").hover();
    await page.mouse.wheel(0, 3000);
    await until("it is scrolled", async () => (await scrolledPx(page)) === 3000);
    const read = await rowsInSight(page);
    expect(read.length).toBeGreaterThan(10);

    await feed.commit(...allocationUpdates(400));
    await page.getByRole("button", { name: /400 new/ }).waitFor();
    expect(await rowsInSight(page)).toEqual(read);

    // Up to the newest, less than a screen at a time.
    const passed = new Set(read.map(({ sequence }) => sequence));
    await until("the newest is reached", async () => {
      const before = await scrolledPx(page);
      await page.mouse.wheel(0, -1500);
      // To its end: the browser scrolls smoothly, and what is left of one step would make the next longer than a screen.
      let last = before;
      await until("it has moved and stands", async () => {
        const now = await scrolledPx(page);
        const stands = now === last && now !== before;
        last = now;
        return before === 0 || stands;
      });
      for (const { sequence } of await rowsInSight(page)) passed.add(sequence);
      return passed.has(800);
    });
    const first = Math.min(...passed);
    expect(passed.size).toBe(800 - first + 1);
    await page.close();
  });
});
