import type { Attempt } from "../../schemas/delivery-schema.ts";
import type { Outgoing, SendResult } from "./destination.ts";

const KEPT = 20;
const MAX_CHARACTERS = 1024;

/** The last sends to a destination, for people. */
export class Attempts {
  readonly #kept: Attempt[] = [];

  /** Newest first. */
  list(): Attempt[] {
    return this.#kept.toReversed();
  }

  add(attempt: Attempt): void {
    this.#kept.push(attempt);
    if (this.#kept.length > KEPT) this.#kept.shift();
  }
}

/** `atMs` since 1970. */
export function attemptOf(
  batch: readonly Outgoing[],
  result: SendResult,
  { atMs, ms }: { readonly atMs: number; readonly ms: number },
): Attempt {
  const { outcome, exchange } = result;
  return {
    at: new Date(atMs).toISOString(),
    ms: Math.max(0, Math.round(ms)),
    events: batch.length,
    firstId: batch[0]?.id ?? null,
    outcome,
    why: outcome === "refused" ? result.why : null,
    reason: outcome === "ok" ? null : result.reason,
    status: exchange?.status ?? null,
    request: cut(exchange?.request),
    answer: cut(exchange?.answer),
  };
}

function cut(text: string | null | undefined): string | null {
  return text?.slice(0, MAX_CHARACTERS) ?? null;
}
