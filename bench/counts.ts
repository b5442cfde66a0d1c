import type { FeedLog } from "../src/feed/log.ts";
import { EVERYTHING } from "../src/publishers/selection/access.ts";
import { ReadScheduler } from "../src/publishers/work/read-scheduler.ts";
import { countEvents } from "../src/reads/counts.ts";
import type { Counts, CountedBy } from "../src/schemas/counts-schema.ts";
import { changeType, type EventDraft } from "../src/schemas/draft.ts";
import { systemClock } from "../src/shared/clock.ts";
import { draft } from "../test/support/drafts.ts";
import { TestFeed } from "../test/support/http-feed.ts";
import { openTestLog } from "../test/support/redis-logs.ts";
import { RedisServer } from "../test/support/redis-server.ts";
import { median, once, type BenchRow } from "./harness.ts";
import { longestStallMs } from "./stalls.ts";

const DAY_MS = 24 * 3_600_000;
const START_MS = Date.parse("2026-08-22T00:00:00Z");
const EVENTS = 1_000_000;
const EVENTS_IN_REDIS = 200_000;
const ROUNDS = 3;
const BATCH = 500;
const EVENT_BYTES = 1200;
const NAMESPACES = ["default", "prod", "qa"] as const;

const inSqlite = once(measureSqlite);

export default [
  {
    name: "counts-day",
    unit: `events of a day's ${EVENTS} that one answer of /v1/counts counts by severity in its budget, in SQLite`,
    goal: `at least ${EVENTS}`,
    against: "the same by job, which no index tells",
    run: async () => {
      const { bySeverity, byJob } = await inSqlite();
      return { value: bySeverity.total, against: byJob.total };
    },
  },
  {
    name: "counts-day-ms",
    unit: "ms that it took",
    goal: "at most 1000",
    against: "nothing",
    run: async () => (await inSqlite()).bySeverity.ms,
  },
  {
    name: "counts-day-type",
    unit: "the same by type",
    goal: `at least ${EVENTS}`,
    against: "nothing",
    run: async () => (await inSqlite()).byType.total,
  },
  {
    name: "counts-stall",
    unit: `ms that the event loop stood still at most meanwhile, median of ${ROUNDS}`,
    goal: "at most 20",
    against: "nothing",
    run: async () => (await inSqlite()).stallMs,
  },
  {
    name: "counts-redis",
    unit: `events of a day's ${EVENTS_IN_REDIS} that one answer counts in its budget, in Redis`,
    goal: "at least 30000",
    against: "nothing",
    run: measureRedis,
  },
] satisfies readonly BenchRow[];

async function measureSqlite() {
  const clock = dayClock();
  await using feed = await TestFeed.open({ clock, fsync: false });
  await fill(feed, clock, EVENTS);
  const { log } = feed;
  // The first pass warms up what the system keeps of the file.
  await countsBy(log, "severity");
  const stalls: number[] = [];
  for (let round = 0; round < ROUNDS; round += 1)
    stalls.push(await longestStallMs(() => countsBy(log, "severity")));
  return {
    bySeverity: await medianOf(log, "severity"),
    byType: await medianOf(log, "type"),
    byJob: await medianOf(log, "job"),
    stallMs: median(stalls),
  };
}

async function medianOf(log: FeedLog, by: CountedBy): Promise<{ total: number; ms: number }> {
  const rounds = [];
  for (let round = 0; round < ROUNDS; round += 1) rounds.push(await countsBy(log, by));
  return { total: median(rounds.map(({ total }) => total)), ms: median(rounds.map(({ ms }) => ms)) };
}

async function measureRedis(): Promise<number> {
  const clock = dayClock();
  await using server = await RedisServer.start();
  await using feed = await TestFeed.open({
    log: await openTestLog(server.url, { clock, recordedAt: () => clock.now() }),
  });
  await fill(feed, clock, EVENTS_IN_REDIS);
  return (await medianOf(feed.log, "severity")).total;
}

async function countsBy(log: FeedLog, by: CountedBy): Promise<Counts & { readonly ms: number }> {
  const task = await new ReadScheduler({ maxWorkMs: 60_000, clock: systemClock }).begin();
  const request = { conditions: {}, by, buckets: 60, sinceMs: START_MS, untilMs: START_MS + DAY_MS };
  const beganMs = systemClock.elapsed();
  const counts = await countEvents(log, task, { request, access: EVERYTHING });
  return { ...counts, ms: systemClock.elapsed() - beganMs };
}

/** A clock on which a day passes as the events are written. */
function dayClock() {
  let nowMs = START_MS;
  const pass = (ms: number): void => {
    nowMs += ms;
  };
  return { ...systemClock, now: () => nowMs, pass };
}

async function fill(feed: TestFeed, clock: ReturnType<typeof dayClock>, events: number): Promise<void> {
  for (let first = 0; first < events; first += BATCH) {
    await feed.commit(...Array.from({ length: BATCH }, (_, n) => eventAt(first + n)));
    clock.pass(DAY_MS / (events / BATCH));
  }
}

/** Mostly of allocations and evaluations, in three namespaces, of 700 jobs, about 50,000 objects. */
function eventAt(number: number): EventDraft {
  const digit = number % 10;
  const resource = digit < 6 ? "allocations" : digit < 8 ? "evaluations" : digit === 8 ? "jobs" : "nodes";
  const op = number % 7 === 0 ? "create" : "update";
  return draft({
    id: `0/${number}`,
    key: `k${(number * 7919) % 50_000}`,
    resource,
    op,
    type: changeType(resource, op),
    namespace: resource === "nodes" ? "-" : (NAMESPACES[(number >> 4) % 3] ?? "default"),
    severity: number % 50 === 0 ? "ERROR" : number % 20 === 0 ? "WARN" : "INFO",
    job: `job-${number % 700}`,
    signals: number % 5 === 0 ? ["allocation.failed"] : [],
    bytes: EVENT_BYTES,
  });
}
