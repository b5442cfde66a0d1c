import type { FeedLog } from "../../feed/log.ts";
import type { Clock } from "../../shared/clock.ts";

const COMPARE_EVERY_MS = 60_000;

/** The time by which events are dated: the log's, not this process's. */
export class LogClock {
  readonly #log: Pick<FeedLog, "times">;
  readonly #clock: Clock;
  /** What the log's clock says more than ours. */
  #aheadMs = 0;
  #comparedAtMs = Number.NEGATIVE_INFINITY;

  constructor(log: Pick<FeedLog, "times">, clock: Clock) {
    this.#log = log;
    this.#clock = clock;
  }

  /** Ms since 1970. */
  now(): number {
    return this.#clock.now() + this.#aheadMs;
  }

  /** Asks the log, unless it was asked lately. @throws LogUnavailable */
  async compare(): Promise<void> {
    if (this.#clock.elapsed() - this.#comparedAtMs < COMPARE_EVERY_MS) return;
    const { nowMs } = await this.#log.times();
    this.#aheadMs = nowMs - this.#clock.now();
    this.#comparedAtMs = this.#clock.elapsed();
  }
}
