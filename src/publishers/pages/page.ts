import { setImmediate } from "node:timers/promises";
import type { FeedLog } from "../../feed/log.ts";
import type { Cursor } from "../../schemas/cursor.ts";
import type { LogEntry } from "../../schemas/draft.ts";
import type { EventFilter } from "../selection/event-filter.ts";

/** What one page may cost, whatever was asked for. */
const MAX_SCANNED_EVENTS = 20_000;
const MAX_SCANNED_BYTES = 32 * 1024 * 1024;
const MAX_SCAN_MS = 5000;
/** How long others wait while events are looked at: a filter may take some milliseconds for each. */
const SLICE_MS = 10;
const READ_EVENTS = 1000;
const READ_BYTES = 1024 * 1024;

export interface Page {
  readonly entries: readonly LogEntry[];
  /** Where the next page starts: moves over what the filter left out. */
  readonly cursor: Cursor;
}

/**
 * The next at most `limit` events after `cursor` that pass the filter. Fewer where the log ends or where looking
 * further would cost too much.
 * @throws CursorExpired, FutureCursor, EpochChanged.
 */
export async function readPage(
  log: FeedLog,
  { cursor, filter, limit }: { cursor: Cursor; filter: EventFilter; limit: number },
): Promise<Page> {
  const entries: LogEntry[] = [];
  const { epoch } = cursor;
  let { sequence } = cursor;
  let scannedEvents = 0;
  let scannedBytes = 0;
  const endAt = performance.now() + MAX_SCAN_MS;
  let sliceEndAt = performance.now() + SLICE_MS;
  while (scannedEvents < MAX_SCANNED_EVENTS && scannedBytes < MAX_SCANNED_BYTES) {
    const read = await log.read({ epoch, sequence }, { limit: READ_EVENTS, maxBytes: READ_BYTES });
    if (read.length === 0) break;
    for (const entry of read) {
      sequence = entry.sequence;
      scannedEvents += 1;
      scannedBytes += entry.json.length;
      if (filter(entry)) entries.push(entry);
      const nowMs = performance.now();
      if (entries.length === limit || nowMs > endAt) return { entries, cursor: { epoch, sequence } };
      if (nowMs < sliceEndAt) continue;
      await setImmediate();
      sliceEndAt = performance.now() + SLICE_MS;
    }
    // Looking far for few events must let others run too.
    await setImmediate();
  }
  return { entries, cursor: { epoch, sequence } };
}
