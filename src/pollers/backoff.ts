import { NomadError } from "../nomad/errors.ts";
import type { ChangefeedError } from "../schemas/errors.ts";

/** A server's Retry-After is heeded up to here. */
const MAX_RETRY_AFTER_MS = 60_000;
/** Nothing changes by asking a server sooner that says the request is wrong, ms. */
const REFUSED_RETRY_MS = 1_000;

/**
 * Exponential backoff with full jitter: the n-th delay is uniform between the floor and `baseMs · 2ⁿ`, capped.
 * `reset` after something worked.
 */
export class Backoff {
  readonly #baseMs: number;
  readonly #maxMs: number;
  readonly #random: () => number;
  #failures = 0;

  constructor(options: { baseMs: number; maxMs: number; random: () => number }) {
    this.#baseMs = options.baseMs;
    this.#maxMs = options.maxMs;
    this.#random = options.random;
  }

  /** How often in a row it failed. */
  get failures(): number {
    return this.#failures;
  }

  /** Ms to wait now; never less than `floorMs` (a server's Retry-After). */
  next(floorMs = 0): number {
    const ceiling = Math.min(this.#maxMs, this.#baseMs * 2 ** Math.min(this.#failures, 30));
    this.#failures += 1;
    return floorMs + Math.round(this.#random() * Math.max(ceiling, 1));
  }

  reset(): void {
    this.#failures = 0;
  }
}

/** How long at least to wait after an error of a query, ms. */
export function shortestRetryMs(error: ChangefeedError): number {
  const asked = error instanceof NomadError ? (error.retryAfterMs ?? 0) : 0;
  const retryAfterMs = Math.min(asked, MAX_RETRY_AFTER_MS);
  return error.retryable ? retryAfterMs : Math.max(retryAfterMs, REFUSED_RETRY_MS);
}
