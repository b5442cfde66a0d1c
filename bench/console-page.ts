import { chromium, type Browser, type CDPSession, type Page } from "playwright-core";
import { buildConsole } from "../scripts/build-console.ts";
import { readConsoleFiles } from "../src/http/console/files.ts";
import { CHROMIUM, NO_CHROMIUM } from "../test/support/chromium.ts";
import { allocationUpdates } from "../test/support/console/allocation-updates.ts";
import { startChromium } from "../test/support/console/chromium-server.ts";
import { TestFeed } from "../test/support/http-feed.ts";

/** Runs with a browser, and a feed of 500 events that serves the console. */
export async function inBrowser<T>(measure: (console: Opened) => Promise<T>): Promise<T> {
  if (CHROMIUM === undefined) throw new Error(NO_CHROMIUM);
  await using parts = new AsyncDisposableStack();
  const files = readConsoleFiles(await buildConsole());
  const server = parts.adopt(await startChromium(CHROMIUM), (one) => one.close());
  const browser = parts.adopt(await chromium.connect(server.endpoint), (one) => one.close());
  const feed = parts.use(await TestFeed.open());
  await feed.commit(...allocationUpdates(500));
  const { url } = await feed.serve({}, { console: files });
  return await measure({ browser, feed, url });
}

export interface Opened {
  readonly browser: Browser;
  readonly feed: TestFeed;
  readonly url: string;
}

/** MB of JavaScript's heap after a collection. */
export async function heapMb(session: CDPSession): Promise<number> {
  await session.send("HeapProfiler.collectGarbage");
  const { usedSize } = await session.send("Runtime.getHeapUsage");
  return usedSize / 2 ** 20;
}

/** The times between frames for so long, ms. `each` runs in the page at every one of them. */
export async function framesMs(page: Page, watchedMs: number, each = ""): Promise<number[]> {
  return page.evaluate<number[]>(`new Promise((done) => {
    const times = [];
    const began = performance.now();
    let last = began;
    const frame = (now) => {
      times.push(now - last);
      last = now;
      ${each}
      if (now - began > ${watchedMs}) done(times);
      else requestAnimationFrame(frame);
    };
    requestAnimationFrame(frame);
  })`);
}
