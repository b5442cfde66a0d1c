import { describe } from "vitest";
import { openSharedAssignments } from "../../src/coordination/bullmq/open.ts";
import { silentLogger } from "../../src/telemetry/logger.ts";
import { createMetrics } from "../../src/telemetry/metrics.ts";
import { sharedRedis } from "../support/shared-redis.ts";
import { coordinationContract } from "./coordination.ts";

const { redisUrl, missing } = await sharedRedis();
const runId = Date.now().toString(36);
let feeds = 0;

describe.skipIf(redisUrl === undefined)(`with a real Redis${missing}`, () => {
  coordinationContract("BullMQ", async ({ clock }) =>
    openSharedAssignments({
      url: `${redisUrl ?? ""}?feed=${runId}-${(feeds += 1)}`,
      worker: "me",
      timeoutMs: 3000,
      logger: silentLogger(),
      metrics: createMetrics(),
      clock,
    }),
  );
});
