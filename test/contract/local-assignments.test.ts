import { LocalAssignments } from "../../src/coordination/local/local-assignments.ts";
import { silentLogger } from "../../src/telemetry/logger.ts";
import { createMetrics } from "../../src/telemetry/metrics.ts";
import { coordinationContract } from "./coordination.ts";

coordinationContract(
  "One process",
  async ({ clock }) =>
    new LocalAssignments({
      worker: "me",
      logger: silentLogger(),
      metrics: createMetrics(),
      clock,
    }),
);
