import { readdirSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import type { FeedLog } from "../src/feed/log.ts";
import { draft, objectChange, refOf } from "../test/support/drafts.ts";
import { TestFeed } from "../test/support/http-feed.ts";
import { openTestLog } from "../test/support/redis-logs.ts";
import { RedisServer } from "../test/support/redis-server.ts";
import { Attacker, grownSince, held, heldSince } from "./attacker.ts";
import { once, type BenchRow } from "./harness.ts";

const KIB = 1024;
const MIB = 1024 * 1024;
const CUTS = 300;
/** As many as --max-states allows: each costs Redis time too. */
const REDIS_CUTS = 100;
const CHANGES_PER_CUT = 10;
const OBJECTS = 5000;
/** How long what was asked for may take to be written as far as it can be. */
const SETTLE_MS = 3000;
const MEMORY_CUTS = 100;
const READS = { maxTimeMs: 600_000, maxStates: 1000, maxStatesPerHolder: 1000 };

const inSqlite = once(measureInSqlite);
const inRedis = once(measureInRedis);
const unread = (cuts: number) => `each of ${cuts} states that nobody reads, each of a moment of its own,`;

const rows: readonly BenchRow[] = [
  {
    name: "hostile-cuts",
    unit: `KiB that the process holds for ${unread(CUTS)} in SQLite, what commits keep for them included`,
    goal: "at most 64",
    against: "nothing",
    run: async () => {
      const { residentKibEach, countedKibEach } = await inSqlite();
      return Math.max(residentKibEach, countedKibEach);
    },
  },
  {
    name: "hostile-cuts-descriptors",
    unit: `open files for each of them, its socket among them`,
    goal: "at most 4",
    against: "nothing",
    run: async () => (await inSqlite()).filesEach,
  },
  {
    name: "hostile-cuts-redis",
    // Nothing of these reads lies outside of what V8 counts: objects, strings and buffers. malloc keeps for reuse what
    // was freed of the replies; told to give it back (MALLOC_MMAP_THRESHOLD_, MALLOC_TRIM_THRESHOLD_), it does.
    unit: `KiB of objects, strings and buffers that the process holds for ${unread(REDIS_CUTS)} in Redis`,
    goal: "at most 64",
    against: "what its resident memory grows by, with what malloc has freed and keeps",
    run: async () => {
      const { residentKibEach, countedKibEach } = await inRedis();
      return { value: countedKibEach, against: residentKibEach };
    },
  },
  {
    name: "hostile-cuts-redis-server",
    unit: `KiB that Redis holds for each of them, what commits keep for them included`,
    goal: "at most 64",
    against: `what is written meanwhile for each, without the reads`,
    run: async () => (await inRedis()).serverKibEach,
  },
  {
    name: "state-cuts-memory",
    unit: `MiB that the process grows by over ${MEMORY_CUTS} consistent reads one after the other and ${MEMORY_CUTS} at once, after as many before`,
    goal: "at most 8",
    against: "nothing",
    run: measureCutsMemory,
  },
];

export default rows;

function openFiles(): number {
  return readdirSync("/proc/self/fd").length;
}

async function writeObjects(feed: TestFeed): Promise<void> {
  const meta = "x".repeat(1000);
  for (let first = 0; first < OBJECTS; first += 500) {
    const states = Array.from({ length: 500 }, (_, n) => {
      const ref = refOf("allocations", `a${first + n}`);
      return { ref, next: { rev: "1", stub: Buffer.from(JSON.stringify({ ID: ref.key, Meta: meta })) } };
    });
    await feed.write([draft({ resource: "allocations" })], states);
  }
}

let changed = 0;

async function change(feed: TestFeed): Promise<void> {
  const changes = Array.from({ length: CHANGES_PER_CUT }, () => {
    changed += 1;
    return objectChange(refOf("allocations", `a${changed % OBJECTS}`), String(changed));
  });
  await feed.commitObjects(...changes);
}

async function measureInSqlite() {
  await using feed = await TestFeed.open();
  await writeObjects(feed);
  return await measureCuts(feed, CUTS);
}

async function measureInRedis() {
  await using server = await RedisServer.start();
  await using feed = await TestFeed.open({ log: await openTestLog(server.url) });
  const client = server.client();
  const serverKib = async () => Number(/used_memory:(\d+)/.exec(await client.info("memory"))?.[1]) / KIB;
  try {
    await writeObjects(feed);
    const empty = await serverKib();
    for (let cut = 0; cut < REDIS_CUTS; cut += 1) await change(feed);
    const calm = await serverKib();
    const { whileOpen, ...each } = await measureCuts(feed, REDIS_CUTS, serverKib);
    return {
      ...each,
      serverKibEach: { value: (whileOpen - calm) / REDIS_CUTS, against: (calm - empty) / REDIS_CUTS },
    };
  } finally {
    client.disconnect();
  }
}

/** `measure` is called while all reads are open. */
async function measureCuts(feed: TestFeed, cuts: number, measure: () => Promise<number> = async () => 0) {
  const { url } = await feed.serve({ reads: READS });
  for (let warmUp = 0; warmUp < 5; warmUp += 1) await (await fetch(`${url}/v1/state`)).text();
  await using attacker = new Attacker(url);
  await attacker.ask("/healthz");
  const before = held();
  const filesBefore = openFiles();
  for (let cut = 0; cut < cuts; cut += 1) {
    await attacker.ask("/v1/state");
    await change(feed);
  }
  await sleep(SETTLE_MS);
  const { resident, counted } = grownSince(before);
  return {
    residentKibEach: resident / cuts / KIB,
    countedKibEach: counted / cuts / KIB,
    filesEach: (openFiles() - filesBefore) / cuts,
    whileOpen: await measure(),
  };
}

async function measureCutsMemory(): Promise<number> {
  await using feed = await TestFeed.open();
  await writeObjects(feed);
  await takeCuts(feed);
  const before = held();
  await takeCuts(feed);
  return heldSince(before) / MIB;
}

async function takeCuts(feed: TestFeed): Promise<void> {
  for (let cut = 0; cut < MEMORY_CUTS; cut += 1) {
    await using taken = await feed.log.consistentRead();
    await readSome(taken);
    await change(feed);
  }
  await using all = new AsyncDisposableStack();
  for (let cut = 0; cut < MEMORY_CUTS; cut += 1) {
    await readSome(all.use(await feed.log.consistentRead()));
    await change(feed);
  }
}

async function readSome(taken: Awaited<ReturnType<FeedLog["consistentRead"]>>): Promise<void> {
  let read = 0;
  for await (const entries of taken.entries({ resource: "allocations" })) {
    read += entries.length;
    if (read > 500) return;
  }
}
