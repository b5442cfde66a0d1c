import { setTimeout as delay } from "node:timers/promises";
import type { Logger } from "../telemetry/logger.ts";
import type { Metrics } from "../telemetry/metrics.ts";
import { LogUnavailable } from "./errors.ts";
import type { FeedLog, RetentionLimits } from "./log.ts";

const TRIM_EVERY_MS = 30_000;

/** The duty of trimming the log: keeps it within its limits until `signal` aborts. Failures wait for the next round. */
export async function keepWithin(
  log: Pick<FeedLog, "trim">,
  limits: RetentionLimits,
  deps: { logger: Logger; metrics: Metrics; signal: AbortSignal; everyMs?: number },
): Promise<void> {
  const { logger, metrics, signal, everyMs = TRIM_EVERY_MS } = deps;
  let failing = false;
  while (!signal.aborted) {
    try {
      const { floor, removed } = await log.trim(limits, { signal });
      failing = false;
      metrics.logFloor.set(floor);
      if (removed > 0) logger.info({ removed, floor }, "retention removed the oldest events");
    } catch (error) {
      // While the log is away, those who have something to write say so.
      const level = failing || error instanceof LogUnavailable ? "debug" : "warn";
      failing = true;
      logger[level]({ err: error }, "retention could not trim the log; trying again at every round");
    }
    await delay(everyMs, undefined, { signal }).catch(() => undefined);
  }
}
