import { describe, expect, test } from "vitest";
import { redisLogsOf } from "../support/redis-logs.ts";
import { sharedRedis } from "../support/shared-redis.ts";
import { checkAgainstModel } from "./feed-log-model.ts";
import { feedLogContract } from "./feed-log.ts";
import { eventPagesContract } from "./event-pages.ts";
import { consistentReadContract } from "./consistent-reads.ts";

const { redisUrl, missing } = await sharedRedis();
// A Redis that others use too may hold the feeds of an earlier run.
const runId = Date.now().toString(36);

describe.skipIf(redisUrl === undefined)(`with a real Redis${missing}`, () => {
  const open = redisLogsOf(redisUrl ?? "", { prefix: runId });

  feedLogContract("Redis", open);
  consistentReadContract("Redis", open);
  eventPagesContract("Redis", open);

  test("the Redis log does what a list of events and a map of objects would do", async () => {
    await expect(checkAgainstModel(open, 60)).resolves.toBeUndefined();
  });
});
