import type { Page } from "playwright-core";
import { SAMPLES } from "../test/support/event-fixtures.ts";
import { openPage } from "../test/support/console/page.ts";
import type { TestFeed } from "../test/support/http-feed.ts";
import { framesMs, heapMb, inBrowser, type Opened } from "./console-page.ts";
import { p99, type BenchRow } from "./harness.ts";

const JOBS = 187_000;
const AT_ONCE = 5000;
const WATCHED_MS = 8000;
const PATIENCE_MS = 300_000;

export default [
  {
    name: "console-table-187k",
    unit: `ms from the navigation until the table has all ${JOBS} jobs`,
    goal: "at most 20000",
    against: "until it has the first",
    run: () => inBrowser(measureRows),
  },
  {
    name: "console-table-memory-187k",
    unit: `MB of JavaScript's heap after a collection, of the page with ${JOBS} jobs`,
    goal: "at most 200",
    against: "nothing",
    run: () => inBrowser(measureMemory),
  },
  {
    name: "console-table-frame-p99",
    unit: `ms from one frame to the next while ${JOBS} jobs are scrolled by four rows a frame, 99th percentile`,
    goal: "at most 50",
    against: "the same page while nothing happens",
    run: () => inBrowser(measureFrames),
  },
] satisfies readonly BenchRow[];

async function writeJobs(feed: TestFeed): Promise<void> {
  for (let first = 0; first < JOBS; first += AT_ONCE) {
    const states = Array.from({ length: Math.min(AT_ONCE, JOBS - first) }, (_, at) => jobState(first + at));
    await feed.write([], states);
  }
}

function jobState(at: number) {
  const ID = `job-${at}`;
  // Submitted in another order than they are read.
  const SubmitTime = 1_795_436_878_072_000_000 + ((at * 7919) % JOBS) * 1e9;
  const stub = { ...SAMPLES.jobs, ID, Name: ID, SubmitTime, Priority: at % 100, ModifyIndex: 100 + at };
  return {
    ref: { resource: "jobs", namespace: "default", key: ID },
    next: { rev: String(stub.ModifyIndex), stub: Buffer.from(JSON.stringify(stub)) },
  } as const;
}

/** The table of jobs, once it has all of them. */
async function openTable({ browser, feed, url }: Opened) {
  await writeJobs(feed);
  const opened = await openPage(browser, `${url}/#/state/jobs`);
  await hasAll(opened.page);
  return opened;
}

async function hasAll(page: Page): Promise<void> {
  const words = `${JOBS.toLocaleString("en")} jobs`;
  await page.getByText(words, { exact: true }).waitFor({ timeout: PATIENCE_MS });
}

async function measureRows({ browser, feed, url }: Opened): Promise<{ value: number; against: number }> {
  await writeJobs(feed);
  const context = await browser.newContext();
  const page = await context.newPage();
  await page.goto(`${url}/#/state/jobs`);
  const sinceNavigation = () => page.evaluate<number>("performance.now()");
  await page.getByRole("cell").first().waitFor();
  const against = await sinceNavigation();
  await hasAll(page);
  const value = await sinceNavigation();
  await context.close();
  return { value, against };
}

async function measureMemory(console: Opened): Promise<number> {
  await using opened = await openTable(console);
  return await heapMb(await opened.page.context().newCDPSession(opened.page));
}

async function measureFrames(console: Opened): Promise<{ value: number; against: number }> {
  await using opened = await openTable(console);
  const { page } = opened;
  const against = p99(await framesMs(page, WATCHED_MS));
  const scroll = `document.querySelector("[role=rowgroup][tabindex]").scrollTop += 120;`;
  return { value: p99(await framesMs(page, WATCHED_MS, scroll)), against };
}
