import type { Config } from "../config/config.ts";
import type { Coordination } from "../coordination/coordination.ts";
import { LocalAssignments } from "../coordination/local/local-assignments.ts";
import type { Clock } from "../shared/clock.ts";
import type { Logger } from "../telemetry/logger.ts";
import type { Metrics } from "../telemetry/metrics.ts";

/** Who does what: this process everything, or all that share it. */
export async function coordinationOf(
  { feed, workers }: Config,
  deps: { worker: string; logger: Logger; metrics: Metrics; clock: Clock },
): Promise<Coordination> {
  if (workers.kind === "local" || feed.kind !== "redis") return new LocalAssignments(deps);
  // Loaded where it is asked for: one process needs none of it.
  const { openSharedAssignments } = await import("../coordination/bullmq/open.ts");
  return openSharedAssignments({ ...deps, url: feed.url, timeoutMs: workers.timeoutMs });
}
