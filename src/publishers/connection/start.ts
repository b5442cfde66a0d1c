import { CursorExpired, EpochChanged, EventsMissing } from "../../feed/errors.ts";
import type { FeedHead, FeedLog } from "../../feed/log.ts";
import type { Cursor } from "../../schemas/cursor.ts";
import type { OnExpired, Start } from "../../schemas/subscription-schema.ts";

/** Events that were asked for may be gone: where they would begin, and why they are not there. */
export interface Gap {
  readonly wanted: Cursor;
  readonly reason: "expired" | "epoch-changed" | "missing";
}

/** Where a subscription begins. */
export interface StartPoint {
  readonly cursor: Cursor;
  readonly head: FeedHead;
  readonly gap?: Gap;
  /** The objects come first, and the stream goes on from the moment of their consistent read, not from `cursor`. */
  readonly snapshot?: boolean;
}

/**
 * Turns what was asked for into a cursor that can be read from.
 * @throws FutureCursor, and with `fail` CursorExpired, EpochChanged where a cursor of the subscriber's own cannot.
 */
export async function resolveStart(
  log: FeedLog,
  wanted: Start,
  onExpired: OnExpired = "fail",
): Promise<StartPoint> {
  if (wanted.kind === "cursor") return startAfter(log, wanted.cursor, onExpired);
  const since = wanted.kind === "since" ? await log.cursorAt(wanted.timeMs) : undefined;
  const head = await log.head();
  const { epoch, floor } = head;
  if (since !== undefined) {
    const start = { cursor: { epoch, sequence: Math.max(floor, since.sequence) }, head };
    // At the floor it cannot be told whether what retention removed was older than asked for.
    return floor > 0 && since.sequence <= floor
      ? { ...start, gap: { wanted: since, reason: "expired" } }
      : overHole(log, start);
  }
  const cursor = { epoch, sequence: wanted.kind === "earliest" ? floor : head.sequence };
  if (wanted.kind === "earliest") return overHole(log, { cursor, head });
  return wanted.kind === "snapshot" ? { cursor, head, snapshot: true } : { cursor, head };
}

/** Begins behind events that are missing, and says so. */
async function overHole(log: FeedLog, start: StartPoint): Promise<StartPoint> {
  try {
    await log.read(start.cursor, { limit: 1 });
  } catch (error) {
    if (error instanceof EventsMissing) return beginBehind(error, start);
    // Whatever else is wrong, who reads on is told.
  }
  return start;
}

function beginBehind({ behind }: EventsMissing, { cursor: wanted, head }: StartPoint): StartPoint {
  return { cursor: behind, head, gap: { wanted, reason: "missing" } };
}

async function startAfter(log: FeedLog, wanted: Cursor, onExpired: OnExpired): Promise<StartPoint> {
  try {
    await log.read(wanted, { limit: 1 });
    return { cursor: wanted, head: await log.head() };
  } catch (error) {
    if (error instanceof EventsMissing) {
      return beginBehind(error, { cursor: wanted, head: await log.head() });
    }
    const reason = lossOf(error);
    if (reason === undefined || onExpired === "fail") throw error;
    const head = await log.head();
    const cursor = { epoch: head.epoch, sequence: head.floor };
    return { cursor, head, gap: { wanted, reason }, snapshot: onExpired === "snapshot" };
  }
}

function lossOf(error: unknown): "expired" | "epoch-changed" | undefined {
  if (error instanceof CursorExpired) return "expired";
  return error instanceof EpochChanged ? "epoch-changed" : undefined;
}
