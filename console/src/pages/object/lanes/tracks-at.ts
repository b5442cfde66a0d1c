import { undoChanges } from "nomad-changefeed-client";
import { sequenceOf } from "../../../words/cursor.ts";
import type { Moment } from "../moment.ts";
import type { Stub } from "../stubs.ts";
import { stateSteps, type Step, type Track, type Tracks } from "./track.ts";

interface Known {
  /** When the moment was, ms since 1970; undefined: not known. */
  readonly atMs: number | undefined;
  /** Ms since 1970: what was before was not read; undefined: all was. */
  readonly cutMs: number | undefined;
}

/**
 * The tracks as they were at a moment: what came later is taken back, and what was not there yet is left out. Undefined
 * where the moment is before what was read.
 */
export function tracksAt(tracks: Tracks, moment: Moment, { atMs, cutMs }: Known): Tracks | undefined {
  if (moment.kind === "now") return tracks;
  if (moment.kind === "untold" || (cutMs !== undefined && (atMs === undefined || atMs < cutMs))) {
    return undefined;
  }
  const then = new Map<string, Track>();
  for (const [subject, track] of tracks) {
    const steps = track.steps.filter((step) => wasSeen(step, moment));
    const isBefore = stateSteps(steps).length === 0;
    if (isBefore && !wasThere(track, atMs)) continue;
    const stub = isBefore ? stubBefore(track) : steps.findLast((step) => step.stub)?.stub;
    then.set(subject, { ...track, steps, stub });
  }
  return then;
}

/** Moments of the feed are when it recorded. */
function wasSeen({ cursor, recordedMs }: Step, moment: Exclude<Moment, { kind: "now" | "untold" }>): boolean {
  return moment.kind === "cursor" ? sequenceOf(cursor) <= moment.sequence : recordedMs <= moment.ms;
}

/** Before its first event that is known. */
function wasThere({ steps, createdMs }: Track, atMs: number | undefined): boolean {
  const [first] = stateSteps(steps);
  if (createdMs !== undefined && atMs !== undefined && createdMs > atMs) return false;
  return first === undefined || first.op === "update" || first.op === "delete";
}

/** The same; undefined where it cannot be told. */
function stubBefore({ steps, stub }: Track): Stub | undefined {
  const [first] = stateSteps(steps);
  if (first === undefined) return stub;
  if (first.op === "delete") return first.stub;
  if (first.stub === undefined || !first.hasAllChanges) return undefined;
  try {
    return undoChanges(first.stub, first.changes);
  } catch {
    // A redacted name can make changes unfit for each other: better nothing than something wrong.
    return undefined;
  }
}
