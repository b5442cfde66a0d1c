/** A point of the feed's history: after an event, or at a time. */
export type Moment =
  | { readonly kind: "now" }
  | { readonly kind: "cursor"; readonly epoch: string; readonly sequence: number }
  | { readonly kind: "time"; readonly ms: number };

/**
 * What `at=` means: a cursor, or a time; "" is now.
 * @param atMs the time that it stands for; undefined where that cannot be told.
 */
export function momentOf(at: string, atMs: number | undefined): Moment {
  if (at === "") return { kind: "now" };
  const cursor = /^([a-z0-9]+)-(\d+)$/.exec(at);
  if (cursor !== null) return { kind: "cursor", epoch: cursor[1] ?? "", sequence: Number(cursor[2]) };
  return atMs === undefined ? { kind: "now" } : { kind: "time", ms: atMs };
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
  if (moment.kind === "time") return oldestMs !== undefined && moment.ms < oldestMs;
  return moment.epoch !== epochOf(floor) || moment.sequence < sequenceOf(floor);
}

export function sequenceOf(cursor: string): number {
  return Number(cursor.slice(cursor.lastIndexOf("-") + 1));
}

function epochOf(cursor: string): string {
  return cursor.slice(0, cursor.lastIndexOf("-"));
}
