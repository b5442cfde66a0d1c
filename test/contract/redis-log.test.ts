import { afterAll, describe, expect, test } from "vitest";
import { redisLogsOf } from "../support/redis-logs.ts";
import { findRedis } from "../support/redis-server.ts";
import { checkAgainstModel } from "./feed-log-model.ts";
import { feedLogContract } from "./feed-log.ts";

const redis = await findRedis();
const runId = Date.now().toString(36);

if (typeof redis === "string") {
  test.skip(`the Redis log: ${redis}`, () => expect(redis).toBe(""));
} else {
  afterAll(() => redis[Symbol.asyncDispose]());
  const open = redisLogsOf(redis.url, { prefix: runId });

  feedLogContract("Redis", open);

  describe("the Redis log", () => {
    test("does what a list of events and a map of objects would do", async () => {
      await expect(checkAgainstModel(open, 60)).resolves.toBeUndefined();
    }, 60_000);
  });
}
