import type { EventConditions, Payload } from "../../schemas/subscription-schema.ts";

/** How events are delivered to one destination, whatever its type. */
export interface DeliveryOptions {
  readonly name: string;
  readonly conditions: EventConditions;
  readonly payload: Payload;
  /** Where it begins while it has no position: "now", "beginning", or what `parseSince` reads. */
  readonly from: string;
  /** strict: one send at a time, in the order of the log; per-subject: several, no two for the same object. */
  readonly ordering: "strict" | "per-subject";
  /** Sends at once with per-subject. */
  readonly inFlight: number;
  readonly batch: BatchLimits;
  readonly timeoutMs: number;
  readonly retry: RetrySchedule;
  /** Whether an event that the destination will never take becomes a dead letter, or holds its subject up. */
  readonly onPoison: "park" | "block";
  readonly formerName?: string | undefined;
}

interface BatchLimits {
  readonly maxEvents: number;
  readonly maxBytes: number;
  /** How long a batch that is not full waits for more. */
  readonly maxAgeMs: number;
}

/** The n-th wait is between 0 and firstMs · 2ⁿ⁻¹, at most mostMs. */
export interface RetrySchedule {
  readonly firstMs: number;
  readonly mostMs: number;
}
