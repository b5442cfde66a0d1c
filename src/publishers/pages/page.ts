import type { FeedLog } from "../../feed/log.ts";
import { EventsMissing } from "../../feed/errors.ts";
import type { Cursor } from "../../schemas/cursor.ts";
import type { LogEntry } from "../../schemas/draft.ts";
import type { EventFilter } from "../selection/event-filter.ts";
import type { ReadTask } from "../work/read-scheduler.ts";

/** What one page may cost, whatever was asked for. */
const MAX_SCANNED_EVENTS = 20_000;
export const MAX_SCANNED_BYTES = 32 * 1024 * 1024;
export const MAX_WORK_MS = 1000;
/** One reading of the log: in SQLite everybody waits for it. */
const READ_LIMITS = { limit: 500, maxBytes: 128 * 1024 };

export interface Page {
  readonly entries: readonly LogEntry[];
  /** Where the next page starts: moves over what the filter left out. */
  readonly cursor: Cursor;
  /** Events that were asked for are missing before the first of it; newest first, after it, or before the last one. */
  readonly hasGap: boolean;
  /** Nothing more of what was asked for is there, or will be. */
  readonly isLast: boolean;
}

/**
 * The next at most `limit` events after `cursor` that pass the filter. Fewer where the log ends, where looking further
 * would cost too much, or where they have `maxBytes`: one is given however large it is.
 * @throws CursorExpired, FutureCursor, EpochChanged.
 */
export async function readPage(
  log: FeedLog,
  task: ReadTask,
  options: {
    cursor: Cursor;
    /** No event recorded from then on, ms since 1970. */
    untilMs?: number | undefined;
    filter: EventFilter;
    limit: number;
    maxBytes: number;
  },
): Promise<Page> {
  const { cursor, untilMs, filter, limit, maxBytes } = options;
  const last = untilMs === undefined ? Infinity : await task.waitFor(() => lastBefore(log, untilMs));
  const entries: LogEntry[] = [];
  const { epoch } = cursor;
  let { sequence } = cursor;
  let hasGap = false;
  let bytes = 0;
  let scannedEvents = 0;
  let scannedBytes = 0;
  while (sequence < last && scannedEvents < MAX_SCANNED_EVENTS && scannedBytes < MAX_SCANNED_BYTES) {
    const read = await task.waitFor(() => readOrHole(log, { epoch, sequence }));
    if (read instanceof EventsMissing) {
      // What lies before a hole is a page of its own, so that the gap is said where it is.
      if (sequence > cursor.sequence) break;
      ({ sequence } = read.behind);
      hasGap = true;
      continue;
    }
    if (read.length === 0) break;
    for (const entry of read) {
      if (task.isOver) await task.nextSlice();
      if (entry.sequence > last) return page();
      sequence = entry.sequence;
      scannedEvents += 1;
      scannedBytes += entry.json.length;
      if (filter(entry)) {
        entries.push(entry);
        bytes += Buffer.byteLength(entry.json);
      }
      if (
        entries.length === limit ||
        (bytes >= maxBytes && entries.length > 0) ||
        task.workedMs > MAX_WORK_MS
      )
        return page();
    }
  }
  return page();

  function page(): Page {
    return { entries, cursor: { epoch, sequence }, hasGap, isLast: sequence >= last };
  }
}

/** Sequence of the last event before a time; Infinity where more may come. */
async function lastBefore(log: FeedLog, untilMs: number): Promise<number> {
  const { sequence } = await log.cursorAt(untilMs);
  const head = await log.head();
  // What is recorded next may still be before it.
  return sequence < head.sequence ? sequence : Infinity;
}

async function readOrHole(log: FeedLog, cursor: Cursor): Promise<LogEntry[] | EventsMissing> {
  try {
    return await log.read(cursor, READ_LIMITS);
  } catch (error) {
    if (error instanceof EventsMissing) return error;
    throw error;
  }
}
