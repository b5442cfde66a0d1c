import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { mkdtempDisposable } from "node:fs/promises";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import { epochEventOf } from "../../src/events/control.ts";
import type { FeedLog } from "../../src/feed/log.ts";
import { SCHEMA_VERSION as REDIS_FORMAT } from "../../src/feed/redis/open.ts";
import { SCHEMA_VERSION as SQLITE_FORMAT } from "../../src/feed/sqlite/schema.ts";
import { changeEventSchema } from "../../src/schemas/event-schema.ts";
import { runCli } from "../support/cli.ts";
import { draft } from "../support/drafts.ts";
import { openTestLog } from "../support/redis-logs.ts";
import { redisMissing, RedisServer } from "../support/redis-server.ts";
import { skippedBecause } from "../support/skipped.ts";
import { openSqlite } from "../support/sqlite-files.ts";

/**
 * Logs as the code of their format wrote them: the jobs and allocations of a small simulated cluster, whose first sight is
 * events too, and a consumer that has acknowledged seven. Made by `simulate --seed 1 --allocations 2` and, against it,
 * `run --cluster kept --resources jobs,allocations --namespaces default --baseline events`, stopped after 15 events; gzip -9n.
 * Of Redis it is the file that BGREWRITEAOF writes with `aof-use-rdb-preamble no`: commands, of the feed `kept`.
 */
const KEPT = join(import.meta.dirname, "../support/kept-logs");
const SOURCE = "nomad://kept/simulated";
const FORMATS = Array.from({ length: SQLITE_FORMAT }, (_, index) => index + 1);

const sqliteFile = (format: number) => join(KEPT, `sqlite-format-${format}.db.gz`);
const redisFile = join(KEPT, `redis-format-${REDIS_FORMAT}.aof.gz`);

it("a log is kept of every format that can be opened, and of the present one for those to come", () => {
  const wanted = [...FORMATS.map(sqliteFile), redisFile];
  expect(wanted.filter((path) => !existsSync(path))).toEqual([]);
});

describe.each(FORMATS)("a file of format %i, as its own code wrote it", (format) => {
  it("opens, folds to the state that it holds, and takes more", async () => {
    await using directory = await mkdtempDisposable(join(tmpdir(), "ncf-kept-"));
    const path = join(directory.path, "feed.db");
    writeFileSync(path, gunzipSync(readFileSync(sqliteFile(format))));

    // First as a reader that may change nothing.
    const told = await historyOf(`sqlite:${path}`);
    const open = () => openSqlite({ path, source: SOURCE });
    const log = await open();
    // The first code had no way to acknowledge yet.
    expect(await acknowledged(log)).toEqual(format === 1 ? [] : ["kept: 7"]);
    await expectGoesOn(log, { told, own: 0, open });
  });

  it("is read on by whoever had it open while another program brings it to the present format", async () => {
    await using directory = await mkdtempDisposable(join(tmpdir(), "ncf-kept-"));
    const path = join(directory.path, "feed.db");
    writeFileSync(path, gunzipSync(readFileSync(sqliteFile(format))));
    await using reader = await openSqlite({ path, readOnly: true });
    expect(await reader.outage()).toBeNull();
    await using writer = await openSqlite({ path, source: SOURCE });
    await writer.tellOutage({ from: null, to: "Nomad is away", event: draft({ id: "away" }) });
    expect(await reader.outage()).toBe("Nomad is away");
  });
});

const noRedis = redisMissing();

describe.skipIf(noRedis !== undefined)(`a feed in Redis${skippedBecause(noRedis)}`, () => {
  it(`of format ${REDIS_FORMAT} opens, folds to the state that it holds, and takes more`, async () => {
    await using server = await RedisServer.start();
    await replay(server.port, gunzipSync(readFileSync(redisFile)));
    const url = `${server.url}/0?feed=kept`;

    const told = await historyOf(url);
    const open = () => openTestLog(url, { source: SOURCE, draftEpochEvent: epochEventOf(SOURCE) });
    const log = await open();
    expect(await acknowledged(log)).toEqual(["kept: 7"]);
    // It was another Redis: the feed says that a new epoch begins.
    await expectGoesOn(log, { told, own: 1, open });
  });

  it("of another format is refused, and names both", async () => {
    await using server = await RedisServer.start();
    await (await openTestLog(server.url))[Symbol.asyncDispose]();
    const client = server.client();
    await client.hset("ncf:{default}:meta", "schema", "1");
    client.disconnect();
    await expect(openTestLog(server.url)).rejects.toMatchObject({
      code: "LOG_UNUSABLE",
      message: expect.stringContaining(`of format 1; this nomad-changefeed knows format ${REDIS_FORMAT}`),
    });
  });
});

interface Kept {
  /** What a reader was told before. */
  readonly told: readonly string[];
  /** Events that opening it wrote. */
  readonly own: number;
  readonly open: () => Promise<FeedLog>;
}

async function expectGoesOn(log: FeedLog, { told, own, open }: Kept): Promise<void> {
  const head = await log.head();
  expect(head.sequence - head.floor).toBe(told.length + own);
  const entries = await log.read({ epoch: head.epoch, sequence: head.floor }, { limit: 1000 });
  expect(entries.slice(0, told.length).map(({ json }) => json)).toEqual(told);
  const state = await stateOf(log);
  expect(state.size).toBeGreaterThan(1);
  expect(fold(told)).toEqual(state);

  const { scope, fence, rev } = await log.claim({ resource: "jobs", namespace: "default" }, "present");
  const events = [draft({ key: "new", job: "new" })];
  await log.commit({ scope, fence, expectedRev: rev, commitId: "present", events, state: [] });
  await log.documents.claim("delivery/hook", "present");
  await log[Symbol.asyncDispose]();

  const again = await open();
  expect(await again.head()).toMatchObject({ epoch: head.epoch, sequence: head.sequence + 1 });
  expect(await again.documents.list("delivery/")).toHaveLength(1);
  expect(await stateOf(again)).toEqual(state);
  await again[Symbol.asyncDispose]();
}

async function historyOf(feed: string): Promise<string[]> {
  const { code, stdout, stderr } = await runCli(["history", "--feed", feed, "--json", "--limit", "1000"]);
  expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
  const lines = stdout.trim().split("\n");
  expect(lines.length).toBeGreaterThan(10);
  return lines;
}

async function acknowledged(log: FeedLog): Promise<string[]> {
  return (await log.consumers.list()).map(({ name, cursor }) => `${name}: ${cursor.sequence}`);
}

/** `type/namespace/id` of each object → its revision, by the last event of it. */
function fold(lines: readonly string[]): Map<string, string> {
  const objects = new Map<string, string>();
  for (const line of lines) {
    const { success, data: event } = changeEventSchema.safeParse(JSON.parse(line));
    if (!success) continue;
    const { op, rev } = event.data;
    if (op === "delete") objects.delete(event.subject);
    else objects.set(event.subject, rev.current ?? "");
  }
  return objects;
}

async function stateOf(log: FeedLog): Promise<Map<string, string>> {
  const objects = new Map<string, string>();
  for (const resource of ["jobs", "allocations"] as const) {
    for await (const batch of log.loadState({ resource, namespace: "default" }))
      for (const { ref, rev } of batch) objects.set(`${resource}/${ref.namespace}/${ref.key}`, rev);
  }
  return objects;
}

/** Sends commands as they stand in a file of Redis; answers when all were done, and none was refused. */
async function replay(port: number, commands: Buffer): Promise<void> {
  const socket = connect(port, "127.0.0.1");
  socket.end(Buffer.concat([commands, Buffer.from("ECHO replayed\r\n")]));
  let answers = "";
  for await (const chunk of socket.setEncoding("utf8")) answers += String(chunk);
  expect(answers.split("\r\n").filter((line) => line.startsWith("-"))).toEqual([]);
  expect(answers).toContain("replayed");
}
