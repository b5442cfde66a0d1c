import type { FeedHead, FeedLog } from "../feed/log.ts";
import type { Cursor } from "../schemas/cursor.ts";
import type { Start } from "../schemas/subscription-schema.ts";

/** Where a subscription begins. */
export interface StartPoint {
  readonly cursor: Cursor;
  readonly head: FeedHead;
  /** Set where events that were asked for may be gone: where they would begin. */
  readonly gap?: { readonly wanted: Cursor };
}

/**
 * Turns what was asked for into a cursor that can be read from.
 * @throws CursorExpired, FutureCursor, EpochChanged where a cursor of the subscriber's own cannot.
 */
export async function resolveStart(log: FeedLog, wanted: Start): Promise<StartPoint> {
  if (wanted.kind === "cursor") {
    await log.read(wanted.cursor, { limit: 1 });
    return { cursor: wanted.cursor, head: await log.head() };
  }
  const since = wanted.kind === "since" ? await log.cursorAt(wanted.timeMs) : undefined;
  const head = await log.head();
  const { epoch, floor } = head;
  if (since !== undefined) {
    const start = { cursor: { epoch, sequence: Math.max(floor, since.sequence) }, head };
    // At the floor it cannot be told whether what retention removed was older than asked for.
    return floor > 0 && since.sequence <= floor ? { ...start, gap: { wanted: since } } : start;
  }
  return { cursor: { epoch, sequence: wanted.kind === "earliest" ? floor : head.sequence }, head };
}
