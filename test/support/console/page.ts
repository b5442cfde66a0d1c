import type { Browser, BrowserContextOptions, Page } from "playwright-core";
import { PageProblems } from "./watched-page.ts";

export interface OpenOptions {
  /** Default: desk. */
  readonly device?: "desk" | "phone";
  /** Default: light. */
  readonly theme?: "light" | "dark";
}

export interface OpenedPage {
  readonly page: Page;
  readonly problems: PageProblems;
}

const PHONE = { viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true };
const DESK = { viewport: { width: 1440, height: 900 } };
/** A busy machine takes its time. */
const PATIENCE_MS = 120_000;

/** A page in a context of its own: no other page's cookies or storage. */
export async function openPage(
  browser: Browser,
  address: string,
  { device = "desk", theme = "light" }: OpenOptions = {},
): Promise<OpenedPage & AsyncDisposable> {
  const options: BrowserContextOptions = {
    ...(device === "phone" ? PHONE : DESK),
    colorScheme: theme,
    reducedMotion: "reduce",
    timezoneId: "UTC",
    locale: "en-GB",
  };
  const context = await browser.newContext(options);
  context.setDefaultTimeout(PATIENCE_MS);
  const problems = await PageProblems.watch(context, new URL(address).origin);
  const page = await context.newPage();
  await page.goto(address);
  return { page, problems, [Symbol.asyncDispose]: () => context.close() };
}

/** Whether something of the page is drawn, and nothing is on its way any more. */
export async function settled(page: Page): Promise<boolean> {
  return page.evaluate<boolean>(`document.querySelector("main") !== null
    && document.querySelector("main").innerText.length > 20
    && !document.querySelector("main").innerText.includes("Reading what was around it")
    && document.querySelector('[aria-label="Loading"]') === null`);
}
