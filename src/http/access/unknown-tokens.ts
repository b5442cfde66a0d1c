import type { Clock } from "../../shared/clock.ts";

const REMEMBERED_MS = 10_000;
const MAX_REMEMBERED = 10_000;

/**
 * Tokens that nobody knew when they were checked, by their hashes, so that the same one is not asked about again and
 * again. For some seconds only: it may be one that is just being made.
 */
export class UnknownTokens {
  readonly #clock: Pick<Clock, "elapsed">;
  /** Until when, in the order of it. */
  readonly #until = new Map<string, number>();

  constructor(clock: Pick<Clock, "elapsed">) {
    this.#clock = clock;
  }

  has(hash: string): boolean {
    return (this.#until.get(hash) ?? Number.NEGATIVE_INFINITY) > this.#clock.elapsed();
  }

  add(hash: string): void {
    const now = this.#clock.elapsed();
    this.#until.delete(hash);
    this.#until.set(hash, now + REMEMBERED_MS);
    for (const [old, untilMs] of this.#until) {
      if (untilMs > now && this.#until.size <= MAX_REMEMBERED) return;
      this.#until.delete(old);
    }
  }
}
