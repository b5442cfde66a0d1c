import type { Cursor } from "../../schemas/cursor.ts";
import type { LogEntry } from "../../schemas/draft.ts";
import { CursorExpired, EpochChanged, EventsMissing, FutureCursor } from "../errors.ts";
import { entriesOf } from "./codec.ts";
import { feedIsGone } from "./errors.ts";
import type { Connection } from "./connection.ts";
import { Reply } from "./reply.ts";

const PAGE_EVENTS = 500;
/** An event is seldom smaller, so that a page seldom brings much more than was asked for. */
const SMALL_EVENT_BYTES = 1024;

/**
 * Events after the cursor, as `FeedLog.read` promises them. Each page is read in one with the feed's place, and the
 * pages must join: where something is missing between two, what is there is given, and the next read says what
 * happened.
 */
export async function readPage(
  connection: Connection,
  prefix: string,
  cursor: Cursor,
  { limit, maxBytes = Infinity }: { limit: number; maxBytes?: number },
): Promise<LogEntry[]> {
  const entries: LogEntry[] = [];
  let after = cursor.sequence;
  let bytes = 0;
  do {
    const missing = Math.min(
      limit - entries.length,
      PAGE_EVENTS,
      Math.ceil((maxBytes - bytes) / SMALL_EVENT_BYTES),
    );
    const { page, newest } = await pageAfter(connection, prefix, cursor, after, {
      count: missing,
      first: entries.length === 0,
    });
    if (entries.length === 0 && missing > 0) assertJoined(cursor, page[0]?.sequence ?? newest + 1);
    for (const entry of page) {
      if (entry.sequence !== after + 1) return entries;
      bytes += Buffer.byteLength(entry.json);
      if (bytes > maxBytes && entries.length > 0) return entries;
      entries.push(entry);
      after = entry.sequence;
    }
    if (page.length === 0) return entries;
  } while (entries.length < limit && bytes < maxBytes);
  return entries;
}

async function pageAfter(
  connection: Connection,
  prefix: string,
  cursor: Cursor,
  after: number,
  { count, first }: { count: number; first: boolean },
): Promise<{ page: LogEntry[]; newest: number }> {
  const [place, page] = await connection.together([
    ["HMGET", `${prefix}meta`, "epoch", "sequence", "floor"],
    ["XRANGE", `${prefix}log`, after + 1, "+", "COUNT", Math.max(count, 0)],
  ]);
  const meta = new Reply(place, connection.source(`${prefix}meta`));
  const epoch = meta.textOrNull(0, "epoch");
  if (!epoch) throw feedIsGone(connection.where);
  const sequence = meta.integer(1, "sequence");
  if (first) check(cursor, { epoch, sequence, floor: meta.integer(2, "floor") });
  const entries = epoch === cursor.epoch ? entriesOf(page, connection.source(`${prefix}log`)) : [];
  return { page: entries, newest: sequence };
}

/** `next`: the first event that is there after the cursor, or that will be. @throws EventsMissing */
function assertJoined(cursor: Cursor, next: number): void {
  const behind = next - 1;
  if (behind > cursor.sequence) throw new EventsMissing(cursor, { epoch: cursor.epoch, sequence: behind });
}

function check(
  cursor: Cursor,
  { epoch, sequence, floor }: { epoch: string; sequence: number; floor: number },
): void {
  if (cursor.epoch !== epoch) throw new EpochChanged(cursor, { epoch, sequence });
  if (cursor.sequence > sequence) throw new FutureCursor(cursor, { epoch, sequence });
  if (cursor.sequence < floor) throw new CursorExpired(cursor, { epoch, sequence: floor });
}
