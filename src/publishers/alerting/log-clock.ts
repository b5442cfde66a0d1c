import type { FeedLog } from "../../feed/log.ts";
import type { Clock } from "../../shared/clock.ts";

const COMPARE_EVERY_MS = 60_000;
/** Our clock was set where it went so much further, or less far, than time did. */
const SET_MS = 1_000;

/** The time by which events are dated: the log's, not this process's, whose clock may be set meanwhile. */
export class LogClock {
  readonly #log: Pick<FeedLog, "times">;
  readonly #clock: Clock;
  /** What the log's clock says more than the one that nobody sets; before the first comparison, what ours does. */
  #aheadMs: number;
  /** What ours said more then. */
  #ownAheadMs: number;
  #comparedAtMs = Number.NEGATIVE_INFINITY;

  constructor(log: Pick<FeedLog, "times">, clock: Clock) {
    this.#log = log;
    this.#clock = clock;
    this.#ownAheadMs = ownAheadMs(clock);
    this.#aheadMs = this.#ownAheadMs;
  }

  /** Ms since 1970. */
  now(): number {
    return this.#clock.elapsed() + this.#aheadMs;
  }

  /** Asks the log, unless it was asked lately and our clock, which may be the log's, was not set. @throws LogUnavailable */
  async compare(): Promise<void> {
    const isSet = Math.abs(ownAheadMs(this.#clock) - this.#ownAheadMs) > SET_MS;
    if (!isSet && this.#clock.elapsed() - this.#comparedAtMs < COMPARE_EVERY_MS) return;
    const { nowMs } = await this.#log.times();
    this.#aheadMs = nowMs - this.#clock.elapsed();
    this.#ownAheadMs = ownAheadMs(this.#clock);
    this.#comparedAtMs = this.#clock.elapsed();
  }
}

function ownAheadMs(clock: Clock): number {
  return clock.now() - clock.elapsed();
}
