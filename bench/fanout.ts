import { setTimeout as delay } from "node:timers/promises";
import { BATCH_LIMITS } from "../src/publishers/fanout/batch.ts";
import { textFrame } from "../src/publishers/websocket/prepared-frames.ts";
import type { EventDraft } from "../src/schemas/draft.ts";
import { draft } from "../test/support/drafts.ts";
import { TestFeed } from "../test/support/http-feed.ts";
import { until } from "../test/support/until.ts";
import { BareServer, nowMs, Receiver } from "./fan-out-sides.ts";
import { median, once, type BenchRow } from "./harness.ts";

const EVENT_BYTES = 1000;
const PER_COMMIT = 200;
const ROUNDS = 5;
const STALLED = 500;
/** Of those that read, beside stalled ones. */
const OTHERS = 50;
/** More than a ring holds. */
const RING_EVENTS = 20_000;
const SINGLE_EVENTS = 250;
const SINGLE_ROUNDS = 9;
const BETWEEN_MS = 4;
const RESUMED_EVENTS = 100_000;
const HOUR_MS = 3_600_000;

const EVENT: EventDraft = draft({ bytes: EVENT_BYTES });

interface Rates {
  readonly feed: number;
  readonly naive: number;
  readonly corked: number;
}

const ratesOf = new Map([1, 100, 500, 2000].map((sockets) => [sockets, once(() => measureRates(sockets))]));
const stalled = once(measureStalled);

export default [
  ...[1, 100, 500, 2000].map((sockets) => rateRow(sockets)),
  {
    name: "fanout-vs-naive",
    unit: "deliveries/s to 500 WebSocket subscribers",
    goal: "at least 15 × a stringify-and-send loop",
    against: "JSON.stringify and send for each event and socket",
    run: async () => sides(500, "naive"),
  },
  {
    name: "fanout-vs-corked",
    unit: "deliveries/s to 500 WebSocket subscribers",
    goal: "at least 0.8 × a bare corked loop",
    against: "one prepared frame written to as many sockets, corked by the batch",
    run: async () => sides(500, "corked"),
  },
  {
    name: "stalled-memory",
    unit: `bytes of the process for each of ${STALLED} subscribers that stopped reading, beyond the kernel's buffers`,
    goal: "at most 65536",
    against: "nothing; all of the process's growth since before they came is theirs, sockets and all",
    run: async () => (await stalled()).bytesEach,
  },
  {
    name: "stalled-p99",
    unit: `ms from a commit to the frame at ${OTHERS} others, 99th percentile, median of ${SINGLE_ROUNDS} rounds`,
    goal: "at most 1.2 × with none stalled",
    against: "the same without stalled subscribers, in turns",
    run: async () => (await stalled()).p99Ms,
  },
  {
    name: "commit-to-frame",
    unit: `ms from a commit to the frame at ${OTHERS} subscribers, median`,
    goal: "at most 5",
    against: "nothing; what an alert waits for",
    run: async () => (await stalled()).medianMs,
  },
  {
    name: "resume-100k",
    unit: "s from connecting to the last of 100,000 events, for one subscriber",
    goal: "at most 3 × reading the log",
    against: "reading the same events from the log, and nothing else",
    run: measureResume,
  },
] satisfies readonly BenchRow[];

function rateRow(sockets: number): BenchRow {
  return {
    name: `fanout-${sockets}`,
    unit: `deliveries/s of 1 KB to ${sockets} WebSocket subscribers, without the time of the commits`,
    goal: `at least ${sockets === 1 ? 1 : 5} × a stringify-and-send loop`,
    against: "JSON.stringify and send for each event and socket",
    run: async () => sides(sockets, "naive"),
  };
}

async function sides(sockets: number, against: "naive" | "corked") {
  const rates = await ratesOf.get(sockets)?.();
  return { value: rates?.feed ?? Number.NaN, against: rates?.[against] ?? Number.NaN };
}

/** All three in turns, so that what disturbs the machine disturbs each of them. */
async function measureRates(sockets: number): Promise<Rates> {
  const events = Math.min(10_000, Math.max(400, Math.ceil(400_000 / sockets)));
  await using feed = await TestFeed.open();
  const bare = new BareServer();
  const toFeed = new Receiver();
  const toBare = new Receiver();
  const { url } = await serve(feed);
  await toFeed.open(url, sockets);
  await toBare.open(await bare.listen(), sockets);
  const [fed, naive, corked]: number[][] = [[], [], []];
  for (let round = 0; round <= ROUNDS; round += 1) {
    const rates = [
      await rateOf(toFeed, sockets, events, () => commitMany(feed, events)),
      await rateOf(toBare, sockets, events / 4, () => stringify(bare, events / 4)),
      await rateOf(toBare, sockets, events, () => cork(bare, events)),
    ];
    // The first round only warms up.
    if (round > 0) [fed, naive, corked].forEach((all, side) => all?.push(rates[side] ?? Number.NaN));
  }
  await toFeed.close();
  await toBare.close();
  await bare.close();
  return { feed: median(fed ?? []), naive: median(naive ?? []), corked: median(corked ?? []) };
}

async function serve(feed: TestFeed): Promise<{ url: string }> {
  return feed.serve({ bookmarkIntervalMs: HOUR_MS, pingIntervalMs: HOUR_MS, stallTimeoutMs: HOUR_MS });
}

/** `send` answers how long of its time is not to count, in ms. */
async function rateOf(receiver: Receiver, sockets: number, events: number, send: () => Promise<number>) {
  const { all } = await receiver.count(events);
  const begin = performance.now();
  const notCounted = await send();
  await all;
  return (sockets * events * 1000) / (performance.now() - begin - notCounted);
}

async function commitMany(feed: TestFeed, events: number): Promise<number> {
  let committing = 0;
  for (let committed = 0; committed < events; committed += PER_COMMIT) {
    const drafts = Array<EventDraft>(Math.min(PER_COMMIT, events - committed)).fill(EVENT);
    const begin = performance.now();
    await feed.commit(...drafts);
    committing += performance.now() - begin;
  }
  return committing;
}

async function stringify(bare: BareServer, events: number): Promise<number> {
  const event = JSON.parse(
    `${EVENT.head}"sequence":"0000000000000001","cursor":"abcdef-1",${EVENT.tail}`,
  ) as object;
  await bare.stringifyAndSend(Array<object>(events).fill(event));
  return 0;
}

async function cork(bare: BareServer, events: number): Promise<number> {
  const json = `${EVENT.head}"sequence":"0000000000000001","cursor":"abcdef-1",${EVENT.tail}`;
  const perBatch = Math.floor(BATCH_LIMITS.maxBytes / json.length);
  await bare.writeCorked(textFrame({ json, cursor: undefined }), events, perBatch);
  return 0;
}

/** One server whose stalled subscribers are as many as they get, one without any, asked in turns. */
async function measureStalled() {
  await using feed = await TestFeed.open();
  await using calm = await TestFeed.open();
  const [receiver, calmReceiver] = [new Receiver(), new Receiver()];
  const { url } = await serve(feed);
  await receiver.open(url, OTHERS);
  await calmReceiver.open((await serve(calm)).url, OTHERS);
  // Fills the rings, which are not the stalled subscribers'.
  for (const side of [feed, calm]) {
    await commitMany(side, RING_EVENTS);
    await until("the ring is full", async () => (await deliveries(side)) === RING_EVENTS * OTHERS, 120_000);
  }
  const before = await settledBytes();
  // Not all at once, or they stall at the same event and share what they hold.
  for (let opened = 0; opened < STALLED; opened += 50) {
    await receiver.open(url, 50, { stalled: true });
    await commitMany(feed, 130);
  }
  await stall(feed);
  const bytesEach = ((await settledBytes()) - before) / STALLED;
  const [withStalled, without]: number[][] = [[], []];
  const latencies: number[] = [];
  for (let round = 0; round <= SINGLE_ROUNDS; round += 1) {
    const [here, there]: number[][] = [[], []];
    for (let event = 0; event < SINGLE_EVENTS; event += 1) {
      // Who goes first changes, as what one leaves behind the other meets.
      if (event % 2 === 0) here?.push(...(await singleEvent(feed, receiver)));
      there?.push(...(await singleEvent(calm, calmReceiver)));
      if (event % 2 === 1) here?.push(...(await singleEvent(feed, receiver)));
    }
    if (round === 0) continue;
    withStalled?.push(p99(here ?? []));
    without?.push(p99(there ?? []));
    latencies.push(...(there ?? []));
  }
  await receiver.close();
  await calmReceiver.close();
  return {
    bytesEach,
    p99Ms: { value: median(withStalled ?? []), against: median(without ?? []) },
    medianMs: median(latencies),
  };
}

/** Commits until nobody who stalls takes any more. */
async function stall(feed: TestFeed): Promise<void> {
  let delivered = -1;
  await until(
    "the stalled ones take nothing",
    async () => {
      await commitMany(feed, 200);
      const now = await deliveries(feed);
      const isStalled = now - delivered === 200 * OTHERS;
      delivered = now;
      return isStalled;
    },
    120_000,
  );
}

async function deliveries(feed: TestFeed): Promise<number> {
  await delay(50);
  const { values } = await feed.metrics.deliveries.get();
  return values.reduce((sum, { value }) => sum + value, 0);
}

async function settledBytes(): Promise<number> {
  await delay(500);
  for (let pass = 0; pass < 3; pass += 1) globalThis.gc?.();
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}

async function singleEvent(feed: TestFeed, receiver: Receiver): Promise<number[]> {
  const { all } = await receiver.count(1);
  await delay(BETWEEN_MS);
  const begin = nowMs();
  await feed.commit(EVENT);
  return (await all).map((atMs) => atMs - begin);
}

function p99(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length * 0.99)] ?? Number.NaN;
}

async function measureResume() {
  await using feed = await TestFeed.open();
  await commitMany(feed, RESUMED_EVENTS);
  const { url } = await serve(feed);
  const [resumed, read]: number[][] = [[], []];
  for (let round = 0; round < 3; round += 1) {
    const receiver = new Receiver();
    await receiver.open(url, 0);
    const { all } = await receiver.count(RESUMED_EVENTS + 1);
    const begin = performance.now();
    void receiver.open(url, 1, { path: "/v1/events?cursor=earliest" });
    await all;
    resumed?.push((performance.now() - begin) / 1000);
    await receiver.close();
    read?.push(await readAll(feed));
  }
  return { value: median(resumed ?? []), against: median(read ?? []) };
}

/** Seconds. */
async function readAll(feed: TestFeed): Promise<number> {
  const { epoch, sequence: head } = await feed.log.head();
  const begin = performance.now();
  for (let sequence = 0; sequence < head;) {
    sequence += (await feed.log.read({ epoch, sequence }, BATCH_LIMITS)).length;
  }
  return (performance.now() - begin) / 1000;
}
