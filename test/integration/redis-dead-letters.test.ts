import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import type { FeedLog, Parked } from "../../src/feed/log.ts";
import { openTestLog } from "../support/redis-logs.ts";
import { redisMissing, RedisServer } from "../support/redis-server.ts";
import { skippedBecause } from "../support/skipped.ts";
import { TcpProxy } from "../support/tcp-proxy.ts";
import { until } from "../support/until.ts";

const missing = redisMissing();
const title = skippedBecause(missing);

const letter = (sequence: number): Parked => ({
  cursor: { epoch: "abc123", sequence },
  id: `0/jobs/default/web@${sequence}`,
  json: `{"sequence":${sequence}}`,
  reason: "400 from example.com",
  attempts: 3,
});

const sequences = async (log: FeedLog) =>
  (await log.deadLetters.list("hook", { limit: 100 })).map(({ cursor }) => cursor.sequence);

describe.skipIf(missing !== undefined)(`dead letters in Redis survive${title}`, () => {
  let server: RedisServer;
  let feed: string;
  let feeds = 0;
  beforeAll(async () => {
    server = await RedisServer.start("--appendonly", "yes");
  });
  beforeEach(() => {
    feed = `f${(feeds += 1)}`;
  });
  afterAll(() => server[Symbol.asyncDispose]());

  test("the loss of a reply: the letter is there once", async () => {
    await using proxy = await TcpProxy.to(server.port);
    const log = await openTestLog(`redis://127.0.0.1:${proxy.port}?feed=${feed}`);
    await log.deadLetters.put("hook", letter(7));
    for (const sequence of [9, 8]) {
      proxy.loseNextReply();
      expect(await log.deadLetters.put("hook", letter(sequence))).toMatchObject(letter(sequence));
    }
    expect(proxy.lost).toBe(2);
    expect(await sequences(log)).toEqual([7, 8, 9]);
    await log[Symbol.asyncDispose]();
  });

  test("a crash of Redis, in the order they have", async () => {
    const log = await openTestLog(`${server.url}?feed=${feed}`);
    for (const sequence of [9, 4, 6]) await log.deadLetters.put("hook", letter(sequence));
    await server.kill();
    await server.start();
    await until("the log takes a letter", () =>
      log.deadLetters.put("hook", letter(5)).then(
        () => true,
        () => false,
      ),
    );
    expect(await sequences(log)).toEqual([4, 5, 6, 9]);
    await log[Symbol.asyncDispose]();
  });

  test("a Redis out of memory: nothing is written, and the letter can be put when there is room", async () => {
    const log = await openTestLog(`${server.url}?feed=${feed}`);
    await log.deadLetters.put("hook", letter(4));
    const client = server.client();
    await client.config("SET", "maxmemory", "1");
    try {
      await expect(log.deadLetters.put("hook", letter(6))).rejects.toMatchObject({ code: "LOG_FULL" });
      expect(await sequences(log)).toEqual([4]);
      expect(await log.deadLetters.remove("hook", [letter(4).cursor])).toBe(1);
    } finally {
      await client.config("SET", "maxmemory", "0");
      client.disconnect();
    }
    await log.deadLetters.put("hook", letter(6));
    expect(await sequences(log)).toEqual([6]);
    await log[Symbol.asyncDispose]();
  });

  test("what another program wrote among them: it is named", async () => {
    const log = await openTestLog(`${server.url}?feed=${feed}`);
    const client = server.client();
    await client.xadd(`ncf:{${feed}}:dlq:hook`, "1-1", "hello", "world");
    client.disconnect();
    await expect(log.deadLetters.list("hook", { limit: 9 })).rejects.toMatchObject({
      code: "LOG_UNUSABLE",
      message: expect.stringContaining(`ncf:{${feed}}:dlq:hook`),
    });
    await log[Symbol.asyncDispose]();
  });
});
