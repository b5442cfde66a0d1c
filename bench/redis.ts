import { execFile } from "node:child_process";
import { randomUUID } from "node:crypto";
import { promisify } from "node:util";
import type { Redis } from "ioredis";
import type { FeedLog } from "../src/feed/log.ts";
import { factsOf } from "../src/feed/redis/codec.ts";
import { sealDraft, type EventDraft } from "../src/schemas/draft.ts";
import type { Scope } from "../src/schemas/scope.ts";
import { draft } from "../test/support/drafts.ts";
import { openTestLog } from "../test/support/redis-logs.ts";
import { RedisServer } from "../test/support/redis-server.ts";
import { median, once } from "./harness.ts";

const SCOPE = { resource: "allocations", namespace: "*" } as const;
const EVENT_BYTES = 2500;
const MEASURE_MS = 3000;
const ROUND_EVENTS = 5000;
const FILLED = 20_000;

type Committer = (events: readonly EventDraft[]) => Promise<void>;

const filled = once(measureFilled);

export default [
  ...[1, 100, 500].map((batch) => ({
    name: `redis-commit-${batch}`,
    unit: `events/s of 2.5 KB with their state, ${batch} a commit, one after the other`,
    goal: "at least 100",
    against: "nothing",
    run: () => withLog((log) => commitsPerSecond(log, batch)),
  })),
  {
    name: "redis-commit-vs-xadd",
    unit: "events/s of 2.5 KB with indexes, 500 a commit, from two scopes at once",
    goal: "at least 0.4 × redis-benchmark",
    against: "redis-benchmark, XADD of the same fields, pipelines of 500 on one connection",
    run: () =>
      withLog(async (log, server) => {
        // As the loops of a bridge do: what one scope's commit waits for, another's uses.
        const scopes = [SCOPE, { resource: "nodes", namespace: "-" }] as const;
        const committers = await Promise.all(
          scopes.map((scope) => committer(log, { scope, withState: false })),
        );
        const rounds: { value: number; against: number }[] = [];
        // Many short rounds: what disturbs the machine for longer than one disturbs both sides of it.
        for (let round = 0; round < 15; round += 1) {
          rounds.push({
            against: await xaddsPerSecond(server),
            value: await timedRound(log, committers, 500),
          });
        }
        const ratio = median(rounds.map(({ value, against }) => value / against));
        return rounds.find(({ value, against }) => value / against === ratio) ?? Number.NaN;
      }),
  },
  {
    name: "redis-script-block",
    unit: "ms Redis is held by a commit of 500, median",
    goal: "at most 50",
    against: "nothing",
    run: () => withLog(scriptBlockMs),
  },
  {
    name: "redis-memory-per-event",
    unit: "bytes of Redis memory an event of 2.5 KB takes, indexes included",
    goal: "at most 1.6 × its JSON",
    against: "its JSON",
    run: async () => (await filled()).event,
  },
  {
    name: "redis-memory-per-object",
    unit: "bytes of Redis memory an object's state takes",
    goal: "at most 1.4 × its stub",
    against: "its stub",
    run: async () => (await filled()).object,
  },
  {
    name: "redis-read",
    unit: "events/s of 2.5 KB read, 500 a page",
    goal: "at least 1000",
    against: "nothing",
    run: async () => (await filled()).readPerSecond,
  },
];

/** A Redis of its own, that writes nothing to the disk. */
async function withLog<T>(work: (log: FeedLog, server: RedisServer) => Promise<T>): Promise<T> {
  await using server = await RedisServer.start();
  const log = await openTestLog(server.url);
  try {
    return await work(log, server);
  } finally {
    await log[Symbol.asyncDispose]();
  }
}

/** Answers a function that commits a batch to a scope, with the objects' state where asked. */
async function committer(
  log: FeedLog,
  { scope = SCOPE, withState = true }: { scope?: Scope; withState?: boolean } = {},
): Promise<Committer> {
  const claim = await log.claim(scope, "bench");
  const { fence } = claim;
  let { rev } = claim;
  return async (events) => {
    const state = withState
      ? events.map((event) => ({
          ref: { ...SCOPE, namespace: "default", key: event.key ?? "" },
          next: { rev: "1", stub: Buffer.from(event.tail) },
        }))
      : [];
    await log.commit({ scope, fence, expectedRev: rev, commitId: `c${rev}`, events, state });
    rev += 1;
  };
}

async function commitsPerSecond(log: FeedLog, batch: number): Promise<number> {
  const commit = await committer(log);
  const rates: number[] = [];
  const end = performance.now() + MEASURE_MS;
  while (performance.now() < end) rates.push(await timedRound(log, [commit], batch));
  return median(rates);
}

/** Events per second, of all committers. They are made before, and the log has the same size before each round. */
async function timedRound(log: FeedLog, committers: readonly Committer[], batch: number): Promise<number> {
  const batches = Array.from({ length: Math.ceil(ROUND_EVENTS / batch) }, () => makeEvents(batch));
  globalThis.gc?.();
  const begin = performance.now();
  const left = [...batches];
  await Promise.all(
    committers.map(async (commit) => {
      for (let events = left.pop(); events !== undefined; events = left.pop()) await commit(events);
    }),
  );
  const workedMs = performance.now() - begin;
  await log.trim({ maxEvents: ROUND_EVENTS });
  return ((batches.length * batch) / workedMs) * 1000;
}

/** The same fields as an entry of the log has. */
async function xaddsPerSecond(server: RedisServer): Promise<number> {
  const [event] = makeEvents(1);
  if (event === undefined) throw new Error("no event");
  const { type, op, namespace, key, severity } = event;
  const fields = {
    data: sealDraft(event, "k3f9x2", 12345),
    at: String(Date.now()),
    type,
    op,
    ns: namespace,
    key,
  };
  const entry = Object.entries({ ...fields, sev: severity, facts: factsOf(event) });
  const args = ["-p", String(server.port), "-c", "1", "-P", "500", "-n", "20000", "-q"];
  const xadd = ["XADD", "bench", "MAXLEN", "~", String(ROUND_EVENTS), "*"];
  for (const [name, value] of entry) xadd.push(name, value ?? "");
  const { stdout } = await promisify(execFile)("redis-benchmark", [...args, ...xadd]);
  const perSecond = Number(/([\d.]+) requests per second/.exec(stdout)?.[1]);
  if (!(perSecond > 0)) throw new Error(`redis-benchmark answered ${stdout.slice(-500)}`);
  return perSecond;
}

async function scriptBlockMs(log: FeedLog, server: RedisServer): Promise<number> {
  const commit = await committer(log);
  const client = server.client();
  const times: number[] = [];
  for (let round = 0; round < 30; round += 1) {
    await client.config("RESETSTAT");
    await commit(makeEvents(500));
    const stats = await client.info("commandstats");
    const usec = [...stats.matchAll(/cmdstat_(?:evalsha|eval):calls=\d+,usec=(\d+)/g)].map(([, found]) =>
      Number(found),
    );
    times.push(Math.max(...usec) / 1000);
  }
  client.disconnect();
  return median(times);
}

async function measureFilled() {
  return withLog(async (log, server) => {
    const client = server.client();
    const drafts = makeEvents(FILLED);
    const jsonBytes = mean(drafts.map((event) => event.head.length + event.tail.length + 60));
    const empty = await usedBytes(client);
    await fill(log, drafts, false);
    const withEvents = await usedBytes(client);
    await fill(
      log,
      drafts.map((event) => ({ ...event })),
      true,
    );
    const withState = await usedBytes(client);
    client.disconnect();
    const event = (withEvents - empty) / FILLED;
    return {
      event: { value: event, against: jsonBytes },
      object: {
        value: (withState - withEvents) / FILLED - event,
        against: mean(drafts.map(({ tail }) => tail.length)),
      },
      readPerSecond: await readsPerSecond(log),
    };
  });
}

async function fill(log: FeedLog, drafts: readonly EventDraft[], withState: boolean): Promise<void> {
  const commit = await committer(log, { withState });
  for (let start = 0; start < drafts.length; start += 500) await commit(drafts.slice(start, start + 500));
}

async function readsPerSecond(log: FeedLog): Promise<number> {
  const head = await log.head();
  const begin = performance.now();
  let sequence = head.floor;
  while (sequence < head.sequence) {
    const page = await log.read({ epoch: head.epoch, sequence }, { limit: 500 });
    sequence = page.at(-1)?.sequence ?? head.sequence;
  }
  return ((head.sequence - head.floor) / (performance.now() - begin)) * 1000;
}

async function usedBytes(client: Redis): Promise<number> {
  return Number(/used_memory_dataset:(\d+)/.exec(await client.info("memory"))?.[1]);
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

function makeEvents(count: number): EventDraft[] {
  return Array.from({ length: count }, () => {
    const key = randomUUID();
    return draft({
      key,
      job: `job-${key.slice(0, 2)}`,
      node: `node-${key.slice(2, 4)}`,
      signals: ["task.restarted"],
      bytes: EVENT_BYTES,
    });
  });
}
