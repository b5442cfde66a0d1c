import { epochOf, isCursor, sequenceOf } from "../../words/cursor.ts";
import type { ShownTime } from "../../words/shown-time.ts";

/** A point of the feed's history: after an event, or at a time. */
export type Moment =
  | { readonly kind: "now" }
  | { readonly kind: "cursor"; readonly epoch: string; readonly sequence: number }
  | { readonly kind: "time"; readonly ms: number }
  /** It cannot be told which. */
  | { readonly kind: "untold" };

/** What `at=` means: a cursor, or the time that it stands for; "" is now. */
export function momentOf(at: string, shown: ShownTime): Moment {
  if (at === "") return { kind: "now" };
  if (isCursor(at)) return { kind: "cursor", epoch: epochOf(at), sequence: sequenceOf(at) };
  return shown.kind === "then" ? { kind: "time", ms: shown.ms } : { kind: "untold" };
}

/** The same for the same moment. */
export function momentKey(moment: Moment): string {
  return JSON.stringify(moment);
}

/** From where on the feed can tell of the past. */
export interface Horizon {
  /** Cursor: retention has removed the events up to there. */
  readonly floor: string;
  /** When the oldest event was recorded that is kept; undefined: not known. */
  readonly oldestMs: number | undefined;
}

export function isBeyond(moment: Moment, { floor, oldestMs }: Horizon): boolean {
  if (moment.kind === "now") return false;
  if (moment.kind === "untold") return true;
  if (moment.kind === "time") return oldestMs !== undefined && moment.ms < oldestMs;
  return moment.epoch !== epochOf(floor) || moment.sequence < sequenceOf(floor);
}
