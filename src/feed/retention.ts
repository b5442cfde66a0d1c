import type { Clock } from "../shared/clock.ts";
import type { Logger } from "../telemetry/logger.ts";
import type { Metrics } from "../telemetry/metrics.ts";
import { AgeCutoff } from "./age-cutoff.ts";
import { LogUnavailable } from "./errors.ts";
import type { TrimLimits } from "./log.ts";
import { RetentionWait, type AwaitedReader, type TrimBounds, type WaitingLog } from "./retention-wait.ts";

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
  /** Absent: it waits for nobody. */
  readonly after?: AwaitedReader | undefined;
}

const TRIM_EVERY_MS = 30_000;
/** While it waits for a reader, the log may grow to so many times each limit. */
const WAITING_FACTOR = 2;

/** The assignment `trim`: keeps the log within its limits until `signal` aborts. Failures wait for the next round. */
export async function keepWithin(
  log: WaitingLog,
  limits: RetentionLimits,
  deps: RetentionDeps,
): Promise<void> {
  const { logger, metrics, signal, clock } = deps;
  const { maxAgeMs } = limits;
  const cutoff = maxAgeMs === undefined ? undefined : new AgeCutoff(maxAgeMs);
  const wait = deps.after === undefined ? undefined : new RetentionWait(deps.after, deps);
  let failing = false;
  while (!signal.aborted) {
    try {
      const { beforeMs, notice } = cutoff?.check(await log.times(), clock.elapsed()) ?? {};
      if (notice !== undefined) logger[notice.level](notice.text);
      const bounds = boundsOf(limits, beforeMs);
      const trimmed = wait?.trim(log, bounds) ?? log.trim(bounds.limits, { signal });
      const { floor, removed } = await trimmed;
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

/** `beforeMs`: what was recorded earlier is too old. */
function boundsOf(
  { maxEvents, maxBytes, maxAgeMs }: RetentionLimits,
  beforeMs: number | undefined,
): TrimBounds {
  const times = (factor: number): TrimLimits => ({
    ...(maxEvents !== undefined && { maxEvents: factor * maxEvents }),
    ...(maxBytes !== undefined && { maxBytes: factor * maxBytes }),
    ...(maxAgeMs !== undefined &&
      beforeMs !== undefined && { recordedBeforeMs: beforeMs - (factor - 1) * maxAgeMs }),
  });
  return { limits: times(1), bound: times(WAITING_FACTOR) };
}
