import { createHash } from "node:crypto";
import {
  copyFileSync,
  openSync,
  readFileSync,
  renameSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
  writeSync,
  closeSync,
  existsSync,
  mkdirSync,
} from "node:fs";
import { chmod, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { setImmediate } from "node:timers/promises";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { Commit, FeedLog, ConsistentRead, StateEntry } from "../../src/feed/log.ts";
import { LogFull } from "../../src/feed/errors.ts";
import { Connection } from "../../src/feed/sqlite/connection.ts";
import { KeptValues } from "../../src/feed/sqlite/kept.ts";
import { SCHEMA } from "../../src/feed/sqlite/schema.ts";
import { draft, refOf } from "../support/drafts.ts";
import { skippedBecause } from "../support/skipped.ts";
import { openSqlite } from "../support/sqlite-files.ts";

const SOURCE = "nomad://test/global";

let directory: string;
let path: string;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "feed-file-"));
  path = join(directory, "feed.db");
});
afterEach(async () => {
  await chmod(directory, 0o755);
  await rm(directory, { recursive: true });
});

const open = () => openSqlite({ path, source: SOURCE });
async function openAndHead() {
  const log = await open();
  const head = await log.head();
  await log[Symbol.asyncDispose]();
  return head;
}
const digest = (file = path) => createHash("sha256").update(readFileSync(file)).digest("hex");

/** A commit of `count` events of 2 KB each. */
async function commitOf(log: FeedLog, count: number): Promise<Commit> {
  const claim = await log.claim({ resource: "allocations", namespace: "*" }, "me");
  const events = Array.from({ length: count }, (_, n) => draft({ key: `k${n}`, job: "web", bytes: 2000 }));
  return {
    scope: claim.scope,
    fence: claim.fence,
    expectedRev: claim.rev,
    commitId: `c${claim.fence}`,
    events,
    state: [],
  };
}

async function makeLog(events: number): Promise<void> {
  const log = await open();
  await log.commit(await commitOf(log, events));
  await log[Symbol.asyncDispose]();
}

/** Opening must fail with this error, name the file, say what to do, and change nothing. */
async function expectRefused(opening: () => Promise<FeedLog>, message: RegExp | string): Promise<void> {
  const before = existsSync(path) ? digest() : undefined;
  const error = await opening().then(
    async (log) => {
      await log[Symbol.asyncDispose]();
      return undefined;
    },
    (reason: unknown) => reason,
  );
  expect(error).toMatchObject({
    code: "LOG_UNUSABLE",
    retryable: false,
    message: expect.stringMatching(message),
  });
  expect(error).toHaveProperty("message", expect.stringContaining(path));
  expect(existsSync(path) ? digest() : undefined).toBe(before);
}

describe("a file that is not our log is refused and left alone:", () => {
  test("a text file", async () => {
    writeFileSync(path, "dear diary, ".repeat(100));
    await expectRefused(open, /not a SQLite database/);
    await expectRefused(() => openSqlite({ path, readOnly: true }), /not a SQLite database/);
    expect(existsSync(`${path}.lock`)).toBe(false);
  });

  test("a few bytes", async () => {
    writeFileSync(path, "SQLite");
    await expectRefused(open, /not a SQLite database/);
  });

  test("another program's SQLite database", async () => {
    const foreign = new DatabaseSync(path);
    foreign.exec("CREATE TABLE events (sequence INTEGER PRIMARY KEY); INSERT INTO events VALUES (1)");
    foreign.close();
    await expectRefused(open, /another program/);
    expect(existsSync(`${path}.lock`)).toBe(false);
  });

  test("a log of a newer format", async () => {
    await makeLog(1);
    const database = new DatabaseSync(path);
    database.exec("PRAGMA user_version = 99");
    database.close();
    await expectRefused(open, /format 99.*up to \d/);
    await expectRefused(() => openSqlite({ path, readOnly: true }), /format 99/);
  });

  test("another feed's log, naming both", async () => {
    await makeLog(1);
    const other = () => openSqlite({ path, source: "nomad://other/eu" });
    await expectRefused(other, /nomad:\/\/test\/global.*nomad:\/\/other\/eu/);
    await expectRefused(
      () => openSqlite({ path, readOnly: true, source: "nomad://other/eu" }),
      /nomad:\/\/other\/eu/,
    );
  });

  test("a log cut short", async () => {
    await makeLog(500);
    truncateSync(path, 200_000);
    await expectRefused(open, /damaged/);
    await expectRefused(() => openSqlite({ path, readOnly: true }), /damaged/);
  });

  test("a log with a spoilt page, also when it is met only later", async () => {
    await makeLog(500);
    const file = openSync(path, "r+");
    for (let page = 50; page < 150; page += 1)
      writeSync(file, Buffer.alloc(8192, 0xa5), 0, 8192, page * 8192);
    closeSync(file);
    await expectRefused(open, /damaged/);
    const reader = await openSqlite({ path, readOnly: true });
    const { epoch } = await reader.head();
    await expect(reader.read({ epoch, sequence: 0 }, { limit: 1000 })).rejects.toMatchObject({
      code: "LOG_UNUSABLE",
      message: expect.stringContaining(path),
    });
    await reader[Symbol.asyncDispose]();
  });

  test("a log that lost events to somebody else", async () => {
    await makeLog(5);
    const database = new DatabaseSync(path);
    database.exec("DELETE FROM events WHERE sequence = 5");
    database.close();
    await expectRefused(open, /should hold events 1 to 5 and holds 1 to 4/);
  });

  test("a log without one of its tables", async () => {
    await makeLog(5);
    const database = new DatabaseSync(path);
    database.exec("DROP TABLE meta");
    database.close();
    await expectRefused(open, /damaged.*no such table/);
  });

  test("a directory", async () => {
    mkdirSync(path);
    const error = { code: "LOG_UNUSABLE", message: expect.stringMatching(`${path} is not a file`) };
    await expect(open()).rejects.toMatchObject(error);
  });
});

describe("a log of format 1", () => {
  const parked = {
    cursor: { epoch: "abc123", sequence: 2 },
    id: "0/jobs/default/web@2",
    json: "{}",
    reason: "400",
    attempts: 1,
  };
  beforeEach(async () => {
    await makeLog(3);
    const database = new DatabaseSync(path);
    database.exec(
      `DROP TABLE dead_letters; DROP TABLE documents; ALTER TABLE consumers DROP COLUMN owner; ALTER TABLE meta DROP COLUMN outage;
       PRAGMA user_version = 1`,
    );
    database.close();
  });

  test("becomes one of the present format when it is opened for writing, with all it held", async () => {
    const log = await open();
    expect(await log.head()).toMatchObject({ sequence: 3, floor: 0 });
    await log.deadLetters.put("hook", parked);
    await log[Symbol.asyncDispose]();
    const again = await open();
    expect(await again.deadLetters.list("hook", { limit: 9 })).toMatchObject([parked]);
    expect(await again.documents.claim("delivery/hook", "me")).toMatchObject({ text: null });
    const { epoch } = await again.head();
    expect(await again.read({ epoch, sequence: 0 }, { limit: 9 })).toHaveLength(3);
    await again[Symbol.asyncDispose]();
  });

  test("can be read as it is, and by the same reader once it is upgraded", async () => {
    const before = digest();
    const reader = await openSqlite({ path, readOnly: true });
    expect(await reader.head()).toMatchObject({ sequence: 3 });
    expect(await reader.deadLetters.list("hook", { limit: 9 })).toEqual([]);
    expect(await reader.deadLetters.count("hook")).toBe(0);
    expect(await reader.documents.list("")).toEqual([]);
    expect(await reader.documents.get("delivery/hook")).toBeUndefined();
    expect(digest()).toBe(before);
    const log = await open();
    await log.deadLetters.put("hook", parked);
    expect(await reader.deadLetters.list("hook", { limit: 9 })).toMatchObject([parked]);
    await reader[Symbol.asyncDispose]();
    await log[Symbol.asyncDispose]();
  });
});

describe("where there is no log", () => {
  test("one is created, also in place of an empty file", async () => {
    writeFileSync(path, "");
    const log = await openSqlite({ path, source: SOURCE, newEpoch: () => "abc123" });
    expect(await log.head()).toMatchObject({ epoch: "abc123", sequence: 0 });
    await log[Symbol.asyncDispose]();
  });

  test("but what a crash left of one, the new log does not take that for its own", async () => {
    const log = await open();
    await log.commit(await commitOf(log, 3));
    const remains = readFileSync(`${path}-wal`);
    await log[Symbol.asyncDispose]();
    await rm(path);
    writeFileSync(`${path}-wal`, remains);
    await expect(open()).rejects.toMatchObject({
      code: "LOG_UNUSABLE",
      message: expect.stringContaining(`${path}-wal`),
    });
    expect(existsSync(path)).toBe(false);
    expect(readFileSync(`${path}-wal`).equals(remains)).toBe(true);
    await rm(`${path}-wal`);
    await expect(openAndHead()).resolves.toMatchObject({ sequence: 0 });
  });

  test("a missing directory is named", async () => {
    path = join(directory, "missing", "feed.db");
    await expectRefused(open, /directory .*missing .*does not exist/);
  });

  test("a reader is told, and none is created", async () => {
    await expectRefused(() => openSqlite({ path, readOnly: true }), /no log at/);
    expect(existsSync(path)).toBe(false);
  });
});

const asRoot = process.getuid?.() === 0 ? "nothing is forbidden to root: run it as another user" : undefined;

describe.skipIf(asRoot !== undefined)(`without permission${skippedBecause(asRoot)}`, () => {
  test("to read or write the file, says so", async () => {
    await makeLog(1);
    await chmod(path, 0o000);
    const error = (doing: string) => ({
      code: "LOG_UNUSABLE",
      message: `No permission to ${doing} ${path}`,
    });
    await expect(open()).rejects.toMatchObject(error("write to"));
    await expect(openSqlite({ path, readOnly: true })).rejects.toMatchObject(error("read"));
  });

  test("to write to the directory, says so; a log there can still be read", async () => {
    await makeLog(1);
    await chmod(directory, 0o555);
    const message = `No permission to write to the directory ${directory}`;
    await expect(open()).rejects.toMatchObject({ code: "LOG_UNUSABLE", message });
    const reader = await openSqlite({ path, readOnly: true });
    expect((await reader.head()).sequence).toBe(1);
    await using read = await reader.consistentRead();
    expect(read.cursor.sequence).toBe(1);
    await reader[Symbol.asyncDispose]();
  });
});

describe("one writer", () => {
  test("in one process too, under any name of the file", async () => {
    const log = await open();
    const link = join(directory, "link.db");
    symlinkSync(path, link);
    await expect(open()).rejects.toMatchObject({
      code: "LOG_IN_USE",
      message: expect.stringContaining(`pid ${process.pid}`),
    });
    await expect(openSqlite({ path: link, source: SOURCE })).rejects.toMatchObject({ code: "LOG_IN_USE" });
    await log[Symbol.asyncDispose]();
    await (await open())[Symbol.asyncDispose]();
  });

  test("a reader refuses to write", async () => {
    await makeLog(1);
    const reader = await openSqlite({ path, readOnly: true });
    const error = { code: "LOG_UNUSABLE", message: expect.stringContaining("reading only") };
    await expect(reader.claim({ resource: "jobs", namespace: "*" }, "me")).rejects.toMatchObject(error);
    await expect(reader.trim({})).rejects.toMatchObject(error);
    await expect(reader.consumers.remove("x")).rejects.toMatchObject(error);
    await reader[Symbol.asyncDispose]();
  });

  test("a foreign write lock makes a commit fail for now, not for good", async () => {
    const log = await open();
    const commit = await commitOf(log, 2);
    const foreign = new DatabaseSync(path);
    foreign.exec("BEGIN IMMEDIATE");
    await expect(log.commit(commit)).rejects.toMatchObject({ code: "LOG_UNAVAILABLE", retryable: true });
    const waitsMs: number[] = [];
    for (let tries = 0; tries < 20; tries += 1) {
      const begun = performance.now();
      await log.commit(commit).catch(() => undefined);
      waitsMs.push(performance.now() - begun);
    }
    // The process stands still meanwhile. SQLite's own way to wait takes 250 ms, ours 20; a busy machine makes some
    // longer.
    expect(Math.min(...waitsMs)).toBeLessThan(150);
    foreign.exec("ROLLBACK");
    foreign.close();
    expect(await log.commit(commit)).toMatchObject({ status: "committed", first: 1, last: 2 });
    await log[Symbol.asyncDispose]();
  });
});

describe("events that somebody else removed while the log is open", () => {
  test.each([
    ["between others", 3],
    ["at the end", 5],
  ])("%s are missed, not skipped", async (_where, sequence) => {
    const log = await open();
    await log.commit(await commitOf(log, 5));
    const foreign = new DatabaseSync(path);
    foreign.exec(`DELETE FROM events WHERE sequence = ${sequence}`);
    foreign.close();
    const { epoch } = await log.head();
    await expect(log.read({ epoch, sequence: sequence - 1 }, { limit: 10 })).rejects.toMatchObject({
      code: "LOG_UNUSABLE",
      message: expect.stringContaining(`event ${sequence} is missing`),
    });
    await log[Symbol.asyncDispose]();
  });
});

describe("a log that is moved away while it is written", () => {
  test("takes no more until it is back, and has lost nothing then", async () => {
    const log = await open();
    const commit = await commitOf(log, 2);
    const away = join(directory, "away.db");
    renameSync(path, away);
    const refusal = { code: "LOG_UNUSABLE", message: expect.stringContaining("moved, removed or replaced") };
    await expect(log.commit(commit)).rejects.toMatchObject(refusal);
    copyFileSync(away, path);
    await expect(log.commit(commit)).rejects.toMatchObject(refusal);
    renameSync(away, path);
    await expect(log.commit(commit)).resolves.toMatchObject({ status: "committed", first: 1, last: 2 });
    await log[Symbol.asyncDispose]();
    await expect(openAndHead()).resolves.toMatchObject({ sequence: 2 });
  });

  test("never has two writers, even where its lock was removed with it", async () => {
    const log = await open();
    const commit = await commitOf(log, 1);
    for (const suffix of ["", "-wal", "-shm", ".lock"]) await rm(path + suffix);
    const next = await open();
    await next.commit(await commitOf(next, 1));
    await expect(log.commit(commit)).rejects.toMatchObject({ code: "LOG_UNUSABLE" });
    await log[Symbol.asyncDispose]();
    await next[Symbol.asyncDispose]();
    await expect(openAndHead()).resolves.toMatchObject({ sequence: 1 });
  });
});

describe("when there is no more room", () => {
  test("nothing of the commit is written, and it succeeds once there is", async () => {
    const log = await openSqlite({ path, source: SOURCE, maxFileBytes: 1 << 20 });
    await log.commit(await commitOf(log, 100));
    const commit = await commitOf(log, 300);
    const before = await log.head();
    for (let attempt = 0; attempt < 2; attempt += 1) {
      await expect(log.commit(commit)).rejects.toMatchObject({ code: "LOG_FULL", retryable: true });
      expect(await log.head()).toEqual(before);
      expect(await log.history({ order: "oldest-first", limit: 1000 })).toHaveLength(100);
    }
    await log[Symbol.asyncDispose]();
    const roomier = await openSqlite({ path, source: SOURCE, maxFileBytes: 4 << 20 });
    expect(await roomier.commit(commit)).toMatchObject({ status: "committed", first: 101, last: 400 });
    await roomier[Symbol.asyncDispose]();
  });

  test("trimming makes room, and the file stays within its bound", async () => {
    const log = await openSqlite({ path, source: SOURCE, maxFileBytes: 2 << 20 });
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
    expect(readFileSync(path).length).toBeLessThanOrEqual(2 << 20);
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
    expect(statSync(path).size).toBeLessThan(20 << 20);
  });

  test("is reserved for what is written ahead, so that no commit has to make that file longer", async () => {
    const log = await open();
    const reserved = statSync(`${path}-wal`).size;
    for (let round = 0; round < 20; round += 1) await log.commit(await commitOf(log, 100));
    expect(statSync(`${path}-wal`).size).toBe(reserved);
    await log[Symbol.asyncDispose]();
    expect(existsSync(`${path}-wal`)).toBe(false);
  });

  test("is not driven up by a reading of the state that does not end", async () => {
    const log = await open();
    await using read = await log.consistentRead();
    for (let round = 0; round < 40; round += 1) await log.commit(await commitOf(log, 300));
    expect(statSync(`${path}-wal`).size).toBeLessThan(16 << 20);
    expect(await read.entries()[Symbol.asyncIterator]().next()).toMatchObject({ done: true });
    await log[Symbol.asyncDispose]();
  });
});

test("readings of the state end, the oldest first, where commits would have to keep too much for them", async () => {
  const log = await openSqlite({ path, source: SOURCE, maxKeptBytes: 1100 * 4096 });
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
  const connection = new Connection(path, { readOnly: false, busyMs: 0 });
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
