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
