import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import type { FeedLog } from "../../src/feed/log.ts";
import { recordingLogger } from "../support/recording-logger.ts";
import { change, JOBS } from "../support/redis-changes.ts";
import { openTestLog, openTestLogToRead } from "../support/redis-logs.ts";
import { redisMissing, RedisServer } from "../support/redis-server.ts";
import { skippedBecause } from "../support/skipped.ts";
import { TcpProxy } from "../support/tcp-proxy.ts";
import { until } from "../support/until.ts";

const missing = redisMissing();
const title = skippedBecause(missing);

async function sequences(log: FeedLog): Promise<number[]> {
  const { epoch, floor } = await log.head();
  return (await log.read({ epoch, sequence: floor }, { limit: 1000 })).map((entry) => entry.sequence);
}

describe.skipIf(missing !== undefined)(`the Redis log survives${title}`, () => {
  let server: RedisServer;
  let url: string;
  let feeds = 0;
  beforeAll(async () => {
    server = await RedisServer.start("--appendonly", "yes");
  });
  beforeEach(() => {
    url = `${server.url}?feed=f${(feeds += 1)}`;
  });
  afterAll(() => server[Symbol.asyncDispose]());

  test("a crash and restart of Redis between commits", async () => {
    const log = await openTestLog(url);
    const claim = await log.claim(JOBS, "me");
    await log.commit(change(claim, 1));
    const before = await log.head();
    await server.kill();
    await expect(log.commit(change(claim, 2))).rejects.toMatchObject({ code: "LOG_UNAVAILABLE" });
    await server.start();
    const second = await until("the log takes the same commit", () =>
      log.commit(change(claim, 2)).catch(() => undefined),
    );
    expect(second).toMatchObject({ first: 2, last: 2, rev: 2 });
    expect(await sequences(log)).toEqual([1, 2]);
    expect(await log.head()).toMatchObject({ epoch: before.epoch });
    await log[Symbol.asyncDispose]();
  });

  test("a Redis that is stopped: the commit fails in bounded time, and is there once when tried again", async () => {
    const log = await openTestLog(url, { silenceMs: 300 });
    const claim = await log.claim(JOBS, "me");
    await log.commit(change(claim, 1));
    server.signal("SIGSTOP");
    try {
      await expect(log.commit(change(claim, 2))).rejects.toMatchObject({ code: "LOG_UNAVAILABLE" });
    } finally {
      server.signal("SIGCONT");
    }
    await until("the log takes the same commit", () => log.commit(change(claim, 2)).catch(() => undefined));
    expect(await sequences(log)).toEqual([1, 2]);
    await log[Symbol.asyncDispose]();
  });

  test("a Redis that pauses its clients: the commit is answered when it is over, once", async () => {
    const log = await openTestLog(url);
    const claim = await log.claim(JOBS, "me");
    await log.commit(change(claim, 1));
    const client = server.client();
    await client.call("CLIENT", "PAUSE", "1000", "ALL");
    client.disconnect();
    expect(await log.commit(change(claim, 2))).toEqual({ status: "committed", first: 2, last: 2, rev: 2 });
    expect(await sequences(log)).toEqual([1, 2]);
    await log[Symbol.asyncDispose]();
  });

  test("a connection that is only half there: the commit fails in bounded time, its cause is said once, and all goes on", async () => {
    await using proxy = await TcpProxy.to(server.port);
    const { logger, lines } = recordingLogger();
    const own = `redis://127.0.0.1:${proxy.port}?feed=f${feeds}`;
    const log = await openTestLog(own, { silenceMs: 300, logger });
    const claim = await log.claim(JOBS, "me");
    await log.commit(change(claim, 1));
    proxy.swallow();
    for (let attempt = 0; attempt < 3; attempt += 1) {
      await expect(log.commit(change(claim, 2))).rejects.toMatchObject({ code: "LOG_UNAVAILABLE" });
    }
    proxy.swallow(false);
    await until("the log takes the same commit", () => log.commit(change(claim, 2)).catch(() => undefined));
    expect(await sequences(log)).toEqual([1, 2]);
    expect(lines).toEqual([expect.stringContaining("lost the connection"), "reconnected to Redis"]);
    await log[Symbol.asyncDispose]();
  });

  test("the loss of a reply after the commit: one entry, and the answer is duplicate", async () => {
    await using proxy = await TcpProxy.to(server.port);
    const log = await openTestLog(`redis://127.0.0.1:${proxy.port}?feed=f${feeds}`);
    const claim = await log.claim(JOBS, "me");
    await log.commit(change(claim, 1));
    proxy.loseNextReply();
    const answer = await log.commit(change(claim, 2));
    expect(proxy.lost).toBe(1);
    expect(answer).toEqual({ status: "duplicate", first: 2, last: 2, rev: 2 });
    expect(await sequences(log)).toEqual([1, 2]);
    await log[Symbol.asyncDispose]();
  });

  test("a flushed script cache", async () => {
    const log = await openTestLog(url);
    const claim = await log.claim(JOBS, "me");
    await log.commit(change(claim, 1));
    const client = server.client();
    await client.script("FLUSH");
    client.disconnect();
    expect(await log.commit(change(claim, 2))).toMatchObject({ status: "committed", last: 2 });
    await log[Symbol.asyncDispose]();
  });

  test("a Redis out of memory: nothing is written, and the same commit succeeds when there is room", async () => {
    const log = await openTestLog(url);
    const claim = await log.claim(JOBS, "me");
    await log.commit(change(claim, 1));
    const client = server.client();
    await client.config("SET", "maxmemory", "1");
    try {
      await expect(log.commit(change(claim, 2))).rejects.toMatchObject({ code: "LOG_FULL", retryable: true });
      expect(await log.head()).toMatchObject({ sequence: 1 });
      expect(await log.trim({ maxEvents: 0 })).toEqual({ floor: 1, removed: 1 });
    } finally {
      await client.config("SET", "maxmemory", "0");
      client.disconnect();
    }
    expect(await log.commit(change(claim, 2))).toMatchObject({ status: "committed", first: 2, rev: 2 });
    await log[Symbol.asyncDispose]();
  });

  test("a master that has become a replica: writes wait for it to be master again", async () => {
    const log = await openTestLog(url);
    const claim = await log.claim(JOBS, "me");
    const client = server.client();
    await client.replicaof("127.0.0.1", 1);
    try {
      await expect(log.commit(change(claim, 1))).rejects.toMatchObject({ code: "LOG_UNAVAILABLE" });
      await expect(openTestLog(url)).rejects.toMatchObject({ code: "LOG_UNAVAILABLE" });
    } finally {
      await client.replicaof("NO", "ONE");
      client.disconnect();
    }
    const committed = await until("the log takes the same commit", () =>
      log.commit(change(claim, 1)).catch(() => undefined),
    );
    expect(committed).toMatchObject({ status: "committed", last: 1 });
    await log[Symbol.asyncDispose]();
  });

  test("cut connections: who waits is told of the next event", async () => {
    const log = await openTestLog(url);
    const reader = await openTestLogToRead(url);
    const claim = await log.claim(JOBS, "me");
    const client = server.client();
    const waiting = reader.waitBeyond(0, { timeoutMs: 20_000 });
    await until("the reader's question is held", async () =>
      /cmd=xread/.test(String(await client.client("LIST"))),
    );
    await client.call("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes");
    client.disconnect();
    await until("the log takes a commit", () => log.commit(change(claim, 1)).catch(() => undefined));
    await waiting;
    expect(await reader.waitBeyond(0, { timeoutMs: 20_000 })).toBe(true);
    expect(await sequences(reader)).toEqual([1]);
    await Promise.all([log[Symbol.asyncDispose](), reader[Symbol.asyncDispose]()]);
  });

  test("feeds side by side: neither sees the other", async () => {
    const [one, two] = [await openTestLog(url), await openTestLog(`${url}-other`)];
    await one.commit(change(await one.claim(JOBS, "me"), 1));
    await two.consumers.put("audit", { epoch: (await two.head()).epoch, sequence: 0 });
    expect(await sequences(one)).toEqual([1]);
    expect(await sequences(two)).toEqual([]);
    expect(await two.scopes()).toEqual([]);
    expect(await one.consumers.list()).toEqual([]);
    expect(await two.claim(JOBS, "me")).toMatchObject({ fence: 1, rev: 0 });
    expect((await one.head()).epoch).not.toBe((await two.head()).epoch);
    await Promise.all([one[Symbol.asyncDispose](), two[Symbol.asyncDispose]()]);
  });
});
