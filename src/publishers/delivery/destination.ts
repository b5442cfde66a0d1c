import type { EventFacts } from "../../schemas/draft.ts";

/**
 * Where events go. It sends what it is given once and says how that went: order, retries, parking, the circuit and
 * metrics are the engine's.
 */
export interface Destination extends AsyncDisposable {
  /** Where it sends to, for people; never a secret: "https://hooks.example". */
  readonly target: string;
  /** What one `send` may hold beside what is configured. */
  readonly limits?: { readonly maxEvents?: number; readonly maxBytes?: number };
  /**
   * Sends the batch, in order. Resolves whatever the answer is. Rejects when `signal` aborts (the engine aborts at the
   * configured timeout and when it stops); any other rejection counts as retry. `traceparent`: where the send stands in its
   * trace, as W3C Trace Context writes it; absent: it is not recorded.
   */
  send(batch: readonly Outgoing[], signal: AbortSignal, traceparent?: string): Promise<SendResult>;
}

/** An event as it leaves; its `id` is the idempotency key. */
export interface Outgoing extends EventFacts {
  /** Null for what is not in the log: a notice of a gap, a test. */
  readonly sequence: number | null;
  readonly cursor: string | null;
  /** That of the event's envelope, "allocations/default/<id>" or "feed/jobs/default": what order is kept by. */
  readonly subject: string;
  /** One CloudEvents JSON object, as subscribers get it with the same `payload`. */
  readonly json: string;
}

/** poison, too-large: the event is parked. too-old: it is counted and passed over. The others open the circuit, the position stays. */
export type Refusal = "poison" | "too-large" | "too-old" | "gone" | "forbidden" | "config";

export type SendResult = (
  | { readonly outcome: "ok" }
  /** `which`: positions in the batch to send again; the others were taken. Absent: all. */
  | {
      readonly outcome: "retry";
      readonly reason: string;
      readonly afterMs?: number;
      readonly which?: readonly number[];
    }
  /**
   * `which`: the culprits; the others were taken. Absent: the answer does not say (the engine bisects a batch for
   * poison, too-large and too-old).
   */
  | {
      readonly outcome: "refused";
      readonly why: Refusal;
      readonly reason: string;
      readonly which?: readonly number[];
    }
) & { readonly exchange?: Exchange };

/** What went over the wire, for people: first KiB of each, without secrets. */
export interface Exchange {
  readonly request: string;
  readonly answer: string | null;
  readonly status?: number | undefined;
}
