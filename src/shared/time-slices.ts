import type { Clock } from "./clock.ts";

/** How long everybody else waits for one slice. */
const SLICE_MS = 2;

/** Does work whose steps take less than that each, and lets everybody else go first after each slice. */
export async function inTimeSlices<T>(
  steps: Generator<void, T>,
  clock: Pick<Clock, "elapsed" | "yield">,
): Promise<T> {
  let endsAt = clock.elapsed() + SLICE_MS;
  for (;;) {
    const step = steps.next();
    if (step.done === true) return step.value;
    if (clock.elapsed() < endsAt) continue;
    await clock.yield();
    endsAt = clock.elapsed() + SLICE_MS;
  }
}
