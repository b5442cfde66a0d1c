import type { Stub } from "../schemas/change.ts";
import type { Op } from "../schemas/draft.ts";
import type { Observed } from "../schemas/event-schema.ts";
import { createIndexOf, indexesOf, revOf, subjectOf, type ObjectRef } from "../schemas/resources.ts";
import type { EventContext } from "./context.ts";
import { missedTaskEvents } from "./missed-task-events.ts";

interface Seen {
  readonly op: Op;
  readonly ref: ObjectRef;
  readonly before?: Stub;
  readonly after?: Stub;
}

/** How the change was seen: the window in which versions of the object may have come and gone unseen. */
export function observedOf(seen: Seen, context: EventContext, timeBasis: string): Observed {
  const { mode, fromIndex, toIndex, since } = context.observation;
  const missed = seen.ref.resource === "allocations" ? missedTaskEvents(seen.before, seen.after) : [];
  return {
    mode,
    via: context.hinted === undefined ? "list" : "hint",
    coalesced: isProvablyNext(seen, context) || isSoleEvent(seen, context) ? "no" : "maybe",
    ...(isSuperseded(seen, context) && { superseded: true as const }),
    ...(seen.op === "version" && { skipped: true as const }),
    ...(missed.length > 0 && { missedTaskEvents: missed }),
    fromIndex,
    toIndex,
    since,
    nomadEpoch: context.nomadEpoch,
    timeBasis,
  };
}

/**
 * Whether no raft index lies between the previous poll and this version, so that none can have been in between.
 * A delete leaves no index behind, nor does content that moves on under its old rev; after a resync the two
 * polls are of different histories.
 */
function isProvablyNext({ op, before, after }: Seen, { observation }: EventContext): boolean {
  const { mode, fromIndex } = observation;
  if (after === undefined || op === "snapshot" || mode === "resync" || fromIndex === null) return false;
  const rev = revOf(after.value);
  if (rev === undefined || (before !== undefined && revOf(before.value) === rev)) return false;
  return BigInt(rev) === BigInt(fromIndex) + 1n;
}

function isSuperseded({ ref, after }: Seen, { superseded }: EventContext): boolean {
  return after !== undefined && superseded?.has(`${subjectOf(ref)}@${revOf(after.value)}`) === true;
}

/**
 * Whether Nomad's event stream, which tells of every version of the object, told of this one alone. A job's summary
 * changes without events, but not without its own index.
 */
function isSoleEvent({ ref, before, after }: Seen, { hinted }: EventContext): boolean {
  if (hinted === undefined || after === undefined) return false;
  const { ModifyIndex: own, "JobSummary.ModifyIndex": summary } = indexesOf(after.value);
  if (own === undefined || !hinted.has(`${subjectOf(ref)}@${own}`)) return false;
  const summaryBefore =
    before === undefined ? createIndexOf(after.value) : indexesOf(before.value)["JobSummary.ModifyIndex"];
  return summary === undefined || summary === summaryBefore;
}
