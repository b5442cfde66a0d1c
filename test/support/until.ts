import { setTimeout as delay } from "node:timers/promises";
import type { TestClock } from "./test-clock.ts";

/** Only what hangs meets this. */
const WITHIN_MS = 150_000;

/**
 * Asks until the answer is neither undefined nor false; rejects after `withinMs`, saying what it waited for. Rests for
 * as long as an answer took, so that asking leaves time for what it waits for.
 */
export async function until<T>(
  what: string,
  ask: () => Promise<T | undefined | false> | T | undefined | false,
  withinMs = WITHIN_MS,
): Promise<T> {
  const deadline = Date.now() + withinMs;
  for (;;) {
    const askedAt = performance.now();
    const answer = await ask();
    if (answer !== undefined && answer !== false) return answer;
    if (Date.now() > deadline) throw new Error(`waited ${withinMs} ms in vain: ${what}`);
    await delay(Math.max(25, performance.now() - askedAt));
  }
}

/**
 * The same for what goes by a test's clock and by something real, such as Redis: each time it asks, `clock` goes on by
 * `stepMs`.
 */
export function untilBy(clock: TestClock, stepMs: number): typeof until {
  return (what, ask, withinMs) =>
    until(
      what,
      async () => {
        await clock.advance(stepMs);
        return ask();
      },
      withinMs,
    );
}
