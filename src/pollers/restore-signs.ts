import type { Change, Stub } from "../schemas/change.ts";
import { createIndexOf, indexesOf, revOf, subjectOf, type ObjectRef } from "../schemas/resources.ts";
import { scopeName, type Scope } from "../schemas/scope.ts";

/** What of an answer is held against the last one. */
export interface Succession {
  readonly scope: Scope;
  readonly index: string;
  readonly lastIndex: string | null;
  /** Highest index that was answered before this list was asked for; null where none was. */
  readonly floor: string | null;
  readonly changes: readonly Change[];
}

/**
 * Something in an answer that cannot follow the last answer in one history of Nomad's state. Each kind has innocent
 * explanations too, which have to be asked for before it is accepted:
 *
 * - went-back: an index fell. Also seen on a server that lags, or was the leader until a moment ago.
 * - overtaken: an object got to an index at which the list was read already, without it. Also seen where the last
 *   list was read with other rights.
 * - appeared: an object is there that was created by the last index. Also seen where rights widened, and where a
 *   namespace came back whose former objects were not collected yet.
 */
export interface Sign {
  readonly kind: "went-back" | "overtaken" | "appeared";
  /** Names the object and both revisions, or the list and both indexes. */
  readonly reason: string;
  /** Of an object that appeared, and when it was created. */
  readonly appeared?: { readonly ref: ObjectRef; readonly createIndex: bigint };
}

/** Finds the signs of a restore in an answer, the strongest first. Pure. */
export function* restoreSigns(succession: Succession): Generator<Sign> {
  const { scope, index, lastIndex, floor, changes } = succession;
  const last = lastIndex === null ? null : BigInt(lastIndex);
  if (floor !== null && BigInt(index) < BigInt(floor)) {
    const reason = `the index of ${scopeName(scope)} went back from ${floor} to ${index}`;
    yield { kind: "went-back", reason };
  }
  for (const change of changes) {
    if (change.op === "update") yield* signsOfUpdate(change, last);
    else if (change.op === "create" && last !== null) yield* signsOfCreate(change, last);
  }
}

function* signsOfUpdate(change: Change & { op: "update" }, last: bigint | null): Generator<Sign> {
  const [before, after] = [createIndexOf(change.before.value), createIndexOf(change.after.value)];
  if (before !== after && before !== undefined && after !== undefined) {
    yield* signsOfIndex(change.ref, "CreateIndex", { before, after, last });
    return;
  }
  const [was, is] = [indexesOf(change.before.value), indexesOf(change.after.value)];
  // An index that was not there before, or is not there now, says nothing: its part came or went.
  for (const name of ["ModifyIndex", "JobSummary.ModifyIndex"] as const) {
    const [from, to] = [was[name], is[name]];
    if (from === undefined || to === undefined || from === to) continue;
    yield* signsOfIndex(change.ref, name, { before: from, after: to, last });
  }
}

function* signsOfIndex(
  ref: ObjectRef,
  name: string,
  { before, after, last }: { before: string; after: string; last: bigint | null },
): Generator<Sign> {
  const from = `${name} of ${subjectOf(ref)}`;
  if (BigInt(after) < BigInt(before)) {
    yield { kind: "went-back", reason: `${from} went back from ${before} to ${after}` };
  } else if (last !== null && BigInt(after) <= last) {
    const reason = `${from} went from ${before} to ${after}, but at index ${last} it was still ${before}`;
    yield { kind: "overtaken", reason };
  }
}

function* signsOfCreate({ ref, after }: { ref: ObjectRef; after: Stub }, last: bigint): Generator<Sign> {
  const created = createIndexOf(after.value) ?? revOf(after.value);
  if (created === undefined || BigInt(created) > last) return;
  const reason = `${subjectOf(ref)} appeared with CreateIndex ${created}, but at index ${last} it was not there`;
  yield { kind: "appeared", reason, appeared: { ref, createIndex: BigInt(created) } };
}
