import { setTimeout as sleep } from "node:timers/promises";
import { draft, objectChange, refOf } from "../test/support/drafts.ts";
import { TestFeed } from "../test/support/http-feed.ts";
import { WebSocketClient } from "../test/support/websocket-client.ts";
import { median, once, type BenchRow } from "./harness.ts";
import { longestStallMs } from "./stalls.ts";

const JOBS = 20_000;
const READERS = 100;
const ROUNDS = 3;
const ROUND_MS = 3000;
const FRAMES = 100;
const BETWEEN_FRAMES_MS = 10;
/** Costs each object about all the steps that an event may have, and lets none pass. */
const WORST = `ID matches "(.?){490}Z" and Name matches "(.?){490}Z"`;

const hostileState = once(measureHostileState);

export default [
  {
    name: "state-stall",
    unit: `ms that the event loop stood still at most while one state of ${JOBS} jobs was read with the worst filter, median of ${ROUNDS}`,
    goal: "at most 20",
    against: "the same with nothing read",
    run: measureStateStall,
  },
  {
    name: "hostile-state",
    unit: `ms that the event loop stood still at most while ${READERS} such states were being read at once`,
    goal: "at most 50",
    against: "the same without them",
    run: async () => {
      const { stallMs, calmStallMs } = await hostileState();
      return { value: stallMs, against: calmStallMs };
    },
  },
  {
    name: "hostile-state-p99",
    unit: `ms from a commit to the frame at a subscriber beside them, 99th percentile`,
    goal: "at most 50",
    against: "the same without them",
    run: async () => {
      const { p99Ms, calmP99Ms } = await hostileState();
      return { value: p99Ms, against: calmP99Ms };
    },
  },
] satisfies readonly BenchRow[];

async function openJobs(): Promise<TestFeed> {
  const feed = await TestFeed.open();
  for (let first = 0; first < JOBS; first += 500) {
    const states = Array.from({ length: 500 }, (_, n) => jobState(first + n));
    await feed.write([draft({ resource: "jobs" })], states);
  }
  return feed;
}

function jobState(number: number) {
  const name = `service-${String(number).padStart(6, "0")}-of-the-platform-team`;
  const ref = refOf("jobs", name);
  const stub = { ID: name, Name: name, Namespace: "default", Status: "running", Meta: "x".repeat(1000) };
  return { ref, next: { rev: "1", stub: Buffer.from(JSON.stringify(stub)) } };
}

/** Reads until the signal ends it. */
async function readState(url: string, signal: AbortSignal): Promise<void> {
  try {
    const response = await fetch(`${url}/v1/state?filter=${encodeURIComponent(WORST)}`, { signal });
    if (!response.ok) throw new Error(`a state was answered ${response.status}: ${await response.text()}`);
    await response.arrayBuffer();
  } catch (error) {
    if (!signal.aborted) throw error;
  }
}

async function measureStateStall(): Promise<{ value: number; against: number }> {
  await using feed = await openJobs();
  const { url } = await feed.serve({ reads: { maxTimeMs: 600_000 } });
  await fetch(`${url}/v1/state?types=nodes`);
  const stalls: number[] = [];
  const idle: number[] = [];
  for (let round = 0; round < ROUNDS; round += 1) {
    idle.push(await longestStallMs(() => sleep(ROUND_MS)));
    stalls.push(await longestStallMs(() => readState(url, AbortSignal.timeout(ROUND_MS))));
  }
  return { value: median(stalls), against: median(idle) };
}

async function measureHostileState() {
  await using feed = await openJobs();
  const { url } = await feed.serve({
    reads: { maxTimeMs: 600_000, maxStates: 1000, maxStatesPerHolder: 1000 },
  });
  const subscriber = await WebSocketClient.connect(`${url}/v1/events`);
  await subscriber.next();
  let calmP99Ms = Number.NaN;
  const calmStallMs = await longestStallMs(async () => {
    calmP99Ms = await framesP99Ms(feed, subscriber);
  });
  const ended = new AbortController();
  const readers = Array.from({ length: READERS }, () => readState(url, ended.signal));
  await sleep(1000);
  let p99Ms = Number.NaN;
  const stallMs = await longestStallMs(async () => {
    p99Ms = await framesP99Ms(feed, subscriber);
  });
  ended.abort();
  await Promise.all(readers);
  await subscriber.close();
  return { stallMs, calmStallMs, p99Ms, calmP99Ms };
}

async function framesP99Ms(feed: TestFeed, subscriber: WebSocketClient): Promise<number> {
  const times: number[] = [];
  for (let frame = 0; frame < FRAMES; frame += 1) {
    await sleep(BETWEEN_FRAMES_MS);
    const begin = performance.now();
    await feed.commitObjects(objectChange(refOf("allocations", "a"), String(frame + 1)));
    await subscriber.next();
    times.push(performance.now() - begin);
  }
  return times.toSorted((a, b) => a - b)[Math.floor(FRAMES * 0.99) - 1] ?? Number.NaN;
}
