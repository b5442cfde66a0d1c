import { DeadLettersFull, LogUnavailable } from "../../feed/errors.ts";
import type { DeadLetterStore } from "../../feed/log.ts";
import { parseCursor } from "../../schemas/cursor.ts";
import type { Clock } from "../../shared/clock.ts";
import type { Logger } from "../../telemetry/logger.ts";
import { consumerOf } from "./position.ts";
import type { Pending } from "./window.ts";

const RETRY_MS = 500;

export interface ParkingDeps {
  readonly log: { readonly deadLetters: DeadLetterStore };
  readonly name: string;
  readonly clock: Clock;
  readonly logger: Logger;
}

/**
 * Makes an event that the destination will not take a dead letter. "full": there are too many already. "unparked": it
 * has no place in the log to be named by, and only the log line tells of it. Undefined once `signal` aborts.
 */
export async function park(
  { event, attempts }: Pending,
  reason: string,
  { log, name, clock, logger }: ParkingDeps,
  signal: AbortSignal,
): Promise<"parked" | "unparked" | "full" | undefined> {
  const cursor = parseCursor(event.cursor ?? "");
  const line = { destination: name, id: event.id, reason };
  if (cursor === undefined) {
    logger.warn(line, "destination refuses a notice; going on without it");
    return "unparked";
  }
  while (!signal.aborted) {
    try {
      await log.deadLetters.put(consumerOf(name), {
        cursor,
        id: event.id,
        json: event.json,
        reason,
        attempts,
      });
      logger.warn(line, "destination refuses an event; it is among the dead letters now");
      return "parked";
    } catch (error) {
      if (error instanceof DeadLettersFull) return "full";
      if (!(error instanceof LogUnavailable)) throw error;
      await clock.sleep(RETRY_MS, signal);
    }
  }
  return undefined;
}
