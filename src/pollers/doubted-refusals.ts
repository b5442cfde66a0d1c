import type { Clock } from "../shared/clock.ts";

const DOUBTED_FOR_MS = 10_000;
/** So many in a row are doubted, however long it takes until they came. */
const DOUBTED_AT_LEAST = 2;

/**
 * Refusals in a row, of what was allowed before, that are not believed yet: a server of Nomad that stops refuses whoever
 * asks, and one that has just started refuses everybody until it has read its own state, for up to five seconds.
 */
export class DoubtedRefusals {
  readonly #clock: Pick<Clock, "elapsed">;
  readonly #forMs: number;
  #count = 0;
  #sinceMs = 0;

  /** `forMs`: those that come within so long of the first are doubted. */
  constructor(clock: Pick<Clock, "elapsed">, forMs = DOUBTED_FOR_MS) {
    this.#clock = clock;
    this.#forMs = forMs;
  }

  /** Whether one more is doubted. */
  doubts(): boolean {
    const now = this.#clock.elapsed();
    if (this.#count === 0) this.#sinceMs = now;
    this.#count += 1;
    return this.#count <= DOUBTED_AT_LEAST || now - this.#sinceMs < this.#forMs;
  }

  /** It was allowed again; or it failed otherwise: what was away in between may have started only now. */
  reset(): void {
    this.#count = 0;
  }
}
