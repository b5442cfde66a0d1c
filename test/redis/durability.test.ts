import { describe, expect, test } from "vitest";
import type { Claim, Commit, FeedLog } from "../../src/feed/log.ts";
import { objectChange } from "../support/drafts.ts";
import { openTestLog } from "../support/redis-logs.ts";
import { binaryOf, redisBinary, redisMissing, RedisServer } from "../support/redis-server.ts";
import { skippedBecause } from "../support/skipped.ts";
import { TcpProxy } from "../support/tcp-proxy.ts";
import { until } from "../support/until.ts";

const missing = redisMissing();
const title = skippedBecause(missing);
/** A server that has WAITAOF: the usual one, or else a Valkey. */
const binary = missing === undefined ? await binaryWithWaitaof() : undefined;
const withoutWaitaof =
  missing ??
  (binary === undefined ? "no server with WAITAOF in the PATH (Redis 7.2 or newer, or Valkey)" : undefined);

async function binaryWithWaitaof(): Promise<string | undefined> {
  for (const candidate of [redisBinary(), binaryOf("valkey-server")]) {
    if (candidate === undefined) continue;
    await using server = await RedisServer.startWith({ binary: candidate });
    const client = server.client();
    const [facts] = (await client.call("COMMAND", "INFO", "WAITAOF")) as unknown[];
    client.disconnect();
    if (facts !== null) return candidate;
  }
  return undefined;
}

/** The first commit of a claimed namespace. */
function firstCommit({ scope, fence, rev }: Claim): Commit {
  const { event, state } = objectChange({ resource: "jobs", namespace: scope.namespace, key: "web" }, "1");
  return {
    scope,
    fence,
    expectedRev: rev,
    commitId: `${scope.namespace}.1`,
    events: [event],
    state: [state],
  };
}

function claim(log: FeedLog, namespace = "default"): Promise<Claim> {
  return log.claim({ resource: "jobs", namespace }, "me");
}

test.skipIf(missing !== undefined)(
  `with durability replica the proof of another server than the one that took the commit counts for nothing${title}`,
  async () => {
    await using master = await RedisServer.start();
    await using other = await RedisServer.start();
    await using replica = await RedisServer.start("--replicaof", "127.0.0.1", String(other.port));
    await using proxy = await TcpProxy.to(master.port);
    const client = replica.client();
    await until("the replica is up", async () =>
      (await client.info("replication")).includes("master_link_status:up"),
    );
    client.disconnect();
    const log = await openTestLog(`redis://127.0.0.1:${proxy.port}`, { durability: "replica" });
    const claimed = await claim(log);
    proxy.switchAt("confirmed", other.port);
    await expect(log.commit(firstCommit(claimed))).rejects.toMatchObject({ code: "LOG_UNAVAILABLE" });
    await log[Symbol.asyncDispose]();
  },
);

describe.skipIf(withoutWaitaof !== undefined)(
  `with durability fsync${skippedBecause(withoutWaitaof)}`,
  () => {
    test("a commit is answered when it is on the disk, and commits share the waiting", async () => {
      await using server = await RedisServer.startWith(
        { binary },
        "--appendonly",
        "yes",
        "--appendfsync",
        "everysec",
      );
      const log = await openTestLog(server.url, { durability: "fsync" });
      const namespaces = Array.from({ length: 20 }, (_, n) => `ns-${n}`);
      const claims = await Promise.all(namespaces.map((namespace) => claim(log, namespace)));
      await Promise.all(claims.map((claimed) => log.commit(firstCommit(claimed))));
      const client = server.client();
      const [, calls] = /cmdstat_waitaof:calls=(\d+)/.exec(await client.info("commandstats")) ?? [];
      client.disconnect();
      expect(Number(calls)).toBeGreaterThanOrEqual(1);
      expect(Number(calls)).toBeLessThan(namespaces.length / 2);
      await server.kill();
      await server.start();
      expect((await until("it is back", () => log.head().catch(() => undefined))).sequence).toBe(
        namespaces.length,
      );
      await log[Symbol.asyncDispose]();
    });

    test("a server that forces nothing to its disk is refused", async () => {
      await using server = await RedisServer.startWith(
        { binary },
        "--appendonly",
        "yes",
        "--appendfsync",
        "no",
      );
      await expect(openTestLog(server.url, { durability: "fsync" })).rejects.toMatchObject({
        code: "LOG_UNUSABLE",
        message: expect.stringContaining("appendfsync is no"),
      });
    });

    test("a server that stops to keep its file fails the commit, which is there once when tried again", async () => {
      await using server = await RedisServer.startWith({ binary }, "--appendonly", "yes");
      const log = await openTestLog(server.url, { durability: "fsync" });
      const claimed = await claim(log);
      const client = server.client();
      await client.config("SET", "appendonly", "no");
      await expect(log.commit(firstCommit(claimed))).rejects.toMatchObject({
        code: "LOG_UNAVAILABLE",
        hint: expect.stringContaining("appendonly yes"),
      });
      await client.config("SET", "appendonly", "yes");
      client.disconnect();
      const again = await until("the file is there", () =>
        log.commit(firstCommit(claimed)).catch(() => undefined),
      );
      expect(again).toMatchObject({ status: "duplicate", last: 1 });
      expect((await log.head()).sequence).toBe(1);
      await log[Symbol.asyncDispose]();
    });
  },
);
