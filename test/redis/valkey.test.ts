import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { systemClock } from "../../src/shared/clock.ts";
import { inspectRedis } from "../../src/feed/redis/inspect.ts";
import { checkAgainstModel } from "../contract/feed-log-model.ts";
import { feedLogContract } from "../contract/feed-log.ts";
import { redisLogsOf } from "../support/redis-logs.ts";
import { binaryOf, RedisServer } from "../support/redis-server.ts";
import { skippedBecause } from "../support/skipped.ts";

const binary = binaryOf("valkey-server");
const title = skippedBecause(
  binary === undefined ? "no valkey-server in the PATH: apt-get install valkey-server" : undefined,
);

describe.skipIf(binary === undefined)(`with a real Valkey${title}`, () => {
  let server: RedisServer;
  beforeAll(async () => {
    server = await RedisServer.startWith({ binary }, "--appendonly", "yes");
  });
  afterAll(() => server?.[Symbol.asyncDispose]());
  const open = redisLogsOf(() => server.url, { prefix: "contract" });

  feedLogContract("Valkey", open);

  test("the log does what a list of events and a map of objects would do", async () => {
    await expect(checkAgainstModel(open, 60)).resolves.toBeUndefined();
  });

  test("doctor's report names it", async () => {
    expect(await inspectRedis(server.url, "fsync", systemClock)).toMatchObject({
      product: expect.stringMatching(/^Valkey \d+\.\d+\.\d+$/),
      warnings: [],
    });
  });
});
