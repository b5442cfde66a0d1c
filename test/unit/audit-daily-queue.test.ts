import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { constants, gunzipSync } from "node:zlib";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { DailyFiles } from "../../src/publishers/audit/daily-files.ts";
import { DailyQueue } from "../../src/publishers/audit/daily-queue.ts";
import { TestClock } from "../support/test-clock.ts";
import { until } from "../support/until.ts";

const WAIT_MS = 2_000;

describe("the queue of the daily files", () => {
  let directory: string;
  let clock: TestClock;
  let queue: DailyQueue;

  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), "ncf-daily-"));
    clock = new TestClock();
    queue = await opened(0);
  });
  afterEach(async () => {
    await queue[Symbol.asyncDispose]();
    await rm(directory, { recursive: true });
  });

  /** Of a trail with so many entries. */
  const opened = async (size: number) =>
    new DailyQueue(await DailyFiles.open(directory, { first: 0, size }, () => undefined), clock);
  const entriesOf = (day: string, ...names: string[]) =>
    names.map((name) => Buffer.from(`{"recordedtime":"${day}T10:00:00Z","name":"${name}"}`));
  const entries = (...names: string[]) => entriesOf("2026-12-01", ...names);
  /** The last member may be written just now. */
  const unpacked = (bytes: Buffer) => gunzipSync(bytes, { finishFlush: constants.Z_SYNC_FLUSH }).toString();
  const written = async () => {
    const folder = join(directory, "daily");
    const texts = (await readdir(folder)).map(async (name) => unpacked(await readFile(join(folder, name))));
    return [...(await Promise.all(texts)).join("").matchAll(/"name":"(\w+)"/g)].map(([, name]) => name);
  };

  it("writes what was committed, and nothing of what was only staged", async () => {
    queue.stage(entries("first", "second"));
    await queue.commit();
    queue.stage(entries("third"));
    queue.stage(entriesOf("2026-12-02", "fourth"));
    await queue[Symbol.asyncDispose]();
    expect(await written()).toEqual(["first", "second"]);
    expect(await readdir(join(directory, "daily"))).toEqual(["2026-12-01.jsonl.gz"]);
    queue = await opened(2);
    expect(queue.next).toBe(2);
  });

  it("writes what became due while more was staged together with that, and leaves nothing out", async () => {
    queue.stage(entries("first"));
    await queue.commit();
    queue.stage(entries("second"));
    await clock.advance(WAIT_MS);
    queue.stage(entries("third"));
    await queue.commit();
    await until("all is written", async () => (await written()).length === 3);
    expect(await written()).toEqual(["first", "second", "third"]);
  });

  it("leaves nothing out that is staged while what is due waits for the disk", async () => {
    const long = "x".repeat(65_000);
    const many = Array.from({ length: 40 }, (_, at) => `a${at}`);
    queue.stage(entries(...many.map((name) => `${name}${long}`)));
    await queue.commit();
    await clock.advance(WAIT_MS);
    queue.stage(entries("next"));
    await until("what was due is written", async () => (await written()).length === many.length);
    await queue.commit();
    await queue[Symbol.asyncDispose]();
    expect((await written()).map((name) => name?.replace(long, ""))).toEqual([...many, "next"]);
  });
});
