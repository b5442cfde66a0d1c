import type { Change, Stub } from "../schemas/change.ts";
import { createIndexOf, revOf, subjectOf, type ObjectRef } from "../schemas/resources.ts";
import type { EventContext } from "./context.ts";

/**
 * Names a change by Nomad's own facts, so that whoever sees the same change gives it the same id. The index of
 * the poll joins in (`+<toIndex>`) only where the object's rev alone would not tell it from an earlier event:
 *
 *     0/jobs/default/web@884210             created, or updated, at that raft index
 *     0/jobs/default/web@884210+884213      content moved on, rev did not, or went back; or came to sight after its time
 *     0/jobs/default/web@884210+884213.7.12 the same, and the previous poll was at that index too: content can change
 *                                           and change back while no index moves
 *     0/jobs/default/web@+884213            the stub has no index
 *     0/jobs/default/web@880001!deleted     the object created at that index is gone
 *     0/jobs/default/web@+884213!deleted    the same, where the stub had no CreateIndex
 *     1/jobs/default/web@880001+884213!deleted  gone with a restore, whose index is of the history before
 *     0/jobs/default/web@880001!v4          version 4 of the job created at that index, which no poll saw
 *     0/jobs/qa/web@880001+884300!deleted   gone again, having outlived a former namespace: the index is that of the
 *                                           creation of the one that is there now. Coming to sight again likewise
 */
export function changeId(change: Change, context: EventContext): string {
  const subject = `${context.nomadEpoch}/${subjectOf(change.ref)}`;
  const seen = pollOf(context);
  if (change.op === "delete") return `${subject}@${creationOf(change, context)}!deleted`;
  const rev = revOf(change.after.value);
  if (rev === undefined) return `${subject}@${seen}`;
  const reusedSince = change.op === "create" ? reusedSinceOf(change.ref, change.after, context) : undefined;
  if (reusedSince !== undefined) return `${subject}@${rev}+${reusedSince}`;
  const unmoved = change.op === "update" && revOf(change.before.value) === rev;
  const ambiguous = unmoved || shouldHaveBeenSeen(rev, context);
  return ambiguous ? `${subject}@${rev}${seen}` : `${subject}@${rev}`;
}

function pollOf({ observation, occasion }: EventContext): string {
  return `+${observation.toIndex}${occasion === undefined ? "" : `.${occasion}`}`;
}

/** Which of the objects that had this key: by its creation, told from creations of the history before a restore. */
function creationOf({ ref, before }: Change & { op: "delete" }, context: EventContext): string {
  const { observation } = context;
  const created = createIndexOf(before.value);
  const seen = pollOf(context);
  if (created === undefined) return seen;
  const reusedSince = reusedSinceOf(ref, before, context);
  if (reusedSince !== undefined && observation.mode !== "resync") return `${created}+${reusedSince}`;
  return observation.mode === "resync" ? `${created}${seen}` : created;
}

/**
 * When the namespace of an object that is older was created: what outlives namespaces of one name comes and goes with
 * each of them, maybe at one and the same index of its own list.
 */
function reusedSinceOf(ref: ObjectRef, stub: Stub, { reusedNamespaces }: EventContext): string | undefined {
  const reusedSince = reusedNamespaces?.get(ref.namespace);
  const created = createIndexOf(stub.value);
  const isOlder = reusedSince !== undefined && created !== undefined && BigInt(created) < BigInt(reusedSince);
  return isOlder ? reusedSince : undefined;
}

/** A version that was overtaken before a poll saw it. */
export function versionId(
  ref: ObjectRef,
  created: string | null,
  version: number,
  { nomadEpoch }: EventContext,
): string {
  return `${nomadEpoch}/${subjectOf(ref)}@${created ?? ""}!v${version}`;
}

/** `0/jobs/default/web@884210+884213!snapshot`: what the object was at that poll. */
export function snapshotId(ref: ObjectRef, stub: Stub, context: EventContext): string {
  const { nomadEpoch, observation } = context;
  return `${nomadEpoch}/${subjectOf(ref)}@${revOf(stub.value) ?? ""}+${observation.toIndex}!snapshot`;
}

/**
 * Whether an object got to this rev by the previous poll: the token has come to see more, or the part that had the
 * highest index came or went, so that the rev is one it had before.
 */
function shouldHaveBeenSeen(rev: string, { observation, occasion }: EventContext): boolean {
  const { fromIndex, toIndex } = observation;
  // Found at an index that was seen before, nobody knows when it came.
  if (fromIndex === null) return occasion !== undefined;
  const from = BigInt(fromIndex);
  // An index that went back is of another history, whose indexes say nothing about this one.
  return from <= BigInt(toIndex) && BigInt(rev) <= from;
}
