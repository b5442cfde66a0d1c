import { afterAll, describe } from "vitest";
import { openSharedAssignments } from "../../src/coordination/bullmq/open.ts";
import { silentLogger } from "../../src/telemetry/logger.ts";
import { createMetrics } from "../../src/telemetry/metrics.ts";
import { findRedis } from "../support/redis-server.ts";
import { skippedBecause } from "../support/skipped.ts";
import { coordinationContract } from "./coordination.ts";

const found = await findRedis();
const redis = typeof found === "string" ? undefined : found;
const missing = skippedBecause(typeof found === "string" ? found : undefined);
const runId = Date.now().toString(36);
let feeds = 0;

describe.skipIf(redis === undefined)(`with a real Redis${missing}`, () => {
  afterAll(() => redis?.[Symbol.asyncDispose]());

  coordinationContract("BullMQ", async ({ restMs }) =>
    openSharedAssignments({
      url: `${redis?.url ?? ""}?feed=${runId}-${(feeds += 1)}`,
      worker: "me",
      timeoutMs: 3000,
      logger: silentLogger(),
      metrics: createMetrics(),
      restMs,
    }),
  );
});
