import type { Cursor } from "../schemas/cursor.ts";
import type { LogEntry } from "../schemas/draft.ts";
import type { FeedLog } from "./log.ts";

/** Long enough to cost nothing; the log itself wakes us when there is something to read. */
const WAIT_MS = 30_000;

/**
 * The events after `cursor`, in batches of at most `batchLimit` events and about `batchBytes` of JSON, without
 * end: where there are no more it waits. The next batch is read when the consumer asks for it. Ends when
 * `signal` aborts; throws what `read` rejects with (CursorExpired, EpochChanged, LogUnavailable, …).
 */
export async function* follow(
  log: Pick<FeedLog, "read" | "waitBeyond">,
  cursor: Cursor,
  options: { signal: AbortSignal; batchLimit?: number; batchBytes?: number },
): AsyncGenerator<LogEntry[], void, void> {
  const { signal, batchLimit = 500, batchBytes = 1 << 20 } = options;
  let sequence = cursor.sequence;
  while (!signal.aborted) {
    const entries = await log.read(
      { epoch: cursor.epoch, sequence },
      { limit: batchLimit, maxBytes: batchBytes },
    );
    if (signal.aborted) return;
    const last = entries.at(-1);
    if (last === undefined) {
      await log.waitBeyond(sequence, { timeoutMs: WAIT_MS, signal });
    } else {
      yield entries;
      sequence = last.sequence;
    }
  }
}
