import { describe } from "vitest";
import { redisLogsOf } from "../support/redis-logs.ts";
import { sharedRedis } from "../support/shared-redis.ts";
import { openTemporarySqliteLog } from "../support/sqlite-files.ts";
import { pastStatesContract } from "./past-states.ts";

const { redisUrl, missing } = await sharedRedis();

pastStatesContract("SQLite", openTemporarySqliteLog, { runs: 40 });

describe.skipIf(redisUrl === undefined)(`with a real Redis${missing}`, () => {
  const open = redisLogsOf(redisUrl ?? "", { prefix: `past-${Date.now().toString(36)}` });
  pastStatesContract("Redis", open, { runs: 12 });
});
