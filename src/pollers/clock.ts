import { setImmediate as immediate, setTimeout as delay } from "node:timers/promises";

/** Time as the pollers see it, so that tests can hand in their own. */
export interface Clock {
  /** Milliseconds since 1970. */
  now(): number;
  /** Resolves after `ms`, or at once when `signal` aborts; never rejects. */
  sleep(ms: number, signal: AbortSignal): Promise<void>;
  /** Lets everything else that waits for the event loop run first. */
  breathe(): Promise<void>;
}

export const systemClock: Clock = {
  now: () => Date.now(),
  sleep: async (ms, signal) => {
    // Aborting is the caller's news to notice, not an error of the sleep.
    await delay(ms, undefined, { signal }).catch(() => undefined);
  },
  breathe: () => immediate(),
};
