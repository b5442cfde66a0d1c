import { monitorEventLoopDelay } from "node:perf_hooks";

/** How long the event loop stood still at most while `work` was going on. */
export async function longestStallMs(work: () => Promise<unknown>): Promise<number> {
  const delay = monitorEventLoopDelay({ resolution: 1 });
  delay.enable();
  await work();
  delay.disable();
  return delay.max / 1e6;
}
