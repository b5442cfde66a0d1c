import type { Clock } from "../shared/clock.ts";
import type { Logger } from "../telemetry/logger.ts";
import type { Metrics } from "../telemetry/metrics.ts";
import { AgeCutoff } from "./age-cutoff.ts";
import { LogUnavailable } from "./errors.ts";
import type { FeedLog } from "./log.ts";

/** Whichever is exceeded first. Absent: no limit of that kind. */
export interface RetentionLimits {
  readonly maxEvents?: number;
  readonly maxBytes?: number;
  readonly maxAgeMs?: number;
}

export interface RetentionDeps {
  readonly logger: Logger;
  readonly metrics: Metrics;
  readonly signal: AbortSignal;
  readonly clock: Clock;
}

const TRIM_EVERY_MS = 30_000;

/** The assignment `trim`: keeps the log within its limits until `signal` aborts. Failures wait for the next round. */
export async function keepWithin(
  log: Pick<FeedLog, "trim" | "times">,
  limits: RetentionLimits,
  deps: RetentionDeps,
): Promise<void> {
  const { logger, metrics, signal, clock } = deps;
  const { maxAgeMs, ...others } = limits;
  const cutoff = maxAgeMs === undefined ? undefined : new AgeCutoff(maxAgeMs);
  let failing = false;
  while (!signal.aborted) {
    try {
      const { beforeMs, notice } = cutoff?.check(await log.times(), clock.elapsed()) ?? {};
      if (notice !== undefined) logger[notice.level](notice.text);
      const byAge = beforeMs === undefined ? {} : { recordedBeforeMs: beforeMs };
      const { floor, removed } = await log.trim({ ...others, ...byAge }, { signal });
      failing = false;
      metrics.logFloor.set(floor);
      if (removed > 0) logger.info({ removed, floor }, "retention removed the oldest events");
    } catch (error) {
      // While the log is away, those who have something to write say so.
      const level = failing || error instanceof LogUnavailable ? "debug" : "warn";
      failing = true;
      logger[level]({ err: error }, "retention cannot trim the log; retrying");
    }
    await clock.sleep(TRIM_EVERY_MS, signal);
  }
}
