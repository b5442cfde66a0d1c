import { setImmediate } from "node:timers/promises";
import { CursorExpired, EpochChanged, FutureCursor } from "../../feed/errors.ts";
import type { FeedHead, FeedLog, HistoryQuery } from "../../feed/log.ts";
import type { Cursor } from "../../schemas/cursor.ts";
import type { LogEntry } from "../../schemas/draft.ts";
import type { HistoryRequest } from "../../schemas/read-queries.ts";
import type { Access } from "../selection/access.ts";

/** What one page may cost where nothing was named: then it tells no more than the numbers of the feed do. */
const MAX_SCANNED_EVENTS = 5000;
const MAX_PAGE_CHARACTERS = 16 * 1024 * 1024;
const READ_EVENTS = 200;

export interface HistoryPage {
  readonly entries: readonly LogEntry[];
  /** How far the page got. */
  readonly cursor: Cursor;
  /** Whether there may be more beyond it. */
  readonly more: boolean;
  readonly head: FeedHead;
}

/**
 * The next at most `limit` events of the past that the reader may see. Fewer where the log has no more or where
 * looking further would cost too much.
 * @throws CursorExpired, FutureCursor, EpochChanged.
 */
export async function readHistory(
  log: FeedLog,
  { request, access }: { request: HistoryRequest; access: Access },
): Promise<HistoryPage> {
  const head = await log.head();
  assertReadable(request, head);
  const { limit, order } = request;
  const conditions = conditionsOf(request);
  const entries: LogEntry[] = [];
  let position = request.cursor?.sequence;
  let characters = 0;
  if (request.subject !== undefined && !access.maySee(request.subject)) return pageOf(false);
  // Of what was named, a page that ends before its time would show that there is something.
  const maxScanned = namesSomething(request) ? Number.POSITIVE_INFINITY : MAX_SCANNED_EVENTS;
  for (let scanned = 0; ;) {
    const asked = Math.min(READ_EVENTS, limit);
    const read = await log.history({ ...conditions, ...boundOf(order, position), limit: asked });
    for (const entry of read) {
      position = entry.sequence;
      scanned += 1;
      if (!access.maySee(entry)) continue;
      entries.push(entry);
      characters += entry.json.length;
      if (entries.length === limit || characters > MAX_PAGE_CHARACTERS) return pageOf(true);
    }
    if (read.length < asked || scanned >= maxScanned) return pageOf(read.length === asked);
    // Looking far for few events must let others run too.
    await setImmediate();
  }

  function pageOf(more: boolean): HistoryPage {
    // At the end, what was passed over must not show that there was something: the last that may be seen counts.
    const reached = more ? position : entries.at(-1)?.sequence;
    return { entries, more, head, cursor: { epoch: head.epoch, sequence: reached ?? head.sequence } };
  }
}

function namesSomething({ subject, job, node, namespace, signal }: HistoryRequest): boolean {
  return [subject, job, node, namespace, signal].some((name) => name !== undefined);
}

function assertReadable({ cursor, order }: HistoryRequest, head: FeedHead): void {
  if (cursor === undefined) return;
  if (cursor.epoch !== head.epoch) throw new EpochChanged(cursor, head);
  if (cursor.sequence > head.sequence) throw new FutureCursor(cursor, head);
  // Backwards there is nothing below the floor; forwards what followed the cursor is gone, which must be said.
  if (order === "oldest-first" && cursor.sequence < head.floor) {
    throw new CursorExpired(cursor, { epoch: head.epoch, sequence: head.floor });
  }
}

function conditionsOf(request: HistoryRequest): Omit<HistoryQuery, "limit"> {
  const { subject, cursor: _cursor, limit: _limit, namespace, ...rest } = request;
  if (subject === undefined) return { ...rest, ...(namespace !== undefined && { namespace }) };
  const { resource, key } = subject;
  return { ...rest, resource, key, namespace: subject.namespace };
}

function boundOf(
  order: HistoryRequest["order"],
  position: number | undefined,
): Pick<HistoryQuery, "after" | "before"> {
  if (position === undefined) return {};
  return order === "newest-first" ? { before: position } : { after: position };
}
