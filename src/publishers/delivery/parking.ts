import { DeadLettersFull, LogUnavailable } from "../../feed/errors.ts";
import type { DeadLetterStore } from "../../feed/log.ts";
import { parseCursor } from "../../schemas/cursor.ts";
import type { Clock } from "../../shared/clock.ts";
import { consumerOf } from "./position.ts";
import type { Pending } from "./window.ts";

const RETRY_MS = 500;

export interface ParkingDeps {
  readonly log: { readonly deadLetters: DeadLetterStore };
  readonly name: string;
  readonly clock: Clock;
}

/**
 * Makes an event that the destination will not take a dead letter. "full": there are too many already. "unparked": it
 * has no place in the log to be named by, and only a log line can tell of it. Undefined once `signal` aborts.
 */
export async function park(
  { event, attempts }: Pending,
  reason: string,
  { log, name, clock }: ParkingDeps,
  signal: AbortSignal,
): Promise<"parked" | "unparked" | "full" | undefined> {
  const cursor = parseCursor(event.cursor ?? "");
  if (cursor === undefined) return "unparked";
  while (!signal.aborted) {
    try {
      await log.deadLetters.put(consumerOf(name), {
        cursor,
        id: event.id,
        json: event.json,
        reason,
        attempts,
      });
      return "parked";
    } catch (error) {
      if (error instanceof DeadLettersFull) return "full";
      if (!(error instanceof LogUnavailable)) throw error;
      await clock.sleep(RETRY_MS, signal);
    }
  }
  return undefined;
}
