import type { Page } from "playwright-core";
import { setTimeout as sleep } from "node:timers/promises";
import { allocationUpdates } from "../test/support/console/allocation-updates.ts";
import { openPage } from "../test/support/console/page.ts";
import { until } from "../test/support/until.ts";
import { framesMs, heapMb, inBrowser, type Opened } from "./console-page.ts";
import { median, p99, type BenchRow } from "./harness.ts";

const OPENED = 7;
const HELD = 100_000;
const PER_SECOND = 500;
const WATCHED_MS = 10_000;

export default [
  {
    name: "console-first-event",
    unit: `ms from the navigation to the first event shown, nothing cached, median of ${OPENED}`,
    goal: "at most 1500",
    against: "nothing",
    run: () => inBrowser(measureFirstEvent),
  },
  {
    name: "console-weight",
    unit: "KB as sent, compressed, of all files that the first view loads",
    goal: "at most 150",
    against: "nothing",
    run: () => inBrowser(measureWeight),
  },
  {
    name: "console-memory-100k",
    unit: `MB of JavaScript's heap after a collection, of the page with ${HELD} events`,
    goal: "at most 200",
    against: "the same page with the events that it begins with",
    run: () => inBrowser(measureMemory),
  },
  {
    name: "console-frame-p99",
    unit: `ms from one frame to the next at ${PER_SECOND} events a second, 99th percentile`,
    goal: "at most 50",
    against: "the same page while nothing happens",
    run: () => inBrowser(measureFrames),
  },
] satisfies readonly BenchRow[];

/** Notes in the page when the first row is there, ms since the navigation. */
const NOTES_FIRST_ROW = `new MutationObserver((_, observer) => {
  if (document.querySelector("[aria-setsize] a") === null) return;
  globalThis.firstRowMs = performance.now();
  observer.disconnect();
}).observe(document, { childList: true, subtree: true });`;

async function measureFirstEvent({ browser, url }: Opened): Promise<number> {
  const times: number[] = [];
  for (let round = 0; round < OPENED; round += 1) {
    const context = await browser.newContext();
    await context.addInitScript(NOTES_FIRST_ROW);
    const page = await context.newPage();
    await page.goto(`${url}/`);
    times.push(await until("a row", async () => page.evaluate<number | undefined>("globalThis.firstRowMs")));
    await context.close();
  }
  return median(times);
}

async function measureWeight({ browser, url }: Opened): Promise<number> {
  const context = await browser.newContext();
  const page = await context.newPage();
  const sizes: Promise<number>[] = [];
  page.on("requestfinished", (request) => {
    const { pathname } = new URL(request.url());
    if (pathname !== "/" && !pathname.startsWith("/assets/")) return;
    sizes.push(request.sizes().then(({ responseBodySize }) => responseBodySize));
  });
  await page.goto(`${url}/`);
  await page.locator("[aria-setsize]").first().waitFor();
  // What draws the histogram comes after the first events.
  await page.locator("figure canvas").waitFor();
  const bytes = (await Promise.all(sizes)).reduce((sum, size) => sum + size, 0);
  await context.close();
  return bytes / 1000;
}

async function measureMemory({ browser, feed, url }: Opened): Promise<{ value: number; against: number }> {
  await using opened = await openPage(browser, `${url}/`);
  const { page } = opened;
  const session = await page.context().newCDPSession(page);
  await page.locator("[aria-setsize]").first().waitFor();
  const against = await heapMb(session);
  // Of those that it begins with, the page has as many as it reads at first.
  for (let given = 0; given < HELD; given += 500) await feed.commit(...allocationUpdates(500));
  await until(`the page has ${HELD} events`, async () => (await held(page)) >= HELD, 300_000);
  return { value: await heapMb(session), against };
}

async function held(page: Page): Promise<number> {
  return page.evaluate<number>(`Number(document.querySelector("[aria-setsize]").ariaSetSize) - 1`);
}

async function measureFrames({ browser, feed, url }: Opened): Promise<{ value: number; against: number }> {
  await using opened = await openPage(browser, `${url}/`);
  const { page } = opened;
  await page.locator("[aria-setsize]").first().waitFor();
  const against = p99(await framesMs(page, WATCHED_MS));
  const frames = framesMs(page, WATCHED_MS);
  for (let given = 0; given < (PER_SECOND * WATCHED_MS) / 1000; given += 50) {
    await feed.commit(...allocationUpdates(50));
    await sleep(50_000 / PER_SECOND);
  }
  return { value: p99(await frames), against };
}
