import { setTimeout as delay } from "node:timers/promises";

/** Time, handed in to whatever waits or measures, so that a test can move it by hand. */
export interface Clock {
  /** Milliseconds since 1970; somebody may set it, also back. For what is shown or stored. */
  now(): number;
  /** Milliseconds on a clock that nobody sets. For intervals. */
  elapsed(): number;
  /** Resolves after `ms`, or at once when `signal` aborts; never rejects. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
  /** Calls `run` once after `ms`, unless the returned function is called before. Keeps no process alive. */
  after(ms: number, run: () => void): () => void;
  /**
   * Lets everything else that waits for the event loop run first. Of several who yielded, one goes on before what came
   * in meanwhile has its turn again: work in slices, however many do it, holds others up for one slice.
   */
  yield(): Promise<void>;
}

/** Node fires longer timers at once. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;

/** What is due already comes at once: Node would write a line about it among those of the log, which are JSON. */
function timerMs(ms: number): number {
  return Math.min(Math.max(0, ms), LONGEST_TIMER_MS);
}

/** Calls `run` every `ms` until the returned function is called. Keeps no process alive. */
export function every(clock: Pick<Clock, "after">, ms: number, run: () => void): () => void {
  const next = () => clock.after(ms, onTime);
  const onTime = () => {
    cancel = next();
    run();
  };
  let cancel = next();
  return () => cancel();
}

/** A signal that aborts after `ms` with an error that says so, unless it is disposed of before. */
export function deadlineOf(
  clock: Pick<Clock, "after">,
  ms: number,
): { readonly signal: AbortSignal } & Disposable {
  const passed = new AbortController();
  const cancel = clock.after(ms, () => passed.abort(new Error(`nothing within ${ms} ms`)));
  return { signal: passed.signal, [Symbol.dispose]: cancel };
}

const yielded: (() => void)[] = [];

function resumeOne(): void {
  yielded.shift()?.();
  if (yielded.length > 0) setImmediate(resumeOne);
}

export const systemClock: Clock = {
  now: () => Date.now(),
  elapsed: () => performance.now(),
  sleep: async (ms, signal) => {
    // Aborting is the caller's news to notice, not an error of the sleep.
    await delay(timerMs(ms), undefined, { signal }).catch(() => undefined);
  },
  after: (ms, run) => {
    const timer = setTimeout(run, timerMs(ms)).unref();
    return () => clearTimeout(timer);
  },
  yield: () =>
    new Promise((resolve) => {
      if (yielded.push(resolve) === 1) setImmediate(resumeOne);
    }),
};
