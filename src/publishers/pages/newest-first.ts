import { EpochChanged, FutureCursor } from "../../feed/errors.ts";
import type { FeedLog, HistoryFacts } from "../../feed/log.ts";
import type { LogEntry } from "../../schemas/draft.ts";
import type { EventConditions, Start } from "../../schemas/subscription-schema.ts";
import type { StartPoint } from "../connection/start.ts";
import type { Access } from "../selection/access.ts";
import { createEventFilter, createFactsFilter } from "../selection/event-filter.ts";
import { narrowingOf } from "../selection/narrowing.ts";
import { readInSlices, type ReadTask } from "../work/read-scheduler.ts";
import { HoleWatch } from "./hole-watch.ts";
import { windowsBack, type Window } from "./windows-back.ts";
import { MAX_SCANNED_BYTES, MAX_WORK_MS, type Page } from "./page.ts";

interface Range extends Window {
  /** Events that would be in it are gone. */
  readonly isCut: boolean;
}

interface Wanted {
  readonly start: StartPoint;
  readonly sinceMs?: number | undefined;
  readonly untilMs?: number | undefined;
  readonly conditions: EventConditions;
  readonly access: Access;
  readonly limit: number;
  readonly maxBytes: number;
}

/**
 * Where a page begins that goes back in time: before the event of a cursor, or with the newest there is. A cursor that
 * expired is no error: behind it nothing is left.
 * @throws FutureCursor, EpochChanged
 */
export async function startBefore(log: FeedLog, wanted: Start): Promise<StartPoint> {
  const head = await log.head();
  const { epoch, sequence } = head;
  if (wanted.kind !== "cursor") return { cursor: { epoch, sequence: sequence + 1 }, head };
  if (wanted.cursor.epoch !== epoch) throw new EpochChanged(wanted.cursor, head);
  if (wanted.cursor.sequence > sequence) throw new FutureCursor(wanted.cursor, head);
  return { cursor: wanted.cursor, head };
}

/**
 * The last at most `limit` events before the start that pass, newest first. Fewer where looking further would cost too
 * much, or where they have `maxBytes`: one is given however large it is. The next page goes on before its cursor.
 */
export async function readNewestFirst(log: FeedLog, task: ReadTask, wanted: Wanted): Promise<Page> {
  const { conditions, access, limit, maxBytes } = wanted;
  const range = await task.waitFor(() => rangeOf(log, wanted));
  const passes = createEventFilter(conditions, access);
  const mayPass = createFactsFilter(conditions, access);
  // An index does not show what is missing.
  const holes = (await task.waitFor(() => log.hasHoles())) ? new HoleWatch(range.before) : undefined;
  const narrowing = holes === undefined ? narrowingOf(conditions, access) : {};
  const includes = (facts: HistoryFacts) => holes?.isBehind(facts.sequence) !== true && mayPass(facts);
  const entries: LogEntry[] = [];
  let { before } = range;
  let bytes = 0;
  let scannedBytes = 0;
  const isSpent = () => task.workedMs > MAX_WORK_MS || scannedBytes > MAX_SCANNED_BYTES;
  for (const window of windowsBack(task, range)) {
    const scan = log.scanHistory({ ...narrowing, order: "newest-first", ...window, includes });
    for await (const batch of readInSlices(task, scan)) {
      for (const entry of batch) {
        if (task.isOver) await task.nextSlice();
        before = entry.sequence;
        scannedBytes += entry.json.length;
        if (passes(entry)) {
          entries.push(entry);
          bytes += Buffer.byteLength(entry.json);
        }
        if (entries.length === limit || (bytes >= maxBytes && entries.length > 0) || isSpent()) return page();
      }
    }
    before = holes?.isMet === true || (holes !== undefined && isSpent()) ? holes.lastSeen : window.after + 1;
    if (holes?.isMet === true || isSpent()) return page();
  }
  return page();

  function page(): Page {
    const { cursor, head } = wanted.start;
    const isLast = before - range.after <= 1;
    const lacksItsLast = isLast && (range.isCut || (holes !== undefined && holes.lastSeen > before));
    return {
      entries,
      cursor: { epoch: cursor.epoch, sequence: Math.min(before, head.sequence) },
      hasGap: holes?.hasGap === true || lacksItsLast,
      isLast,
    };
  }
}

async function rangeOf(log: FeedLog, { start, sinceMs, untilMs }: Wanted): Promise<Range> {
  const { floor } = start.head;
  const since = sinceMs === undefined ? undefined : await log.cursorAt(sinceMs);
  const until = untilMs === undefined ? undefined : await log.cursorAt(untilMs);
  return {
    after: Math.max(floor, since?.sequence ?? 0),
    before: Math.min(start.cursor.sequence, (until?.sequence ?? Infinity) + 1),
    // At the floor it cannot be told whether what retention removed was older than asked for.
    isCut: floor > 0 && since !== undefined && since.sequence <= floor,
  };
}
