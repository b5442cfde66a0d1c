import { CursorExpired, EpochChanged, FutureCursor } from "../../feed/errors.ts";
import type { FeedHead, FeedLog, HistoryScan } from "../../feed/log.ts";
import type { Cursor } from "../../schemas/cursor.ts";
import type { LogEntry } from "../../schemas/draft.ts";
import type { HistoryRequest } from "../../schemas/read-queries.ts";
import { RESOURCE_TYPES } from "../../schemas/resources.ts";
import { maySeeSome, type Access, type Visible } from "../selection/access.ts";
import { readInSlices, type ReadTask } from "../work/read-scheduler.ts";

/** What one page may cost where nothing was named: then it tells no more than the numbers of the feed do. */
const MAX_SCANNED_EVENTS = 5000;

export interface HistoryPage {
  readonly entries: readonly LogEntry[];
  /** How far the page got. */
  readonly cursor: Cursor;
  /** Whether there may be more beyond it. */
  readonly more: boolean;
  readonly head: FeedHead;
}

/**
 * The next at most `limit` events of the past that the reader may see. Fewer where the log has no more, where
 * looking further would cost too much, or where they have `maxBytes`: one is given however large it is.
 * @throws CursorExpired, FutureCursor, EpochChanged; TooCostly.
 */
export async function readHistory(
  log: FeedLog,
  task: ReadTask,
  { request, access, maxBytes }: { request: HistoryRequest; access: Access; maxBytes: number },
): Promise<HistoryPage> {
  const head = await task.waitFor(() => log.head());
  assertReadable(request, head);
  const { limit, order } = request;
  const entries: LogEntry[] = [];
  let position = request.cursor?.sequence;
  let bytes = 0;
  let scanned = 0;
  let lookedAt = position;
  if (!maySeeAny(request, access)) return pageOf(false);
  // Of what was named, a page that ends before its time would show that there is something.
  const maxScanned = namesSomething(request) ? Number.POSITIVE_INFINITY : MAX_SCANNED_EVENTS;
  const includes = (facts: Visible & { sequence: number }) => {
    scanned += 1;
    lookedAt = facts.sequence;
    return access.maySee(facts);
  };
  const scan = log.scanHistory({ ...conditionsOf(request), ...boundOf(order, position), includes });
  for await (const batch of readInSlices(task, scan)) {
    for (const entry of batch) {
      if (task.isOver) await task.nextSlice();
      position = entry.sequence;
      entries.push(entry);
      bytes += Buffer.byteLength(entry.json);
      if (entries.length === limit || bytes >= maxBytes) return pageOf(true);
    }
    if (scanned < maxScanned) continue;
    position = lookedAt;
    return pageOf(true);
  }
  return pageOf(false);

  function pageOf(more: boolean): HistoryPage {
    // At the end, what was passed over must not show that there was something: the last that may be seen counts.
    const reached = more ? position : entries.at(-1)?.sequence;
    return { entries, more, head, cursor: { epoch: head.epoch, sequence: reached ?? head.sequence } };
  }
}

/** Whether the log has to be asked: what may not be seen must not take longer than what does not exist. */
function maySeeAny({ subject, namespace }: HistoryRequest, access: Access): boolean {
  if (subject !== undefined && !access.maySee(subject)) return false;
  return (
    namespace === undefined || RESOURCE_TYPES.some((resource) => maySeeSome(access, { resource, namespace }))
  );
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

function conditionsOf(request: HistoryRequest): HistoryScan {
  const { subject, cursor: _cursor, limit: _limit, namespace, ...rest } = request;
  if (subject === undefined) return { ...rest, ...(namespace !== undefined && { namespace }) };
  const { resource, key } = subject;
  return { ...rest, resource, key, namespace: subject.namespace };
}

function boundOf(
  order: HistoryRequest["order"],
  position: number | undefined,
): Pick<HistoryScan, "after" | "before"> {
  if (position === undefined) return {};
  return order === "newest-first" ? { before: position } : { after: position };
}
