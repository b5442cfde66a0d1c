import { copyFileSync, renameSync, symlinkSync } from "node:fs";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { beforeEach, describe, expect, test } from "vitest";
import { commitOf, SOURCE, sqliteFileBed } from "../support/sqlite-file-bed.ts";
import { openSqlite } from "../support/sqlite-files.ts";

const bed = sqliteFileBed();
const { open, openAndHead, makeLog, digest } = bed;

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
    const database = new DatabaseSync(bed.path);
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
    const reader = await openSqlite({ path: bed.path, readOnly: true });
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

describe("one writer", () => {
  test("in one process too, under any name of the file", async () => {
    const log = await open();
    const link = join(bed.directory, "link.db");
    symlinkSync(bed.path, link);
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
    const reader = await openSqlite({ path: bed.path, readOnly: true });
    const error = { code: "LOG_UNUSABLE", message: expect.stringContaining("reading only") };
    await expect(reader.claim({ resource: "jobs", namespace: "*" }, "me")).rejects.toMatchObject(error);
    await expect(reader.trim({})).rejects.toMatchObject(error);
    await expect(reader.consumers.remove("x")).rejects.toMatchObject(error);
    await reader[Symbol.asyncDispose]();
  });

  test("a foreign write lock makes a commit fail for now, not for good", async () => {
    const log = await open();
    const commit = await commitOf(log, 2);
    const foreign = new DatabaseSync(bed.path);
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
    const foreign = new DatabaseSync(bed.path);
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
    const away = join(bed.directory, "away.db");
    renameSync(bed.path, away);
    const refusal = { code: "LOG_UNUSABLE", message: expect.stringContaining("moved, removed or replaced") };
    await expect(log.commit(commit)).rejects.toMatchObject(refusal);
    copyFileSync(away, bed.path);
    await expect(log.commit(commit)).rejects.toMatchObject(refusal);
    renameSync(away, bed.path);
    await expect(log.commit(commit)).resolves.toMatchObject({ status: "committed", first: 1, last: 2 });
    await log[Symbol.asyncDispose]();
    await expect(openAndHead()).resolves.toMatchObject({ sequence: 2 });
  });

  test("never has two writers, even where its lock was removed with it", async () => {
    const log = await open();
    const commit = await commitOf(log, 1);
    for (const suffix of ["", "-wal", "-shm", ".lock"]) await rm(bed.path + suffix);
    const next = await open();
    await next.commit(await commitOf(next, 1));
    await expect(log.commit(commit)).rejects.toMatchObject({ code: "LOG_UNUSABLE" });
    await log[Symbol.asyncDispose]();
    await next[Symbol.asyncDispose]();
    await expect(openAndHead()).resolves.toMatchObject({ sequence: 1 });
  });
});
