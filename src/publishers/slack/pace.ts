import type { Clock } from "../../shared/clock.ts";

/** One after the other, with so many ms between them at least. */
export class Pace {
  readonly #clock: Clock;
  readonly #everyMs: number;
  #freeAt = Number.NEGATIVE_INFINITY;

  constructor(clock: Clock, everyMs: number) {
    this.#clock = clock;
    this.#everyMs = everyMs;
  }

  /** Rejects where `signal` aborts. */
  async turn(signal: AbortSignal): Promise<void> {
    const now = this.#clock.elapsed();
    const at = Math.max(now, this.#freeAt);
    this.#freeAt = at + this.#everyMs;
    if (at > now) await this.#clock.sleep(at - now, signal);
    signal.throwIfAborted();
  }
}
