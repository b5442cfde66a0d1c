import { chromium, type Browser, type Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, describe, expect, inject } from "vitest";
import { CHROMIUM, NO_CHROMIUM } from "../chromium.ts";
import { skippedBecause } from "../skipped.ts";
import { until } from "../until.ts";
import { ConsoleBed, type ConsoleBedOptions } from "./bed.ts";
import { openPage, type OpenedPage, type OpenOptions } from "./page.ts";

interface InBrowser {
  /** Opens `#…` of the console in a page of its own. The test fails where anything is wrong with it. */
  readonly open: (bed: Pick<ConsoleBed, "url">, hash?: string, options?: OpenOptions) => Promise<OpenedPage>;
  /** Starts a cluster and a bridge with the console: for this test, or in a `beforeAll` for all of the block. */
  readonly startBed: (options?: ConsoleBedOptions) => Promise<ConsoleBed>;
}

/** Tests of the console; skipped where there is no browser. */
export function describeConsole(title: string, define: (browser: InBrowser) => void): void {
  describe.skipIf(CHROMIUM === undefined)(`${title}${skippedBecause(NO_CHROMIUM)}`, () => {
    let browser: Browser;
    const beds = new AsyncDisposableStack();
    let pages: (OpenedPage & AsyncDisposable)[] = [];
    beforeAll(async () => {
      if (CHROMIUM !== undefined) browser = await chromium.connect(inject("browserEndpoint"));
    });
    afterEach(async () => {
      const opened = pages;
      pages = [];
      const problems = opened.flatMap((page) => page.problems.all);
      for (const page of opened) await page[Symbol.asyncDispose]();
      expect(problems).toEqual([]);
    });
    afterAll(async () => {
      await browser?.close();
      await beds.disposeAsync();
    });
    define({
      open: async ({ url }, hash = "", options = {}) => {
        const opened = await openPage(browser, `${url}/${hash}`, options);
        pages.push(opened);
        return opened;
      },
      startBed: async (options) => beds.use(await ConsoleBed.start(inject("consoleFolder"), options)),
    });
  });
}

/** Resolves once the page is the one whose title begins so. */
export async function titled(page: Page, beginning: string): Promise<void> {
  await until(`the page ${beginning}`, async () => (await page.title()).startsWith(beginning));
}
