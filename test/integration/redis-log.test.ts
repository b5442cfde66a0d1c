import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { startBridge } from "../support/started-bridge.ts";
import { openLogToRead } from "../../src/bridge/log.ts";
import { resolveConfig } from "../../src/config/resolve.ts";
import type { Claim, Commit, FeedLog } from "../../src/feed/log.ts";
import { createSimulator } from "../../packages/nomad-simulator/src/index.ts";
import { systemClock } from "../../src/shared/clock.ts";
import { silentLogger } from "../../src/telemetry/logger.ts";
import { objectChange } from "../support/drafts.ts";
import { recordingLogger } from "../support/recording-logger.ts";
import { openTestLog, openTestLogToRead } from "../support/redis-logs.ts";
import { freePort, redisMissing, RedisServer } from "../support/redis-server.ts";
import { skippedBecause } from "../support/skipped.ts";
import { createTestAuthority } from "../support/tls-certificates.ts";
import { TcpProxy } from "../support/tcp-proxy.ts";
import { until } from "../support/until.ts";

const JOBS = { resource: "jobs", namespace: "default" } as const;
const missing = redisMissing();
const title = skippedBecause(missing);

/** Commit number `number` of the claim's scope: one changed job and its event. */
function change(claim: Claim, number: number, key = `job-${number}`): Commit {
  const { event, state } = objectChange({ ...JOBS, key }, String(number));
  return {
    scope: claim.scope,
    fence: claim.fence,
    expectedRev: claim.rev + number - 1,
    commitId: `${claim.fence}.${number}`,
    events: [event],
    state: [state],
  };
}

async function sequences(log: FeedLog): Promise<number[]> {
  const { epoch, floor } = await log.head();
  return (await log.read({ epoch, sequence: floor }, { limit: 1000 })).map((entry) => entry.sequence);
}

/** Why the log does not take the commit, once it can be reached. */
function refusalOf(log: FeedLog, commit: Commit): Promise<unknown> {
  return until("the log answers", () =>
    log.commit(commit).catch((error: Error & { code: string }) => error.code !== "LOG_UNAVAILABLE" && error),
  );
}

/** What the feed says of its epochs. */
async function epochEvents(
  log: FeedLog,
): Promise<{ sequence: number; previous: string | null; reason: string }[]> {
  const { epoch, floor } = await log.head();
  const entries = await log.read({ epoch, sequence: floor }, { limit: 1000 });
  return entries
    .filter(({ type }) => type === "nomad.feed.epoch")
    .map(({ sequence, json }) => {
      const { data } = JSON.parse(json) as { data: { previous: string; current: string; reason: string } };
      expect(data.current).toBe(epoch);
      return { sequence, previous: data.previous, reason: data.reason };
    });
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

  test("all its keys deleted: the writer must begin anew, under a new epoch", async () => {
    const log = await openTestLog(url);
    const claim = await log.claim(JOBS, "me");
    await log.commit(change(claim, 1));
    const { epoch } = await log.head();
    const client = server.client();
    await client.flushall();
    client.disconnect();
    await expect(log.commit(change(claim, 2))).rejects.toMatchObject({ code: "CONFLICT" });
    expect(await epochEvents(log)).toEqual([
      { sequence: 1, previous: epoch, reason: expect.stringContaining("keys are gone") },
    ]);
    const again = await log.claim(JOBS, "me");
    expect(again).toMatchObject({ rev: 0, baselined: false });
    expect(again.fence).toBeGreaterThan(claim.fence);
    expect((await log.head()).epoch).not.toBe(epoch);
    await expect(log.read({ epoch, sequence: 1 }, { limit: 1 })).rejects.toMatchObject({
      code: "EPOCH_CHANGED",
    });
    await log[Symbol.asyncDispose]();
  });
});

describe.skipIf(missing !== undefined)(`a Redis that loses its newest writes${title}`, () => {
  /** Two commits by one writer, the second of which Redis loses in a crash. */
  async function losing(server: RedisServer): Promise<{ log: FeedLog; claim: Claim; epoch: string }> {
    const log = await openTestLog(server.url);
    const claim = await log.claim(JOBS, "me");
    await log.commit(change(claim, 1));
    const client = server.client();
    await client.save();
    client.disconnect();
    await log.commit(change(claim, 2));
    const { epoch } = await log.head();
    await server.kill();
    await server.start();
    return { log, claim, epoch };
  }

  test("gets a new epoch from the writer that saw them, who reads everything again", async () => {
    await using server = await RedisServer.start();
    const { log, claim, epoch } = await losing(server);
    const refused = await refusalOf(log, change(claim, 3));
    expect(refused).toMatchObject({ code: "CONFLICT" });
    expect(await epochEvents(log)).toEqual([
      { sequence: 2, previous: epoch, reason: expect.stringContaining("lost the newest events") },
    ]);
    const again = await log.claim(JOBS, "me");
    expect(again).toMatchObject({ rev: 1 });
    const renewed = (await log.head()).epoch;
    expect(renewed).not.toBe(epoch);
    expect(await log.commit(change(again, 1, "again"))).toMatchObject({ status: "committed", first: 3 });
    expect((await log.head()).epoch).toBe(renewed);
    await expect(log.read({ epoch, sequence: 2 }, { limit: 1 })).rejects.toMatchObject({
      code: "EPOCH_CHANGED",
    });
    await log[Symbol.asyncDispose]();
  });

  test("says so to who only looks where the feed is", async () => {
    await using server = await RedisServer.start();
    const { log, epoch } = await losing(server);
    const head = await until("the log answers", () => log.head().catch(() => undefined));
    expect(head).toMatchObject({ sequence: 2 });
    expect(head.epoch).not.toBe(epoch);
    await log[Symbol.asyncDispose]();
  });

  test("gets a new epoch from a writer that cannot know, where nobody is left who saw them", async () => {
    await using server = await RedisServer.start();
    const { log, epoch } = await losing(server);
    await log[Symbol.asyncDispose]();
    const next = await openTestLog(server.url);
    expect((await next.head()).epoch).not.toBe(epoch);
    expect(await epochEvents(next)).toEqual([
      { sequence: 2, previous: epoch, reason: expect.stringContaining("no writer was there") },
    ]);
    await next[Symbol.asyncDispose]();
    const third = await openTestLog(server.url);
    expect(await epochEvents(third)).toHaveLength(1);
    await third[Symbol.asyncDispose]();
  });

  test("keeps its epoch where somebody who saw them finds nothing lost, though others come new", async () => {
    await using server = await RedisServer.start("--appendonly", "yes");
    const { log, epoch } = await losing(server);
    const opening = openTestLog(server.url);
    await until("the log answers", () => log.head().catch(() => undefined));
    const other = await opening;
    expect((await other.head()).epoch).toBe(epoch);
    await Promise.all([log[Symbol.asyncDispose](), other[Symbol.asyncDispose]()]);
  });

  test("never gives a fence out twice", async () => {
    await using server = await RedisServer.start();
    const log = await openTestLog(server.url);
    const client = server.client();
    await log.claim(JOBS, "me");
    await client.save();
    client.disconnect();
    const lost = await log.claim(JOBS, "me");
    await server.kill();
    await server.start();
    const other = await openTestLog(server.url);
    const claim = await other.claim(JOBS, "other");
    expect(claim.fence).toBeGreaterThan(lost.fence);
    const refused = await refusalOf(log, change(lost, 1));
    expect(refused).toMatchObject({ code: "FENCED" });
    expect(await other.commit(change(claim, 1))).toMatchObject({ status: "committed" });
    await Promise.all([log[Symbol.asyncDispose](), other[Symbol.asyncDispose]()]);
  });

  test("that lost a claim with them has its holder claim again", async () => {
    await using server = await RedisServer.start();
    const log = await openTestLog(server.url);
    const client = server.client();
    await client.save();
    client.disconnect();
    const claim = await log.claim(JOBS, "me");
    await server.kill();
    await server.start();
    const refused = await refusalOf(log, change(claim, 1));
    expect(refused).toMatchObject({ code: "CONFLICT" });
    await log[Symbol.asyncDispose]();
  });
});

describe.skipIf(missing !== undefined)(`opening a log in Redis${title}`, () => {
  let server: RedisServer;
  beforeAll(async () => {
    server = await RedisServer.start("--requirepass", "s3cret");
  });
  afterAll(() => server[Symbol.asyncDispose]());
  const url = (feed: string, password = "s3cret") =>
    `redis://:${password}@127.0.0.1:${server.port}?feed=${feed}`;
  const asAdmin = async (...command: [string, ...string[]]) => {
    const client = server.client({ password: "s3cret" });
    await client.call(...command);
    client.disconnect();
  };

  test("is refused without the right password, which no error repeats", async () => {
    for (const wrong of ["", "wr0ng"]) {
      const error = await openTestLog(url("a", wrong)).catch((reason: unknown) => reason);
      expect(error).toMatchObject({ code: "LOG_UNUSABLE", hint: expect.stringContaining("password") });
      expect(String(error)).not.toMatch(/wr0ng/);
    }
  });

  test("says where nobody answers", async () => {
    await expect(openTestLog("redis://127.0.0.1:1")).rejects.toMatchObject({
      code: "LOG_UNAVAILABLE",
      message: expect.stringContaining("127.0.0.1:1"),
    });
  });

  test("refuses a server that may evict keys", async () => {
    await asAdmin("CONFIG", "SET", "maxmemory-policy", "allkeys-lru");
    await expect(openTestLog(url("a"))).rejects.toMatchObject({
      code: "LOG_UNUSABLE",
      message: expect.stringContaining("allkeys-lru"),
    });
    await asAdmin("CONFIG", "SET", "maxmemory-policy", "noeviction");
    await (await openTestLog(url("a")))[Symbol.asyncDispose]();
  });

  test("warns where a restart would lose everything, and not where it would not", async () => {
    const warnings: string[] = [];
    const logger = Object.assign(silentLogger(), {
      warn: (_facts: object, message: string) => void warnings.push(message),
    });
    await (await openTestLog(url("a"), { logger }))[Symbol.asyncDispose]();
    expect(warnings).toEqual([expect.stringContaining("keeps nothing on its disk")]);
    await asAdmin("CONFIG", "SET", "appendonly", "yes");
    await (await openTestLog(url("a"), { logger }))[Symbol.asyncDispose]();
    await asAdmin("CONFIG", "SET", "appendonly", "no");
    expect(warnings).toHaveLength(1);
  });

  test("refuses another cluster's feed, and one that lost events behind our back", async () => {
    const log = await openTestLog(url("b"));
    const claim = await log.claim(JOBS, "me");
    for (const number of [1, 2, 3]) await log.commit(change(claim, number));
    await log[Symbol.asyncDispose]();
    await expect(openTestLog(url("b"), { source: "nomad://other/global" })).rejects.toMatchObject({
      code: "LOG_UNUSABLE",
      message: expect.stringContaining("nomad://test/global"),
    });
    await asAdmin("XTRIM", "ncf:{b}:log", "MAXLEN", "1");
    await expect(openTestLog(url("b"))).rejects.toMatchObject({
      code: "LOG_UNUSABLE",
      message: expect.stringContaining("events 1 to 3 and holds 3 to 3"),
    });
  });

  test("for reading needs a feed that was begun", async () => {
    const reading = openTestLogToRead(url("none"));
    await expect(reading).rejects.toMatchObject({ code: "LOG_UNUSABLE" });
  });

  test("with durability fsync needs a server that syncs each write", async () => {
    await expect(openTestLog(url("c"), { durability: "fsync" })).rejects.toMatchObject({
      code: "LOG_UNUSABLE",
      hint: expect.stringMatching(/appendonly yes.* appendfsync .*always/),
    });
    await asAdmin("CONFIG", "SET", "appendonly", "yes");
    await asAdmin("CONFIG", "SET", "appendfsync", "always");
    await (await openTestLog(url("c"), { durability: "fsync" }))[Symbol.asyncDispose]();
    await asAdmin("CONFIG", "SET", "appendonly", "no");
  });

  test("with a stream per resource writes the same entries there, under the same ids, and trims them too", async () => {
    const log = await openTestLog(url("d"), { streamPerResource: true });
    const claim = await log.claim(JOBS, "me");
    for (const number of [1, 2, 3]) await log.commit(change(claim, number));
    await log.trim({ maxEvents: 2 });
    const client = server.client({ password: "s3cret" });
    const all = await client.xrange("ncf:{d}:log", "-", "+");
    expect(await client.xrange("ncf:{d}:stream:jobs", "-", "+")).toEqual(all);
    expect(all).toHaveLength(2);
    client.disconnect();
    await log[Symbol.asyncDispose]();
  });
});

test.skipIf(missing !== undefined)(
  `with durability replica a commit is answered when a replica has it${title}`,
  async () => {
    await using master = await RedisServer.start();
    const log = await openTestLog(master.url, { durability: "replica" });
    const claim = await log.claim(JOBS, "me");
    await expect(log.commit(change(claim, 1))).rejects.toMatchObject({
      code: "LOG_UNAVAILABLE",
      message: expect.stringContaining("replica"),
    });
    await using replica = await RedisServer.start("--replicaof", "127.0.0.1", String(master.port));
    const again = await until("the replica confirms", () =>
      log.commit(change(claim, 1)).catch(() => undefined),
    );
    expect(again).toMatchObject({ status: "duplicate", last: 1 });
    const client = replica.client();
    expect(await client.xlen("ncf:{default}:log")).toBe(1);
    client.disconnect();
    await log[Symbol.asyncDispose]();
  },
);

test.skipIf(missing !== undefined)(
  `a bridge keeps its feed in Redis and goes on from it${title}`,
  async () => {
    await using server = await RedisServer.start();
    const simulator = createSimulator({ seed: 1, allocations: 20, namespaces: 2, leaderHoldMs: 100 });
    const flags = {
      nomadAddr: await simulator.listen(),
      feed: `${server.url}?feed=sim`,
      listen: "127.0.0.1:0",
      baseline: "events",
      wait: "1s",
    };
    const { config } = resolveConfig({ flags, env: {} });
    const run = async () => {
      const signal = new AbortController().signal;
      const bridge = await startBridge(config, { logger: silentLogger(), signal });
      await bridge.ready();
      const head = await bridge.log.head();
      await bridge.stop();
      return head;
    };
    const first = await run();
    const second = await run();
    expect(second.epoch).toBe(first.epoch);
    expect(second.sequence).toBeGreaterThanOrEqual(first.sequence);
    const log = await openLogToRead(config.feed, { logger: silentLogger(), clock: systemClock });
    const jobs = await log.history({ resource: "jobs", op: "snapshot", order: "oldest-first", limit: 1000 });
    expect(jobs.length).toBeGreaterThan(0);
    expect(new Set(jobs.map((entry) => entry.id)).size).toBe(jobs.length);
    await log[Symbol.asyncDispose]();
    await simulator.close();
  },
);

test.skipIf(missing !== undefined)(
  `over TLS the log trusts the authority in its address${title}`,
  async () => {
    using authority = createTestAuthority("Redis test CA");
    const { cert, key } = authority.issue("redis", "IP:127.0.0.1");
    const port = await freePort();
    const files = ["--tls-cert-file", cert, "--tls-key-file", key, "--tls-ca-cert-file", authority.ca];
    await using server = await RedisServer.start(
      "--tls-port",
      String(port),
      "--tls-auth-clients",
      "no",
      ...files,
    );
    expect(server.port).not.toBe(port);
    const url = `rediss://127.0.0.1:${port}`;
    await expect(openTestLog(url)).rejects.toMatchObject({ code: "LOG_UNAVAILABLE" });
    const log = await openTestLog(`${url}?ca=${encodeURIComponent(authority.ca)}`);
    expect(await log.head()).toMatchObject({ sequence: 0 });
    await log[Symbol.asyncDispose]();
  },
);
