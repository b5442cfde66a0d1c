const LONGEST_TIMER_MS = 2 ** 31 - 1;

/** Those who wait for an event beyond a sequence. */
export class Waiters {
  readonly #waiting = new Set<{ sequence: number; settle: (beyond: boolean) => void }>();

  get size(): number {
    return this.#waiting.size;
  }

  /** True once `wake` is told of a sequence beyond, false after `timeoutMs`, on abort and on `end`. */
  wait(sequence: number, options: { timeoutMs: number; signal?: AbortSignal }): Promise<boolean> {
    const { timeoutMs, signal } = options;
    if (signal?.aborted === true || timeoutMs <= 0) return Promise.resolve(false);
    return new Promise((resolve) => {
      const giveUp = () => settle(false);
      const timer = setTimeout(giveUp, Math.min(timeoutMs, LONGEST_TIMER_MS));
      const settle = (beyond: boolean) => {
        clearTimeout(timer);
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
