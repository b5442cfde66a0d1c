import type { Clock } from "../../shared/clock.ts";

/** Sleep that somebody may end. */
export class Nap {
  readonly #clock: Clock;
  #waking = new AbortController();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Until `ms` are over, `wake` is called, or `signal` aborts. Never rejects. */
  async sleep(ms: number, signal: AbortSignal): Promise<void> {
    const onAbort = (): void => this.wake();
    signal.addEventListener("abort", onAbort, { once: true });
    if (signal.aborted) this.wake();
    await this.#clock.sleep(ms, this.#waking.signal);
    signal.removeEventListener("abort", onAbort);
    this.#waking = new AbortController();
  }

  /** Also of who is about to sleep. */
  wake(): void {
    this.#waking.abort();
  }
}
