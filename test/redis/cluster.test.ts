import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { inspectRedis } from "../../src/feed/redis/inspect.ts";
import type { Destination } from "../../src/publishers/delivery/destination.ts";
import { openDestination } from "../../src/publishers/destinations.ts";
import { redisSettingsSchema } from "../../src/schemas/destinations/redis.ts";
import { systemClock } from "../../src/shared/clock.ts";
import { destinationDeps } from "../support/destination-deps.ts";
import { coordinationContract } from "../contract/coordination.ts";
import { checkAgainstModel } from "../contract/feed-log-model.ts";
import { feedLogContract } from "../contract/feed-log.ts";
import { outgoing } from "../support/outgoing.ts";
import { recordingLogger } from "../support/recording-logger.ts";
import { clusterPort, startCluster, type TestCluster } from "../support/redis-cluster.ts";
import { changesIn, expectTakenOver, SteadyWriter } from "../support/redis-commits.ts";
import { openAssignments, openTestLog, openTestLogToRead, redisLogsOf } from "../support/redis-logs.ts";
import { redisMissing, RedisServer } from "../support/redis-server.ts";
import { skippedBecause } from "../support/skipped.ts";
import { until } from "../support/until.ts";

const missing = redisMissing();
const title = skippedBecause(missing);

describe.skipIf(missing !== undefined)(`in a cluster of three masters with replicas${title}`, () => {
  let cluster: TestCluster;
  beforeAll(async () => {
    cluster = await startCluster();
  });
  afterAll(() => cluster?.[Symbol.asyncDispose]());
  const open = redisLogsOf(() => cluster.url, { prefix: "contract" });

  feedLogContract("Redis", open);
  coordinationContract("BullMQ", ({ clock }) => openAssignments(cluster.url, { clock }));

  test("the log does what a list of events and a map of objects would do", async () => {
    await expect(checkAgainstModel(open, 20)).resolves.toBeUndefined();
  });

  test("feeds lie on several masters, each whole on one", async () => {
    const names = ["a", "b", "c", "d", "e", "f"];
    for (const name of names) await (await openTestLog(`${cluster.url}?feed=${name}`))[Symbol.asyncDispose]();
    const masters = await Promise.all(names.map((name) => cluster.masterOf(`ncf:{${name}}:meta`)));
    expect(new Set(masters).size).toBe(3);
  });

  test("a destination adds to streams on all masters, once, also to one that moved", async () => {
    for (const stream of ["a", "b", "c", "nomad:{d}:events"]) {
      await using destination = await openStream(stream);
      await sent(destination, 1, 2);
      await cluster.moveSlot(stream);
      await sent(destination, 2, 3);
      const master = (await cluster.masterOf(stream)).client();
      const entries = await master.xrange(stream, "-", "+").finally(() => master.disconnect());
      expect(entries.map(([, [, id]]) => id)).toEqual([1, 2, 3].map((number) => outgoing(number).id));
    }
  });

  function openStream(stream: string): Promise<Destination> {
    const settings = redisSettingsSchema.parse({ type: "redis", url: cluster.url, stream });
    return openDestination(settings, destinationDeps());
  }

  async function sent(destination: Destination, ...numbers: number[]): Promise<void> {
    const batch = numbers.map((number) => outgoing(number));
    await until("it is sent", async () => {
      const result = await destination.send(batch, new AbortController().signal);
      expect(result.outcome).not.toBe("refused");
      return result.outcome === "ok";
    });
  }

  test("a slot that moves to another node while commits run: the log waits for it, whole, and goes on there", async () => {
    const key = "ncf:{moving}:meta";
    const log = await openTestLog(`${cluster.url}?feed=moving`);
    const writer = new SteadyWriter(log);
    await writer.more(20);
    const before = await cluster.masterOf(key);
    await cluster.moveSlot(key, async () => {
      writer.errors.clear();
      await until("a commit is put off", () => writer.errors.size > 0);
    });
    await writer.more(20);
    await writer.stop();
    expect(await cluster.masterOf(key)).not.toBe(before);
    expect([...writer.errors]).toEqual(["LOG_UNAVAILABLE"]);
    expect(await changesIn(log)).toEqual(writer.acknowledged);
    await log[Symbol.asyncDispose]();
  });

  test("the slot's master killed among commits: nothing answered is lost or there twice, and readers follow", async () => {
    const url = `${cluster.url}?feed=killed`;
    const { logger, lines } = recordingLogger();
    const log = await openTestLog(url, { durability: "replica", logger });
    const reader = await openTestLogToRead(url);
    const writer = new SteadyWriter(log);
    await writer.more(20);
    const before = await cluster.masterOf("ncf:{killed}:meta");
    await before.kill();
    // The replica that took over has no replica of its own, which durability "replica" waits for.
    await until("a replica has taken over", async () =>
      cluster.masterOf("ncf:{killed}:meta").then((master) => master !== before),
    );
    await before.start();
    await writer.more(20);
    await writer.stop();
    await expectTakenOver({ log, reader, writer }, lines);
    await Promise.all([log[Symbol.asyncDispose](), reader[Symbol.asyncDispose]()]);
  });

  test("the report names the product; an address of one node says what to write", async () => {
    expect(await inspectRedis(`${cluster.url}?feed=none`, "replica", systemClock)).toMatchObject({
      product: expect.stringMatching(/^(Redis|Valkey) \d+\.\d+\.\d+$/),
      head: undefined,
    });
    const { port } = await cluster.masterOf("ncf:{none}:meta");
    await expect(openTestLog(`redis://127.0.0.1:${port}`)).rejects.toMatchObject({
      code: "LOG_UNUSABLE",
      hint: expect.stringContaining("redis+cluster://"),
    });
  });

  test("a cluster that does not serve all slots is waited for", async () => {
    await using server = await RedisServer.startWith(
      { port: await clusterPort() },
      "--cluster-enabled",
      "yes",
    );
    const url = `redis+cluster://127.0.0.1:${server.port}`;
    await expect(openTestLog(url)).rejects.toMatchObject({
      code: "LOG_UNAVAILABLE",
      message: expect.stringMatching(/knows no master of slot \d+/),
    });
    const client = server.client();
    await client.call("CLUSTER", "ADDSLOTS", Number(await client.call("CLUSTER", "KEYSLOT", "default")));
    client.disconnect();
    await expect(openTestLog(url)).rejects.toMatchObject({
      code: "LOG_UNAVAILABLE",
      message: expect.stringContaining("in state fail"),
      hint: expect.stringContaining("1 of 16384 slots"),
    });
  });

  test("a server that is in no cluster says what to write", async () => {
    await using server = await RedisServer.start();
    await expect(openTestLog(`redis+cluster://127.0.0.1:${server.port}`)).rejects.toMatchObject({
      code: "LOG_UNUSABLE",
      hint: expect.stringContaining("redis://"),
    });
  });
});
