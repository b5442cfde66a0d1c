import type { Clock } from "../shared/clock.ts";

/** Those who wait for an event beyond a sequence. */
export class Waiters {
  readonly #clock: Pick<Clock, "after">;
  readonly #waiting = new Set<{ sequence: number; settle: (beyond: boolean) => void }>();

  constructor(clock: Pick<Clock, "after">) {
    this.#clock = clock;
  }

  get size(): number {
    return this.#waiting.size;
  }

  /** True once `wake` is told of a sequence beyond, false after `timeoutMs`, on abort and on `end`. */
  wait(sequence: number, options: { timeoutMs: number; signal?: AbortSignal }): Promise<boolean> {
    const { timeoutMs, signal } = options;
    if (signal?.aborted === true || timeoutMs <= 0) return Promise.resolve(false);
    return new Promise((resolve) => {
      const giveUp = () => settle(false);
      const stopTimer = this.#clock.after(timeoutMs, giveUp);
      const settle = (beyond: boolean) => {
        stopTimer();
        signal?.removeEventListener("abort", giveUp);
        this.#waiting.delete(waiter);
        resolve(beyond);
      };
      const waiter = { sequence, settle };
      this.#waiting.add(waiter);
      signal?.addEventListener("abort", giveUp, { once: true });
    });
  }

  /** Tells everybody that the newest event is number `head`. */
  wake(head: number): void {
    for (const waiter of this.#waiting) if (waiter.sequence < head) waiter.settle(true);
  }

  end(): void {
    for (const waiter of this.#waiting) waiter.settle(false);
  }
}
