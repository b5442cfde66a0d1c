import { randomUUID } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import type { FeedLog } from "../src/feed/log.ts";
import { systemClock } from "../src/shared/clock.ts";
import { openSqliteLog } from "../src/feed/sqlite/open.ts";
import { draft } from "../test/support/drafts.ts";

const SOURCE = "nomad://bench/global";
const SCOPE = { resource: "allocations", namespace: "*" } as const;
const EVENT_BYTES = 2500;
const MEASURE_MS = 3000;
const MILLION = 1_000_000;
const JOBS = 5000;
const LOOKUPS = 50;

export default [
  commitRow(1),
  commitRow(100),
  commitRow(500),
  {
    name: "history-lookup",
    unit: "ms, median: the 100 newest events of a job among a million",
    goal: "at least 30 × faster than reading through the events",
    against: "the same question without the index",
    run: inTemporaryDirectory(measureLookups),
  },
];

function commitRow(batch: number) {
  return {
    name: `sqlite-commit-${batch}`,
    unit: `events/s of 2.5 KB with their state, ${batch} a commit, each commit on the disk`,
    goal: "at least 0.2 × bare inserts",
    against: "a table without indexes, the same bytes and fsyncs",
    run: inTemporaryDirectory(async (directory) => ({
      value: await commitsPerSecond(join(directory, "feed.db"), batch),
      against: await insertsPerSecond(join(directory, "bare.db"), batch),
    })),
  };
}

/** Events per second through the log: event, facts, indexes, state, checkpointing of the WAL. */
async function commitsPerSecond(path: string, batch: number): Promise<number> {
  const log = await openSqliteLog({ path, source: SOURCE, clock: systemClock });
  try {
    const { fence } = await log.claim(SCOPE, "bench");
    let rev = 0;
    return await rate(
      batch,
      () => makeEvents(batch),
      async (events) => {
        const state = events.map((event) => ({
          ref: { ...SCOPE, namespace: "default", key: event.key ?? "" },
          next: { rev: "1", stub: Buffer.from(event.tail) },
        }));
        await log.commit({ scope: SCOPE, fence, expectedRev: rev, commitId: `c${rev}`, events, state });
        rev += 1;
      },
    );
  } finally {
    await log[Symbol.asyncDispose]();
  }
}

/** Events per second into a bare table of sequence, event and state. */
async function insertsPerSecond(path: string, batch: number): Promise<number> {
  const database = new DatabaseSync(path);
  try {
    database.exec("PRAGMA page_size = 8192; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL");
    database.exec("CREATE TABLE bare (sequence INTEGER PRIMARY KEY, data TEXT, stub TEXT)");
    const insert = database.prepare("INSERT INTO bare (data, stub) VALUES (?, ?)");
    return await rate(
      batch,
      () => makeEvents(batch),
      (events) => {
        database.exec("BEGIN IMMEDIATE");
        for (const event of events) insert.run(event.head + event.tail, event.tail);
        database.exec("COMMIT");
      },
    );
  } finally {
    database.close();
  }
}

function makeEvents(count: number) {
  return Array.from({ length: count }, () => {
    const key = randomUUID();
    const job = `job-${key.slice(0, 2)}`;
    return draft({
      key,
      job,
      node: `node-${key.slice(2, 4)}`,
      signals: ["task.restarted"],
      bytes: EVENT_BYTES,
    });
  });
}

/** Items per second of `work` alone, in batches, for a few seconds. */
async function rate<T>(
  batch: number,
  prepare: () => T,
  work: (input: T) => void | Promise<void>,
): Promise<number> {
  let [items, workedMs] = [0, 0];
  while (workedMs < MEASURE_MS) {
    const input = prepare();
    const begin = performance.now();
    await work(input);
    workedMs += performance.now() - begin;
    items += batch;
  }
  return (items / workedMs) * 1000;
}

async function measureLookups(directory: string): Promise<{ value: number; against: number }> {
  const path = join(directory, "feed.db");
  await (await openSqliteLog({ path, source: SOURCE, clock: systemClock }))[Symbol.asyncDispose]();
  fillWithEvents(path);
  const log = await openSqliteLog({ path, source: SOURCE, clock: systemClock });
  try {
    return { value: await medianLookupMs(log), against: scanMs(path) };
  } finally {
    await log[Symbol.asyncDispose]();
  }
}

async function medianLookupMs(log: FeedLog): Promise<number> {
  const times: number[] = [];
  for (let lookup = 0; lookup < LOOKUPS; lookup += 1) {
    const begin = performance.now();
    const job = `job-${(lookup * 97) % JOBS}`;
    const found = await log.history({ job, order: "newest-first", limit: 100 });
    times.push(performance.now() - begin);
    if (found.length !== 100) throw new Error(`expected 100 events of ${job}, found ${found.length}`);
  }
  return times.toSorted((a, b) => a - b)[LOOKUPS / 2] ?? Number.NaN;
}

function scanMs(path: string): number {
  const database = new DatabaseSync(path, { readOnly: true });
  try {
    const begin = performance.now();
    database
      .prepare("SELECT sequence, data FROM events NOT INDEXED WHERE job = ? ORDER BY sequence DESC LIMIT 100")
      .all("job-7");
    return performance.now() - begin;
  } finally {
    database.close();
  }
}

/** A million small events, made by SQLite itself; indexes are built afterwards, which is much faster. */
function fillWithEvents(path: string): void {
  const database = new DatabaseSync(path);
  try {
    database.exec("PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; PRAGMA cache_size = -400000");
    const indexes = database
      .prepare("SELECT name, sql FROM sqlite_schema WHERE type = 'index' AND tbl_name = 'events'")
      .all();
    for (const { name } of indexes) database.exec(`DROP INDEX ${String(name)}`);
    database.exec(`
      WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ${MILLION})
      INSERT INTO events SELECT i, strftime('%Y-%m-%dT%H:%M:%fZ', 1790000000 + i, 'unixepoch'), '2026-08-22T10:15:30Z',
        'nomad.allocation.updated', 'allocations', 'default', printf('alloc-%06d', i % 100003), 'job-' || (i * 7919 % ${JOBS}),
        'node-' || (i % 400), 'update', 'status', 'INFO', '[]', '0/allocations/default/alloc@' || i,
        printf('{"id":"%d","data":{"padding":"%0300d"}}', i, i) FROM n;
      UPDATE meta SET sequence = ${MILLION}, bytes = (SELECT sum(octet_length(data)) FROM events)`);
    for (const { sql } of indexes) database.exec(String(sql));
  } finally {
    database.close();
  }
}

function inTemporaryDirectory<T>(work: (directory: string) => Promise<T>): () => Promise<T> {
  return async () => {
    const directory = await mkdtemp(join(tmpdir(), "bench-sqlite-"));
    try {
      return await work(directory);
    } finally {
      await rm(directory, { recursive: true });
    }
  };
}
