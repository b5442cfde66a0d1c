import type { Stub } from "../schemas/change.ts";
import type { Op } from "../schemas/draft.ts";
import type { Observed } from "../schemas/event-schema.ts";
import { revOf } from "../schemas/resources.ts";
import type { EventContext } from "./context.ts";

/** How the change was seen: the window in which versions of the object may have come and gone unseen. */
export function observedOf(
  seen: { readonly op: Op; readonly after?: Stub },
  context: EventContext,
  timeBasis: string,
): Observed {
  const { mode, fromIndex, toIndex, since } = context.observation;
  return {
    mode,
    coalesced: isProvablyNext(seen, context) ? "no" : "maybe",
    fromIndex,
    toIndex,
    since,
    nomadEpoch: context.nomadEpoch,
    timeBasis,
  };
}

/**
 * Whether no raft index lies between the look before and this version, so that none can have been in between.
 * A delete leaves no index behind; after a resync the two looks are of different histories.
 */
function isProvablyNext(
  { op, after }: { readonly op: Op; readonly after?: Stub },
  { observation }: EventContext,
): boolean {
  const { mode, fromIndex } = observation;
  if (after === undefined || op === "snapshot" || mode === "resync" || fromIndex === null) return false;
  const rev = revOf(after.value);
  return rev !== undefined && BigInt(rev) === BigInt(fromIndex) + 1n;
}
