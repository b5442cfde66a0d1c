import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createSimulator } from "../../packages/nomad-simulator/src/index.ts";
import { openLogToRead } from "../../src/bridge/log.ts";
import { resolveConfig } from "../../src/config/resolve.ts";
import { systemClock } from "../../src/shared/clock.ts";
import { silentLogger } from "../../src/telemetry/logger.ts";
import { change, JOBS } from "../support/redis-changes.ts";
import { openTestLog, openTestLogToRead } from "../support/redis-logs.ts";
import { freePort, redisMissing, RedisServer } from "../support/redis-server.ts";
import { skippedBecause } from "../support/skipped.ts";
import { startBridge } from "../support/started-bridge.ts";
import { createTestAuthority } from "../support/tls-certificates.ts";
import { until } from "../support/until.ts";

const missing = redisMissing();
const title = skippedBecause(missing);

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
