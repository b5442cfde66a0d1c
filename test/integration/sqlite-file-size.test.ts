import { readFileSync, statSync, existsSync } from "node:fs";
import { setImmediate } from "node:timers/promises";
import { describe, expect, test } from "vitest";
import { LogFull } from "../../src/feed/errors.ts";
import type { Commit, ConsistentRead, FeedLog, StateEntry } from "../../src/feed/log.ts";
import { Connection } from "../../src/feed/sqlite/connection.ts";
import { KeptValues } from "../../src/feed/sqlite/kept.ts";
import { SCHEMA } from "../../src/feed/sqlite/schema.ts";
import { draft, refOf } from "../support/drafts.ts";
import { commitOf, SOURCE, sqliteFileBed } from "../support/sqlite-file-bed.ts";
import { openSqlite } from "../support/sqlite-files.ts";

const bed = sqliteFileBed();
const { open } = bed;

describe("when there is no more room", () => {
  test("nothing of the commit is written, and it succeeds once there is", async () => {
    const log = await openSqlite({ path: bed.path, source: SOURCE, maxFileBytes: 1 << 20 });
    await log.commit(await commitOf(log, 100));
    const commit = await commitOf(log, 300);
    const before = await log.head();
    for (let attempt = 0; attempt < 2; attempt += 1) {
      await expect(log.commit(commit)).rejects.toMatchObject({ code: "LOG_FULL", retryable: true });
      expect(await log.head()).toEqual(before);
      expect(await log.history({ order: "oldest-first", limit: 1000 })).toHaveLength(100);
    }
    await log[Symbol.asyncDispose]();
    const roomier = await openSqlite({ path: bed.path, source: SOURCE, maxFileBytes: 4 << 20 });
    expect(await roomier.commit(commit)).toMatchObject({ status: "committed", first: 101, last: 400 });
    await roomier[Symbol.asyncDispose]();
  });

  test("trimming makes room, and the file stays within its bound", async () => {
    const log = await openSqlite({ path: bed.path, source: SOURCE, maxFileBytes: 2 << 20 });
    let refused = 0;
    for (let round = 0; round < 20; round += 1) {
      const commit = await commitOf(log, 200);
      const answer = await log.commit(commit).catch((error: unknown) => error);
      if (!(answer instanceof LogFull)) continue;
      refused += 1;
      await log.trim({ maxEvents: 200 });
      await log.commit(commit);
    }
    expect(refused).toBeGreaterThan(2);
    expect((await log.head()).sequence).toBe(4000);
    await log[Symbol.asyncDispose]();
    expect(readFileSync(bed.path).length).toBeLessThanOrEqual(2 << 20);
  });
});

describe("the file's size", () => {
  test("shrinks when much was trimmed", async () => {
    const log = await open();
    const claim = await log.claim({ resource: "allocations", namespace: "*" }, "me");
    const events = Array.from({ length: 120 }, () => draft({ bytes: 250_000 }));
    const { scope, fence } = claim;
    await log.commit({ scope, fence, expectedRev: 0, commitId: "big", events, state: [] });
    await log.trim({ maxEvents: 1 });
    await log[Symbol.asyncDispose]();
    expect(statSync(bed.path).size).toBeLessThan(20 << 20);
  });

  test("is reserved for what is written ahead, so that no commit has to make that file longer", async () => {
    const log = await open();
    const reserved = statSync(`${bed.path}-wal`).size;
    for (let round = 0; round < 20; round += 1) await log.commit(await commitOf(log, 100));
    expect(statSync(`${bed.path}-wal`).size).toBe(reserved);
    await log[Symbol.asyncDispose]();
    expect(existsSync(`${bed.path}-wal`)).toBe(false);
  });

  test("is not driven up by a reading of the state that does not end", async () => {
    const log = await open();
    await using read = await log.consistentRead();
    for (let round = 0; round < 40; round += 1) await log.commit(await commitOf(log, 300));
    expect(statSync(`${bed.path}-wal`).size).toBeLessThan(16 << 20);
    expect(await read.entries()[Symbol.asyncIterator]().next()).toMatchObject({ done: true });
    await log[Symbol.asyncDispose]();
  });
});

test("readings of the state end, the oldest first, where commits would have to keep too much for them", async () => {
  const log = await openSqlite({ path: bed.path, source: SOURCE, maxKeptBytes: 1100 * 4096 });
  const next = (read: ConsistentRead) => read.entries()[Symbol.asyncIterator]().next();
  await log.commit(await objectsOf(log, 1000));
  await using oldest = await log.consistentRead();
  await using asOld = await log.consistentRead();
  await log.commit(await objectsOf(log, 1000));
  await using newer = await log.consistentRead();
  expect(await next(oldest)).toMatchObject({ done: false });
  await log.commit(await objectsOf(log, 800));
  for (const read of [oldest, asOld])
    await expect(next(read)).rejects.toMatchObject({ code: "LOG_UNAVAILABLE", retryable: true });
  // What only those needed is dropped, and what is kept for this one is not kept again.
  for (let round = 0; round < 5; round += 1) {
    await setImmediate();
    await log.commit(await objectsOf(log, 800));
  }
  const batch: StateEntry[] = (await next(newer)).value ?? [];
  expect(batch.length).toBeGreaterThan(1);
  expect(Buffer.concat(batch.map(({ stub }) => stub)).length).toBeLessThan(32 << 10);
  await log[Symbol.asyncDispose]();
});

test("what no reading needs any more is dropped some at a time, so that commits get their turn", () => {
  const connection = new Connection(bed.path, { readOnly: false, busyMs: 0 });
  connection.exec(SCHEMA);
  const kept = new KeptValues(connection);
  for (const key of "abcde") kept.keep(refOf("jobs", key), 0);
  expect([1, 2, 3, 4].map(() => kept.drop(kept.last, 2))).toEqual([true, true, true, false]);
  connection.close();
});

async function objectsOf(log: FeedLog, count: number): Promise<Commit> {
  const state = Array.from({ length: count }, (_, n) => {
    const next = { rev: "1", stub: Buffer.alloc(3000, "x") };
    return { ref: refOf("allocations", `a${n}`), next };
  });
  return { ...(await commitOf(log, 0)), state };
}
