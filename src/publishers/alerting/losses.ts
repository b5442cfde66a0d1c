import { CursorExpired, EpochChanged, EventsMissing, FutureCursor } from "../../feed/errors.ts";
import type { Gap } from "../connection/start.ts";

/** Events that are to be folded are gone; the fold goes on from the objects there are. */
export class EventsLost extends Error {}

/** In words. */
export function lossText(reason: Gap["reason"]): string {
  if (reason === "expired") return "retention took events before alerts had read them";
  return reason === "missing" ? "events of the log were deleted" : "the log was replaced by another";
}

/** Why events are gone; undefined where the error says nothing of that. */
export function lossOf(error: unknown): string | undefined {
  if (error instanceof CursorExpired) return lossText("expired");
  if (error instanceof EventsMissing) return lossText("missing");
  if (error instanceof EpochChanged || error instanceof FutureCursor) return lossText("epoch-changed");
  return undefined;
}
