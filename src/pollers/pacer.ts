import type { Clock } from "../shared/clock.ts";
import { TokenBucket } from "../shared/token-bucket.ts";

const BYTES_PER_TOKEN = 1024 * 1024;

/**
 * Between polls of one scope: a burst of changes is followed at once, steady churn at no more than `perSecond` polls,
 * and a large list takes as many tokens as it is long.
 */
export class Pacer {
  readonly #clock: Clock;
  readonly #bucket: TokenBucket;

  constructor(clock: Clock, options: { perSecond: number; burst: number }) {
    this.#clock = clock;
    this.#bucket = new TokenBucket(options, clock);
  }

  /** Pays for a poll whose answer had `bodyBytes`. */
  spend(bodyBytes: number): void {
    this.#bucket.spend(1 + bodyBytes / BYTES_PER_TOKEN);
  }

  /** Waits until the next poll may start. */
  async ready(signal: AbortSignal): Promise<void> {
    const { debtMs } = this.#bucket;
    if (debtMs > 0) await this.#clock.sleep(debtMs, signal);
  }
}
