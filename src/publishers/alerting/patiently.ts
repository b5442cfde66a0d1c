import { LogUnavailable } from "../../feed/errors.ts";
import type { Clock } from "../../shared/clock.ts";

const RETRY_MS = 1000;

/** Does the work; while the log is away it is tried again, until `signal` aborts. */
export async function patiently(clock: Clock, signal: AbortSignal, work: () => Promise<void>): Promise<void> {
  for (;;) {
    try {
      return await work();
    } catch (error) {
      if (!(error instanceof LogUnavailable)) throw error;
      await clock.sleep(RETRY_MS, signal);
      if (signal.aborted) return;
    }
  }
}
