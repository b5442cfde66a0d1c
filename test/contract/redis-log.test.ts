import { afterAll, describe, expect, test } from "vitest";
import { redisLogsOf } from "../support/redis-logs.ts";
import { findRedis } from "../support/redis-server.ts";
import { skippedBecause } from "../support/skipped.ts";
import { checkAgainstModel } from "./feed-log-model.ts";
import { feedLogContract } from "./feed-log.ts";
import { consistentReadContract } from "./consistent-reads.ts";

const found = await findRedis();
const redis = typeof found === "string" ? undefined : found;
const missing = skippedBecause(typeof found === "string" ? found : undefined);
// A Redis that others use too may hold the feeds of an earlier run.
const runId = Date.now().toString(36);

describe.skipIf(redis === undefined)(`with a real Redis${missing}`, () => {
  afterAll(() => redis?.[Symbol.asyncDispose]());
  const open = redisLogsOf(redis?.url ?? "", { prefix: runId });

  feedLogContract("Redis", open);
  consistentReadContract("Redis", open);

  test("the Redis log does what a list of events and a map of objects would do", async () => {
    await expect(checkAgainstModel(open, 60)).resolves.toBeUndefined();
  });
});
