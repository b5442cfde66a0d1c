import { setImmediate as immediate, setTimeout as delay } from "node:timers/promises";

/** Time as the pollers see it, so that tests can hand in their own. */
export interface Clock {
  /** Milliseconds since 1970. */
  now(): number;
  /** Milliseconds on a clock that nobody sets: for durations. */
  elapsed(): number;
  /** Resolves after `ms`, or at once when `signal` aborts; never rejects. */
  sleep(ms: number, signal: AbortSignal): Promise<void>;
  /** Lets everything else that waits for the event loop run first. */
  yield(): Promise<void>;
}

/**
 * Does work that yields between its slices, letting others run in each pause; `onMove` is told of every slice.
 * Rejects with the signal's reason when it aborts in between.
 */
export async function inSlices<T>(
  steps: Generator<void, T>,
  pause: { clock: Clock; onMove: () => void; signal: AbortSignal },
): Promise<T> {
  const { clock, onMove, signal } = pause;
  for (;;) {
    signal.throwIfAborted();
    onMove();
    const step = steps.next();
    if (step.done === true) return step.value;
    await clock.yield();
  }
}

/** Node fires longer timers at once. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;

export const systemClock: Clock = {
  now: () => Date.now(),
  elapsed: () => performance.now(),
  sleep: async (ms, signal) => {
    // Aborting is the caller's news to notice, not an error of the sleep.
    await delay(Math.min(ms, LONGEST_TIMER_MS), undefined, { signal }).catch(() => undefined);
  },
  yield: () => immediate(),
};
