import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Redis } from "ioredis";
import type { Destination } from "../../../src/publishers/delivery/destination.ts";
import { openDestination } from "../../../src/publishers/destinations.ts";
import { redisSettingsSchema } from "../../../src/schemas/destinations/redis.ts";
import { outgoing } from "../../support/outgoing.ts";
import { RedisServer, redisMissing } from "../../support/redis-server.ts";
import { skippedBecause } from "../../support/skipped.ts";
import { destinationContract, type Counterpart } from "./register-destination.ts";
import { destinationDeps } from "../../support/destination-deps.ts";

const PASSWORD = "not-for-your-eyes";
const STREAM = "nomad:events";
const why = redisMissing();

describe.skipIf(why !== undefined)(`on a real Redis${skippedBecause(why)}`, () => {
  destinationContract("a stream of Redis", start);
});

async function start(): Promise<Counterpart> {
  let isAway = false;
  const server = await RedisServer.start("--requirepass", PASSWORD, "--appendonly", "yes");
  const redis = server.client({ password: PASSWORD });
  return {
    open: (deps) => openStream(server, deps),
    received: async () => (await entriesOf(redis)).map(({ id = "", event = "" }) => ({ id, json: event })),
    refusals: [
      {
        name: "another kind of key",
        arrange: async () =>
          void (await redis.rename(STREAM, "kept").catch(() => 0), await redis.set(STREAM, "x")),
        outcome: "refused",
        why: "config",
      },
      {
        name: "no memory left",
        arrange: async () => void (await redis.del(STREAM), await redis.config("SET", "maxmemory", "1")),
        outcome: "retry",
      },
      {
        name: "a replica",
        arrange: async () =>
          void (await redis.config("SET", "maxmemory", "0"), await redis.replicaof("127.0.0.1", "1")),
        outcome: "retry",
      },
      {
        name: "a user who may not",
        arrange: async () =>
          void (await redis.replicaof("NO", "ONE"), await redis.acl("SETUSER", "default", "-xadd")),
        outcome: "refused",
        why: "forbidden",
      },
      {
        name: "another password",
        arrange: async () => {
          await redis.acl("SETUSER", "default", "+xadd", `<${PASSWORD}`, ">another");
          await redis.call("CLIENT", "KILL", "SKIPME", "yes", "TYPE", "normal");
        },
        outcome: "refused",
        why: "forbidden",
      },
    ],
    hang: async () => server.signal("SIGSTOP"),
    goAway: async () => {
      isAway = true;
      await server.kill();
    },
    comeBack: () => (isAway ? server.start() : Promise.resolve(server.signal("SIGCONT"))),
    secrets: [PASSWORD],
    connections: async () => Number(/connected_clients:(\d+)/.exec(await redis.info("clients"))?.[1]) - 1,
    [Symbol.asyncDispose]: async () => {
      redis.disconnect();
      await server[Symbol.asyncDispose]();
    },
  };
}

describe.skipIf(why !== undefined)(`a stream of Redis as such${skippedBecause(why)}`, () => {
  let server: RedisServer;
  let redis: Redis;
  beforeAll(async () => {
    server = await RedisServer.start("--requirepass", PASSWORD);
    redis = server.client({ password: PASSWORD });
  });
  afterAll(async () => {
    redis.disconnect();
    await server[Symbol.asyncDispose]();
  });

  test("has an event once, however often it is sent and by whom", async () => {
    await redis.flushall();
    await using first = await openStream(server);
    await send(first, 1, 2);
    await using second = await openStream(server);
    await Promise.all([send(first, 2, 3), send(second, 1, 2, 3, 4)]);
    expect(await send(first, 1, 4)).toBe("0 of 2 added; the others were there");
    expect(await numbersIn(redis)).toEqual([1, 2, 3, 4]);
  });

  test("gets again what was taken out of it, as a replay wants", async () => {
    await redis.flushall();
    await using destination = await openStream(server);
    await send(destination, 1, 2, 3);
    await redis.del(STREAM);
    await send(destination, 1, 2);
    expect(await numbersIn(redis)).toEqual([1, 2]);
  });

  test("keeps about as many entries as it shall", async () => {
    await redis.flushall();
    await using destination = await openStream(server, undefined, { maxLen: 100 });
    await send(destination, ...Array.from({ length: 1000 }, (_, number) => number));
    expect(await redis.xlen(STREAM)).toBeLessThan(300);
    expect((await numbersIn(redis)).at(-1)).toBe(999);
  });
});

function openStream(server: RedisServer, deps = destinationDeps(), more: object = {}): Promise<Destination> {
  const settings = redisSettingsSchema.parse({
    type: "redis",
    url: "env:REDIS_URL",
    stream: STREAM,
    ...more,
  });
  const readSecret = () => server.url.replace("//", `//:${PASSWORD}@`);
  return openDestination(settings, { ...deps, readSecret });
}

async function send(destination: Destination, ...numbers: number[]): Promise<string | null | undefined> {
  const batch = numbers.map((number) => outgoing(number));
  const result = await destination.send(batch, new AbortController().signal);
  expect(result).toMatchObject({ outcome: "ok" });
  return result.exchange?.answer;
}

async function numbersIn(redis: Redis): Promise<number[]> {
  return (await entriesOf(redis)).map(({ id }) => Number(id?.split("@")[1]));
}

async function entriesOf(redis: Redis): Promise<Record<string, string>[]> {
  const entries = await redis.xrange(STREAM, "-", "+").catch(() => []);
  return entries.map(([, fields]) =>
    Object.fromEntries(
      Array.from({ length: fields.length / 2 }, (_, n) => [fields[2 * n], fields[2 * n + 1]]),
    ),
  );
}
