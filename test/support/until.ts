import { setTimeout as delay } from "node:timers/promises";

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
