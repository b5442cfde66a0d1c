import type { Clock } from "./clock.ts";

/** So many tokens at once, and then so many a second. */
export class TokenBucket {
  readonly #perSecond: number;
  readonly #burst: number;
  readonly #clock: Pick<Clock, "elapsed">;
  #tokens: number;
  #filledAtMs: number;

  constructor({ perSecond, burst }: { perSecond: number; burst: number }, clock: Pick<Clock, "elapsed">) {
    this.#perSecond = perSecond;
    this.#burst = burst;
    this.#clock = clock;
    this.#tokens = burst;
    this.#filledAtMs = clock.elapsed();
  }

  /** Takes one, if there is one. */
  tryTake(): boolean {
    this.#fill();
    if (this.#tokens < 1) return false;
    this.#tokens -= 1;
    return true;
  }

  /** Takes what has been used already, also more than there is: the rest is owed. */
  spend(tokens: number): void {
    this.#fill();
    this.#tokens -= tokens;
  }

  /** How long until nothing is owed, in ms. */
  get debtMs(): number {
    this.#fill();
    return Math.max(0, (-this.#tokens / this.#perSecond) * 1000);
  }

  #fill(): void {
    const nowMs = this.#clock.elapsed();
    const earned = ((nowMs - this.#filledAtMs) / 1000) * this.#perSecond;
    this.#tokens = Math.min(this.#burst, this.#tokens + earned);
    this.#filledAtMs = nowMs;
  }
}
