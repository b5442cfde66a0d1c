import type { Page } from "playwright-core";
import { beforeAll, expect, inject, it } from "vitest";
import { readConsoleFiles } from "../../src/http/console/files.ts";
import { allocationUpdates } from "../support/console/allocation-updates.ts";
import { describeConsole } from "../support/console/console-test.ts";
import type { OpenOptions } from "../support/console/page.ts";
import { TestFeed } from "../support/http-feed.ts";
import { TestClock } from "../support/test-clock.ts";
import { until } from "../support/until.ts";

const MINUTE_MS = 60_000;
/** Of the half hour that the histogram shows at first, in 120 bars. */
const BAR_MS = 15_000;

const timeOf = (page: Page) => page.getByRole("slider", { name: /^Time to show/ });
const query = (page: Page) => new URLSearchParams(new URL(page.url()).hash.split("?")[1]);

/** How long the stretch of time is that the address asks for, ms. */
async function chosenMs(page: Page): Promise<number> {
  await until("the address has a time", () => query(page).has("from") && query(page).has("to"));
  return Date.parse(query(page).get("to") ?? "") - Date.parse(query(page).get("from") ?? "");
}

/** The colours of a chart that is drawn, "r,g,b" of what is painted and not mixed with what is below. */
const coloursOf = (page: Page) =>
  page.evaluate<string[]>(`(() => {
    const canvas = document.querySelector("figure canvas");
    if (canvas === null || canvas.width === 0) return [];
    const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
    const colours = new Set();
    for (let at = 0; at < data.length; at += 4)
      if (data[at + 3] === 255) colours.add(data.slice(at, at + 3).join());
    return [...colours];
  })()`);

describeConsole("the histogram of the live events", ({ open }) => {
  let feed: TestFeed;
  let bed: { url: string };
  beforeAll(async () => {
    const clock = new TestClock(Date.now() - 20 * MINUTE_MS);
    feed = await TestFeed.open({ clock });
    for (let batch = 0; batch < 5; batch += 1) {
      await feed.commit(...allocationUpdates(20));
      await clock.advance(4 * MINUTE_MS);
    }
    bed = await feed.serve({}, { console: readConsoleFiles(inject("consoleFolder")) });
    return () => feed[Symbol.asyncDispose]();
  });

  const opened = async (options: OpenOptions = {}) => {
    const { page, problems } = await open(bed, "", options);
    // What a browser says of a canvas that a test reads.
    problems.tolerate(/willReadFrequently/);
    await until("it is drawn", async () => (await coloursOf(page)).length > 0);
    return page;
  };

  it("becomes the time that is shown by keys: arrows move, Shift selects, Enter takes it, Escape leaves it", async () => {
    const page = await opened();
    const time = timeOf(page);
    await time.focus();
    await page.keyboard.press("ArrowLeft");
    await until("it says what is pointed at", async () =>
      /\d event/.test((await time.getAttribute("aria-valuetext")) ?? ""),
    );
    for (let step = 0; step < 9; step += 1) await page.keyboard.press("Shift+ArrowLeft");
    await until("it says what is selected", async () =>
      /\d – \d.* events?/.test((await time.getAttribute("aria-valuetext")) ?? ""),
    );
    await page.keyboard.press("Escape");
    expect(await time.getAttribute("aria-valuetext")).toBeNull();
    await page.keyboard.press("ArrowLeft");
    for (let step = 0; step < 9; step += 1) await page.keyboard.press("Shift+ArrowLeft");
    await page.keyboard.press("Enter");
    expect(Math.abs((await chosenMs(page)) - 10 * BAR_MS)).toBeLessThan(BAR_MS / 2);
  });

  it("becomes the time that is shown where a mouse is dragged over it, or clicks", async () => {
    const page = await opened();
    const { width } = (await timeOf(page).boundingBox()) ?? { width: 0 };
    await timeOf(page).hover({ position: { x: width / 4, y: 20 } });
    await page.mouse.down();
    await timeOf(page).hover({ position: { x: width / 2, y: 20 } });
    await timeOf(page).hover({ position: { x: (width * 3) / 4, y: 20 } });
    await page.mouse.up();
    expect(Math.abs((await chosenMs(page)) - 15 * MINUTE_MS)).toBeLessThanOrEqual(BAR_MS);

    const bucketMs = Math.round((await chosenMs(page)) / 120);
    await page.getByText("in 15 min").waitFor();
    await until("it is drawn again", async () => (await coloursOf(page)).length > 0);
    const from = query(page).get("from");
    await timeOf(page).click({ position: { x: width / 4, y: 20 } });
    await until("another time is shown", () => query(page).get("from") !== from);
    expect(Math.abs((await chosenMs(page)) - bucketMs)).toBeLessThan(1000);
  });

  it("becomes the time that is shown where a finger is drawn over it", async () => {
    const page = await opened({ device: "phone" });
    const { x, y, width } = (await timeOf(page).boundingBox()) ?? { x: 0, y: 0, width: 0 };
    const session = await page.context().newCDPSession(page);
    const touch = (type: "touchStart" | "touchMove" | "touchEnd", ...shares: number[]) =>
      session.send("Input.dispatchTouchEvent", {
        type,
        touchPoints: shares.map((share) => ({ x: x + width * share, y: y + 20 })),
      });
    await touch("touchStart", 0.25);
    for (const share of [0.3, 0.5, 0.75]) await touch("touchMove", share);
    await touch("touchEnd");
    expect(Math.abs((await chosenMs(page)) - 15 * MINUTE_MS)).toBeLessThanOrEqual(2 * BAR_MS);
  });

  it("is painted anew in the colours of another theme", async () => {
    const page = await opened();
    const light = await coloursOf(page);
    await page.emulateMedia({ colorScheme: "dark" });
    await until(
      "the system's",
      async () => !(await coloursOf(page)).some((colour) => light.includes(colour)),
    );
    // The first press chooses light.
    await page.keyboard.press("Shift+T");
    await until("the one chosen by key", async () =>
      (await coloursOf(page)).every((colour) => light.includes(colour)),
    );
  });
});
