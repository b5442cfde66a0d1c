import {
  openSync,
  readFileSync,
  truncateSync,
  writeFileSync,
  writeSync,
  closeSync,
  existsSync,
  mkdirSync,
} from "node:fs";
import { chmod, rm } from "node:fs/promises";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { describe, expect, test } from "vitest";
import { skippedBecause } from "../support/skipped.ts";
import { commitOf, SOURCE, sqliteFileBed } from "../support/sqlite-file-bed.ts";
import { openSqlite } from "../support/sqlite-files.ts";

const bed = sqliteFileBed();
const { open, openAndHead, makeLog, expectRefused } = bed;

describe("a file that is not our log is refused and left alone:", () => {
  test("a text file", async () => {
    writeFileSync(bed.path, "dear diary, ".repeat(100));
    await expectRefused(open, /not a SQLite database/);
    await expectRefused(() => openSqlite({ path: bed.path, readOnly: true }), /not a SQLite database/);
    expect(existsSync(`${bed.path}.lock`)).toBe(false);
  });

  test("a few bytes", async () => {
    writeFileSync(bed.path, "SQLite");
    await expectRefused(open, /not a SQLite database/);
  });

  test("another program's SQLite database", async () => {
    const foreign = new DatabaseSync(bed.path);
    foreign.exec("CREATE TABLE events (sequence INTEGER PRIMARY KEY); INSERT INTO events VALUES (1)");
    foreign.close();
    await expectRefused(open, /another program/);
    expect(existsSync(`${bed.path}.lock`)).toBe(false);
  });

  test("a log of a newer format", async () => {
    await makeLog(1);
    const database = new DatabaseSync(bed.path);
    database.exec("PRAGMA user_version = 99");
    database.close();
    await expectRefused(open, /format 99.*up to \d/);
    await expectRefused(() => openSqlite({ path: bed.path, readOnly: true }), /format 99/);
  });

  test("another feed's log, naming both", async () => {
    await makeLog(1);
    const other = () => openSqlite({ path: bed.path, source: "nomad://other/eu" });
    await expectRefused(other, /nomad:\/\/test\/global.*nomad:\/\/other\/eu/);
    await expectRefused(
      () => openSqlite({ path: bed.path, readOnly: true, source: "nomad://other/eu" }),
      /nomad:\/\/other\/eu/,
    );
  });

  test("a log cut short", async () => {
    await makeLog(500);
    truncateSync(bed.path, 200_000);
    await expectRefused(open, /damaged/);
    await expectRefused(() => openSqlite({ path: bed.path, readOnly: true }), /damaged/);
  });

  test("a log with a spoilt page, also when it is met only later", async () => {
    await makeLog(500);
    const file = openSync(bed.path, "r+");
    for (let page = 50; page < 150; page += 1)
      writeSync(file, Buffer.alloc(8192, 0xa5), 0, 8192, page * 8192);
    closeSync(file);
    await expectRefused(open, /damaged/);
    const reader = await openSqlite({ path: bed.path, readOnly: true });
    const { epoch } = await reader.head();
    await expect(reader.read({ epoch, sequence: 0 }, { limit: 1000 })).rejects.toMatchObject({
      code: "LOG_UNUSABLE",
      message: expect.stringContaining(bed.path),
    });
    await reader[Symbol.asyncDispose]();
  });

  test("a log that lost events to somebody else", async () => {
    await makeLog(5);
    const database = new DatabaseSync(bed.path);
    database.exec("DELETE FROM events WHERE sequence = 5");
    database.close();
    await expectRefused(open, /should hold events 1 to 5 and holds 1 to 4/);
  });

  test("a log without one of its tables", async () => {
    await makeLog(5);
    const database = new DatabaseSync(bed.path);
    database.exec("DROP TABLE meta");
    database.close();
    await expectRefused(open, /damaged.*no such table/);
  });

  test("a directory", async () => {
    mkdirSync(bed.path);
    const error = { code: "LOG_UNUSABLE", message: expect.stringMatching(`${bed.path} is not a file`) };
    await expect(open()).rejects.toMatchObject(error);
  });
});

describe("where there is no log", () => {
  test("one is created, also in place of an empty file", async () => {
    writeFileSync(bed.path, "");
    const log = await openSqlite({ path: bed.path, source: SOURCE, newEpoch: () => "abc123" });
    expect(await log.head()).toMatchObject({ epoch: "abc123", sequence: 0 });
    await log[Symbol.asyncDispose]();
  });

  test("but what a crash left of one, the new log does not take that for its own", async () => {
    const log = await open();
    await log.commit(await commitOf(log, 3));
    const remains = readFileSync(`${bed.path}-wal`);
    await log[Symbol.asyncDispose]();
    await rm(bed.path);
    writeFileSync(`${bed.path}-wal`, remains);
    await expect(open()).rejects.toMatchObject({
      code: "LOG_UNUSABLE",
      message: expect.stringContaining(`${bed.path}-wal`),
    });
    expect(existsSync(bed.path)).toBe(false);
    expect(readFileSync(`${bed.path}-wal`).equals(remains)).toBe(true);
    await rm(`${bed.path}-wal`);
    await expect(openAndHead()).resolves.toMatchObject({ sequence: 0 });
  });

  test("a missing directory is named", async () => {
    bed.path = join(bed.directory, "missing", "feed.db");
    await expectRefused(open, /directory .*missing .*does not exist/);
  });

  test("a reader is told, and none is created", async () => {
    await expectRefused(() => openSqlite({ path: bed.path, readOnly: true }), /no log at/);
    expect(existsSync(bed.path)).toBe(false);
  });
});

const asRoot = process.getuid?.() === 0 ? "nothing is forbidden to root: run it as another user" : undefined;

describe.skipIf(asRoot !== undefined)(`without permission${skippedBecause(asRoot)}`, () => {
  test("to read or write the file, says so", async () => {
    await makeLog(1);
    await chmod(bed.path, 0o000);
    const error = (doing: string) => ({
      code: "LOG_UNUSABLE",
      message: `No permission to ${doing} ${bed.path}`,
    });
    await expect(open()).rejects.toMatchObject(error("write to"));
    await expect(openSqlite({ path: bed.path, readOnly: true })).rejects.toMatchObject(error("read"));
  });

  test("to write to the directory, says so; a log there can still be read", async () => {
    await makeLog(1);
    await chmod(bed.directory, 0o555);
    const message = `No permission to write to the directory ${bed.directory}`;
    await expect(open()).rejects.toMatchObject({ code: "LOG_UNUSABLE", message });
    const reader = await openSqlite({ path: bed.path, readOnly: true });
    expect((await reader.head()).sequence).toBe(1);
    await using read = await reader.consistentRead();
    expect(read.cursor.sequence).toBe(1);
    await reader[Symbol.asyncDispose]();
  });
});
