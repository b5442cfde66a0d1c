import { Backoff } from "../shared/backoff.ts";
import type { Clock } from "../shared/clock.ts";
import { ChangefeedError } from "../schemas/errors.ts";
import type { Logger } from "../telemetry/logger.ts";

export interface Waiting {
  readonly logger: Logger;
  readonly signal: AbortSignal;
  readonly clock: Clock;
  /** 0 to 1, for jitter. */
  readonly random: () => number;
}

const REMIND_EVERY_MS = 60_000;

/**
 * Asks something at the start until it answers, with growing pauses; says what keeps it at once and every minute.
 * Rejects with errors that do not pass by themselves, and with the signal's reason.
 */
export async function untilItAnswers<T>(
  ask: () => Promise<T>,
  options: Waiting & {
    readonly isPassing: (error: ChangefeedError) => boolean;
    readonly say: (message: string) => string;
  },
): Promise<T> {
  const { logger, signal, clock, random, isPassing, say } = options;
  const backoff = new Backoff({ baseMs: 500, maxMs: 5_000, random });
  let saidAtMs = Number.NEGATIVE_INFINITY;
  for (;;) {
    signal.throwIfAborted();
    try {
      return await ask();
    } catch (error) {
      signal.throwIfAborted();
      if (!(error instanceof ChangefeedError) || !isPassing(error)) throw error;
      if (clock.elapsed() - saidAtMs >= REMIND_EVERY_MS) {
        saidAtMs = clock.elapsed();
        logger.warn({ code: error.code, hint: error.hint }, say(error.message));
      }
      await clock.sleep(backoff.next(), signal);
    }
  }
}
