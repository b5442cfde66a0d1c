import type { Pace } from "./endings.ts";
import { LONGEST_TIMER_MS } from "./longest-timer.ts";

/** Longest wait for a server that is only on its way back. */
const SOON_MS = 5000;
/** How many times longer the waits are where the server has trouble. */
const LATER = 4;

export interface RetryOptions {
  /** Most that the first wait takes; each further one may take twice as long. Default 500. */
  readonly baseMs?: number;
  /** Most that any wait takes, but for what the server asks. Default 30000. */
  readonly maxMs?: number;
}

/** How long to wait before the next connection: full jitter, so that not all come back at once. */
export class Retry {
  readonly #baseMs: number;
  readonly #maxMs: number;
  readonly #random: () => number;
  #failures = 0;

  constructor({ baseMs = 500, maxMs = 30_000 }: RetryOptions, random: () => number = Math.random) {
    this.#baseMs = baseMs;
    this.#maxMs = maxMs;
    this.#random = random;
  }

  next(pace: Pace, atLeastMs: number): number {
    if (pace === "now") return 0;
    const grown = this.#baseMs * 2 ** Math.min(this.#failures, 30);
    const ceilingMs = pace === "soon" ? Math.min(grown, SOON_MS) : grown * LATER;
    this.#failures += 1;
    return atLeastMs + Math.round(this.#random() * Math.min(ceilingMs, this.#maxMs));
  }

  /** After something came. */
  reset(): void {
    this.#failures = 0;
  }
}

/** Resolves after `ms`, or at once when `signal` aborts; never rejects, leaves nothing. */
export async function sleep(ms: number, signal: AbortSignal): Promise<void> {
  if (signal.aborted) return;
  await new Promise<void>((resolve) => {
    const finish = () => {
      clearTimeout(timer);
      signal.removeEventListener("abort", finish);
      resolve();
    };
    let leftMs = ms;
    const wait = () => {
      const stepMs = Math.min(leftMs, LONGEST_TIMER_MS);
      leftMs -= stepMs;
      return setTimeout(() => {
        if (leftMs > 0) timer = wait();
        else finish();
      }, stepMs);
    };
    let timer = wait();
    signal.addEventListener("abort", finish);
  });
}
