import type { Clock } from "../shared/clock.ts";
import type { Appended, WaitOptions } from "./log.ts";

interface Waiter {
  sequence: number;
  readonly take: WaitOptions["take"];
  readonly settle: (beyond: boolean) => void;
}

/** Those who wait for an event beyond a sequence. */
export class Waiters {
  readonly #clock: Pick<Clock, "after">;
  readonly #waiting = new Set<Waiter>();

  constructor(clock: Pick<Clock, "after">) {
    this.#clock = clock;
  }

  get size(): number {
    return this.#waiting.size;
  }

  /** True once `wake` is told of a sequence beyond, false after `timeoutMs`, on abort and on `end`. */
  wait(sequence: number, options: WaitOptions): Promise<boolean> {
    const { timeoutMs, signal, take } = options;
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
      const waiter: Waiter = { sequence, take, settle };
      this.#waiting.add(waiter);
      signal?.addEventListener("abort", giveUp, { once: true });
    });
  }

  /** Tells everybody that the newest event is number `head`, and hands over what was just appended. */
  wake(head: number, appended?: Appended): void {
    for (const waiter of this.#waiting) {
      if (appended !== undefined && takes(waiter, appended)) waiter.sequence += appended.entries.length;
      if (waiter.sequence < head) waiter.settle(true);
    }
  }

  end(): void {
    for (const waiter of this.#waiting) waiter.settle(false);
  }
}

function takes({ sequence, take }: Waiter, appended: Appended): boolean {
  if (take === undefined || appended.after.sequence !== sequence) return false;
  try {
    return take(appended);
  } catch {
    // What was committed stays committed. The waiter reads it, meets the same error and tells it.
    return false;
  }
}
