import type { Clock } from "../shared/clock.ts";

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
