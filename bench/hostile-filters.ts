import { setTimeout as delay } from "node:timers/promises";
import type { EventDraft } from "../src/schemas/draft.ts";
import { draft } from "../test/support/drafts.ts";
import { TestFeed } from "../test/support/http-feed.ts";
import { nowMs, Receiver } from "./fan-out-sides.ts";
import { median, once, type BenchRow } from "./harness.ts";
import { longestStallMs } from "./stalls.ts";

/** Each costs an event like `EVENT` all the steps that it may have. */
const DEAR = [
  'Name matches "(.?){490}Z"',
  'any Members as one { any Members as other { other == "x" } }',
  "any Numbers as one { any Numbers as other { other == 123456789012345678901234 } }",
  'any Members as one { Text matches "a*b" }',
  'any Members as one { "ab" in Text }',
];
/** Of each shape a little other, so that no subscriber is helped by what was decided for another. */
const variant = (filter: string, number: number) => `${filter} and ID != "${number}"`;

const EVENT: EventDraft = draft({
  after: {
    ID: "5456bd7a",
    Name: "a".repeat(2000),
    Text: "a".repeat(20_000),
    Members: Object.fromEntries(Array.from({ length: 450 }, (_, n) => [`member-${n}`, { Count: n }])),
    Numbers: Array.from({ length: 450 }, (_, n) => n + 0.5),
  },
});
const LOGGED = 50;
const SUBSCRIBERS = 10;
const FILTERS_EACH = 8;
const BURST = 100;
const PER_COMMIT = 10;
const PLAIN_EVENTS = 100;
const BETWEEN_MS = 10;
const ROUNDS = 3;
const IDLE_MS = 1000;
const STREAM_MS = 500;

const fanOut = once(measureFanOut);

export default [
  {
    name: "hostile-filter",
    unit: `ms that the event loop stood still at most while one stream and one page were read with the dearest filter; the worst of ${DEAR.length} filters, each the median of ${ROUNDS}`,
    goal: "at most 50",
    against: "the same process idle for as long",
    run: measureFilter,
  },
  {
    name: "hostile-fanout",
    unit: `ms that the event loop stood still at most after a burst of ${BURST} events for ${SUBSCRIBERS} subscribers with ${FILTERS_EACH} dear filters each, median of ${ROUNDS}`,
    goal: "at most 50",
    against: "the same burst before they came",
    run: async () => (await fanOut()).stallMs,
  },
  {
    name: "hostile-fanout-p99",
    unit: `ms from a commit to the frame at a plain subscriber beside them, 99th percentile, median of ${ROUNDS}`,
    goal: "at most 50",
    against: "the same before they came",
    run: async () => (await fanOut()).p99Ms,
  },
] satisfies readonly BenchRow[];

async function measureFilter() {
  await using feed = await TestFeed.open();
  await feed.commit(...Array<EventDraft>(LOGGED).fill(EVENT));
  const { url } = await feed.serve();
  const idle: number[] = [];
  const worst: number[] = [];
  for (const filter of DEAR) {
    const stalls: number[] = [];
    // The first only warms up.
    for (let round = 0; round <= ROUNDS; round += 1) {
      const stallMs = await longestStallMs(() => readBoth(url, variant(filter, round)));
      if (round > 0) stalls.push(stallMs);
    }
    worst.push(median(stalls));
    idle.push(await longestStallMs(() => delay(IDLE_MS)));
  }
  return { value: Math.max(...worst), against: Math.max(...idle) };
}

/** A page, and a stream for some time. */
async function readBoth(url: string, filter: string): Promise<void> {
  const address = `${url}/v1/events?filter=${encodeURIComponent(filter)}&cursor=earliest`;
  const page = await fetch(`${address}&limit=1000`);
  if (page.status !== 200) throw new Error(`a page was answered ${page.status}`);
  await page.arrayBuffer();
  const ended = AbortSignal.timeout(STREAM_MS);
  const stream = await fetch(address, { headers: { accept: "application/x-ndjson" }, signal: ended });
  await stream.arrayBuffer().catch(() => undefined);
}

async function measureFanOut() {
  await using feed = await TestFeed.open();
  const { url } = await feed.serve();
  const [plain, dear] = [new Receiver(), new Receiver()];
  await plain.open(url, 1);
  // The first only warms up.
  await framesP99Ms(feed, plain);
  const burst = async () => {
    const { all } = await plain.count(BURST);
    for (let committed = 0; committed < BURST; committed += PER_COMMIT) {
      await feed.commit(...Array<EventDraft>(PER_COMMIT).fill(EVENT));
    }
    await all;
    p99s.push(await framesP99Ms(feed, plain));
  };
  const p99s: number[] = [];
  const calmStalls = await stallsMs(burst);
  const calmP99Ms = median(p99s.splice(0));
  await openDear(dear, url);
  const stalls = await stallsMs(burst);
  await plain.close();
  await dear.close();
  return {
    stallMs: { value: median(stalls), against: median(calmStalls) },
    p99Ms: { value: median(p99s), against: calmP99Ms },
  };
}

async function stallsMs(work: () => Promise<unknown>): Promise<number[]> {
  const stalls: number[] = [];
  for (let round = 0; round < ROUNDS; round += 1) stalls.push(await longestStallMs(work));
  return stalls;
}

async function openDear(dear: Receiver, url: string): Promise<void> {
  for (let number = 0; number < SUBSCRIBERS; number += 1) {
    const filters = Array.from({ length: FILTERS_EACH }, (_, n) =>
      variant(DEAR[(number + n) % DEAR.length] ?? "", number),
    );
    const query = filters.map((filter) => `filter=${encodeURIComponent(filter)}`).join("&");
    await dear.open(url, 1, { path: `/v1/events?${query}` });
  }
}

async function framesP99Ms(feed: TestFeed, plain: Receiver): Promise<number> {
  const times: number[] = [];
  for (let event = 0; event < PLAIN_EVENTS; event += 1) {
    const { all } = await plain.count(1);
    await delay(BETWEEN_MS);
    const begin = nowMs();
    await feed.commit(EVENT);
    times.push(((await all)[0] ?? Number.NaN) - begin);
  }
  return times.toSorted((a, b) => a - b)[Math.floor(PLAIN_EVENTS * 0.99) - 1] ?? Number.NaN;
}
