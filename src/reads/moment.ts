import { EpochChanged, FutureCursor } from "../feed/errors.ts";
import type { FeedLog } from "../feed/log.ts";
import { formatCursor, type Cursor } from "../schemas/cursor.ts";
import type { Moment } from "../schemas/read-queries.ts";
import { InvalidParameter } from "../schemas/subscription-schema.ts";
import { StateExpired } from "./errors.ts";

/**
 * The cursor of a moment: of a time that of the last event recorded by then.
 * @throws StateExpired, EpochChanged, FutureCursor; InvalidParameter for a time that has not come
 */
export async function cursorOfMoment(log: FeedLog, moment: Moment): Promise<Cursor> {
  const cursor =
    moment.kind === "cursor" ? moment.cursor : await cursorOfTime(log, moment.timeMs, moment.nowMs);
  await assertTold(log, cursor);
  return cursor;
}

/** Whether every event after the cursor is still there. @throws StateExpired, EpochChanged, FutureCursor */
export async function assertTold(log: FeedLog, cursor: Cursor): Promise<void> {
  const head = await log.head();
  if (cursor.epoch !== head.epoch) throw new EpochChanged(cursor, head);
  if (cursor.sequence > head.sequence) throw new FutureCursor(cursor, head);
  if (cursor.sequence >= head.floor) return;
  const { oldestMs } = await log.times();
  throw new StateExpired(`cursor ${formatCursor(cursor)}`, floorOf(head), oldestMs);
}

async function cursorOfTime(log: FeedLog, timeMs: number, nowMs: number): Promise<Cursor> {
  const times = await log.times();
  const latestMs = Math.max(nowMs, times.nowMs);
  if (timeMs > latestMs) {
    throw new InvalidParameter(
      `at is ${textOf(timeMs)}, which has not come yet: here it is ${textOf(latestMs)}`,
      "at",
      ["a time that has passed", "nothing, for the present state"],
    );
  }
  const { oldestMs } = times;
  // What retention removed last may be of any earlier time.
  if (oldestMs === null || timeMs < oldestMs) {
    throw new StateExpired(textOf(timeMs), floorOf(await log.head()), oldestMs);
  }
  return log.cursorAt(timeMs + 1);
}

function floorOf({ epoch, floor }: { epoch: string; floor: number }): Cursor {
  return { epoch, sequence: floor };
}

function textOf(timeMs: number): string {
  return new Date(timeMs).toISOString();
}
