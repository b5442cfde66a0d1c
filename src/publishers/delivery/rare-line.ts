import type { Clock } from "../../shared/clock.ts";

const AT_MOST_EVERY_MS = 30_000;

/** Says of the first at once, and of those that follow only now and then, and how many there were. */
export class RareLine {
  readonly #clock: Pick<Clock, "elapsed">;
  #notBeforeMs = Number.NEGATIVE_INFINITY;
  #unsaid = 0;

  constructor(clock: Pick<Clock, "elapsed">) {
    this.#clock = clock;
  }

  /** Calls `say` with how many were not said before this one, unless this is not to be said either. */
  offer(say: (unsaid: number) => void): void {
    const now = this.#clock.elapsed();
    if (now < this.#notBeforeMs) {
      this.#unsaid += 1;
      return;
    }
    say(this.#unsaid);
    this.#unsaid = 0;
    this.#notBeforeMs = now + AT_MOST_EVERY_MS;
  }
}
