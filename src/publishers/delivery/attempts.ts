import type { Attempt } from "../../schemas/delivery-schema.ts";
import type { SendResult } from "./destination.ts";

const KEPT = 20;
const MAX_CHARACTERS = 1024;

/** A send, when it was begun (ms since 1970), and how long it took. */
export interface Sent {
  readonly events: number;
  readonly firstId: string | null;
  readonly result: SendResult;
  readonly atMs: number;
  readonly ms: number;
}

/** The last sends to a destination, for people; put into words only when somebody asks. */
export class Attempts {
  readonly #kept: Sent[] = [];

  /** Newest first. */
  list(): Attempt[] {
    return this.#kept.toReversed().map(attemptOf);
  }

  add(sent: Sent): void {
    this.#kept.push(sent);
    if (this.#kept.length > KEPT) this.#kept.shift();
  }
}

export function attemptOf({ events, firstId, result, atMs, ms }: Sent): Attempt {
  const { outcome, exchange } = result;
  return {
    at: new Date(atMs).toISOString(),
    ms: Math.max(0, Math.round(ms)),
    events,
    firstId,
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
