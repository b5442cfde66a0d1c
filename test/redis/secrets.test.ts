import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { Redis } from "ioredis";
import { describe, expect, test } from "vitest";
import { systemClock } from "../../src/shared/clock.ts";
import { clusterPort } from "../support/redis-cluster.ts";
import { changesIn, SteadyWriter } from "../support/redis-commits.ts";
import { openTestLog, redisLogsOf } from "../support/redis-logs.ts";
import { freePort, redisMissing, RedisServer } from "../support/redis-server.ts";
import { skippedBecause } from "../support/skipped.ts";
import { createTestAuthority, type TestAuthority } from "../support/tls-certificates.ts";
import { until } from "../support/until.ts";

const missing = redisMissing();
const title = skippedBecause(missing);
const withoutTls = missing ?? (await whyNoTls());

async function whyNoTls(): Promise<string | undefined> {
  await using server = await RedisServer.start();
  const client = server.client();
  const [, port] = await client.config("GET", "tls-port");
  client.disconnect();
  return port === undefined ? "this redis-server was built without TLS" : undefined;
}

type Settings = Readonly<Record<string, string>>;

function tlsSettings(authority: TestAuthority): Settings {
  const { cert, key } = authority.issue("redis", "IP:127.0.0.1");
  return {
    "tls-auth-clients": "no",
    "tls-cert-file": cert,
    "tls-key-file": key,
    "tls-ca-cert-file": authority.ca,
  };
}

function flagsOf(settings: Settings): string[] {
  return Object.entries(settings).flatMap(([name, value]) => [`--${name}`, value]);
}

function linesOf(settings: Settings): string[] {
  return Object.entries(settings).map(([name, value]) => `${name} ${value}`);
}

test.skipIf(missing !== undefined)(
  `Sentinels and servers have passwords of their own, which no error repeats${title}`,
  async () => {
    await using server = await RedisServer.start("--requirepass", "of-server");
    await using sentinel = await RedisServer.startSentinel(
      `sentinel monitor main 127.0.0.1 ${server.port} 1`,
      "sentinel auth-pass main of-server",
      "requirepass of-sentinel",
    );
    const url = (password: string, sentinelPassword: string) =>
      `redis+sentinel://:${password}@127.0.0.1:${sentinel.port}/main/1?sentinelPassword=${sentinelPassword}`;
    for (const wrong of [url("of-server", "wr0ng"), url("wr0ng", "of-sentinel")]) {
      const error = await openTestLog(wrong).catch((reason: unknown) => reason);
      expect(error).toMatchObject({ code: "LOG_UNUSABLE", hint: expect.stringContaining("password") });
      expect(JSON.stringify([String(error), error])).not.toMatch(/wr0ng|of-server|of-sentinel/);
    }
    const log = await openTestLog(url("of-server", "of-sentinel"));
    expect(await log.head()).toMatchObject({ sequence: 0 });
    await log[Symbol.asyncDispose]();
  },
);

test.skipIf(missing !== undefined)(
  `the user that docs/redis-log.md makes may do all that a log needs, and no more${title}`,
  async () => {
    await using server = await RedisServer.start("--appendonly", "yes");
    const docs = await readFile(join(import.meta.dirname, "../../docs/redis-log.md"), "utf8");
    const [, user = ""] = /^ACL SETUSER (.*)$/m.exec(docs) ?? [];
    const client = server.client();
    await client.call("ACL", "SETUSER", ...user.split(" "));
    const url = `redis://changefeed:password@127.0.0.1:${server.port}`;
    const under = await redisLogsOf(url, { prefix: "rights" })({ clock: systemClock });
    const { log } = under;
    const writer = new SteadyWriter(log);
    await writer.more(2);
    await writer.stop();
    const { epoch, sequence } = await log.head();
    const second = await under.reader();
    expect(await changesIn(second)).toEqual(writer.acknowledged);
    expect(await second.waitBeyond(sequence, { timeoutMs: 100 })).toBe(false);
    expect(await log.history({ order: "newest-first", limit: 1 })).toHaveLength(1);
    await log.consumers.put("audit", { epoch, sequence });
    expect(await log.trim({ maxEvents: 1 })).toMatchObject({ floor: sequence - 1 });
    const denied = new Redis(`${url}/0`, { maxRetriesPerRequest: 0, lazyConnect: true });
    await expect(denied.call("FLUSHALL")).rejects.toThrow(/NOPERM/);
    await expect(denied.get("other")).rejects.toThrow(/NOPERM/);
    denied.disconnect();
    client.disconnect();
    await Promise.all([second[Symbol.asyncDispose](), under.dispose()]);
  },
);

describe.skipIf(withoutTls !== undefined)(`over TLS${skippedBecause(withoutTls)}`, () => {
  test("Sentinels and their master are trusted by the authority in the address", async () => {
    using authority = createTestAuthority("Redis test CA");
    const settings = tlsSettings(authority);
    const [serverPort, sentinelPort] = [await freePort(), await freePort()];
    await using servers = new AsyncDisposableStack();
    const server = await RedisServer.start(
      ...flagsOf({ ...settings, "tls-port": String(serverPort), "tls-replication": "yes" }),
    );
    servers.use(server);
    const sentinel = await RedisServer.startSentinel(
      ...linesOf({ ...settings, "tls-port": String(sentinelPort), "tls-replication": "yes" }),
      `sentinel monitor main 127.0.0.1 ${serverPort} 1`,
    );
    servers.use(sentinel);
    const url = `rediss+sentinel://127.0.0.1:${sentinelPort}/main`;
    await expect(openTestLog(url)).rejects.toMatchObject({ code: "LOG_UNAVAILABLE" });
    const log = await openTestLog(`${url}?ca=${encodeURIComponent(authority.ca)}`);
    expect(await log.head()).toMatchObject({ sequence: 0 });
    await log[Symbol.asyncDispose]();
  });

  test("so are the nodes of a cluster", async () => {
    using authority = createTestAuthority("Redis test CA");
    const tlsPort = await freePort();
    const tls = { ...tlsSettings(authority), "tls-port": String(tlsPort), "tls-cluster": "yes" };
    await using server = await RedisServer.startWith(
      { port: await clusterPort() },
      ...flagsOf({ ...tls, "cluster-enabled": "yes" }),
    );
    const client = server.client();
    await client.call("CLUSTER", "ADDSLOTS", ...Array.from({ length: 16_384 }, (_, slot) => slot));
    await until("the cluster is up", async () =>
      String(await client.call("CLUSTER", "INFO")).includes("cluster_state:ok"),
    );
    client.disconnect();
    const log = await openTestLog(
      `rediss+cluster://127.0.0.1:${tlsPort}?ca=${encodeURIComponent(authority.ca)}`,
    );
    expect(await log.head()).toMatchObject({ sequence: 0 });
    await log[Symbol.asyncDispose]();
  });

  test("a file of authorities that is not there is named", async () => {
    await expect(openTestLog("rediss://127.0.0.1:1?ca=none.pem")).rejects.toMatchObject({
      code: "LOG_UNUSABLE",
      message: expect.stringContaining("none.pem"),
    });
  });
});
