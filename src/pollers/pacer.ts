import type { Clock } from "./clock.ts";

/**
 * Token bucket between polls of one scope: a burst of changes is followed at once, steady churn at no more than
 * `perSecond` polls, and a large list takes as many tokens as it is long.
 */
export class Pacer {
  readonly #clock: Clock;
  readonly #perSecond: number;
  readonly #burst: number;
  #tokens: number;
  #filledAt: number;

  constructor(clock: Clock, options: { perSecond: number; burst: number }) {
    this.#clock = clock;
    this.#perSecond = options.perSecond;
    this.#burst = options.burst;
    this.#tokens = options.burst;
    this.#filledAt = clock.elapsed();
  }

  /** Pays for a poll whose answer had `bodyBytes`. */
  spend(bodyBytes: number): void {
    this.#fill();
    this.#tokens -= 1 + bodyBytes / BYTES_PER_TOKEN;
  }

  /** Waits until the next poll may start. */
  async ready(signal: AbortSignal): Promise<void> {
    this.#fill();
    if (this.#tokens < 0) await this.#clock.sleep((-this.#tokens / this.#perSecond) * 1000, signal);
  }

  #fill(): void {
    const now = this.#clock.elapsed();
    const earned = (Math.max(0, now - this.#filledAt) / 1000) * this.#perSecond;
    this.#tokens = Math.min(this.#burst, this.#tokens + earned);
    this.#filledAt = now;
  }
}

const BYTES_PER_TOKEN = 1024 * 1024;
