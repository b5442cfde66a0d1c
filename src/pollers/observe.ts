import type { Consistency, ListRequest, ListResponse, NomadApi } from "../nomad/api.ts";
import { NomadError } from "../nomad/errors.ts";
import type { Change } from "../schemas/change.ts";
import { ChangefeedError } from "../schemas/errors.ts";
import { createIndexOf, RESOURCES, revOf, type ObjectRef } from "../schemas/resources.ts";
import { scopeName, type Scope } from "../schemas/scope.ts";
import {
  diffSnapshot,
  parseSnapshot,
  retainObjects,
  type DiffResult,
  type Snapshot,
} from "../snapshots/snapshot.ts";
import { isSuspicious, judge, type Verdict } from "./access-guard.ts";
import { inSlices, type Clock } from "./clock.ts";

/** Nomad's answers contradict each other, or hide objects; nothing of them is believed. */
export class Distrusted extends ChangefeedError {
  readonly code = "NOMAD_DISTRUSTED";
  readonly retryable = true;
}

/** A poll's answer after every guard: what is true in the scope now, and what differs from before. */
export interface Observation {
  readonly response: ListResponse;
  readonly next: Snapshot;
  readonly changes: readonly Change[];
  /** Why Nomad's state is another than the one seen before; null where history goes on. */
  readonly restored: string | null;
  /** Namespaces whose objects the token may no longer see; their last state is kept. */
  readonly hiddenNamespaces: readonly string[];
  readonly namespaceGone: boolean;
}

export interface ObserveInput {
  readonly scope: Scope;
  readonly previous: Snapshot;
  /** Index of the last believed answer, in decimal; null before the first. */
  readonly lastIndex: string | null;
  /** Whether objects may come to sight that were there at `lastIndex`: rights can widen, or were another scope's. */
  readonly mayWiden: boolean;
  /** Whether the feed has told that this object was deleted. */
  readonly wasDeleted: (ref: ObjectRef) => Promise<boolean>;
  /** Namespaces whose objects were kept unseen at the last answer: their revs prove nothing. */
  readonly hiddenBefore: ReadonlySet<string>;
  /** Whether to hold the query until something changes, and for how long, ms. */
  readonly waitMs: number | null;
  readonly consistency: Consistency;
  readonly canonical: boolean;
  readonly signal: AbortSignal;
  /** Called whenever the poll gets on, for the watchdog. */
  readonly onMove: () => void;
}

/**
 * Asks Nomad for the scope's list and finds out what of the answer to believe. Where something looks wrong (index
 * or revs that went back, objects missing in numbers) the token's rights are checked, the list is read again with
 * default consistency, and the rights are checked again: what both checks allow is believed.
 * Rejects with NomadError, MalformedList or Distrusted; nothing is then known.
 */
export async function observe(nomad: NomadApi, clock: Clock, input: ObserveInput): Promise<Observation> {
  const first = await look(clock, input, await ask(nomad, input));
  if (!first.suspicious && first.restored === null) return believe(input, first, NOTHING_HIDDEN);
  const before = first.suspicious
    ? await judge(nomad, input.scope, first.missing, input.signal)
    : NOTHING_HIDDEN;
  input.onMove();
  const again = await nomad.list({ ...target(input), consistency: "default" });
  const second = await look(clock, input, again);
  const after = second.suspicious
    ? await judge(nomad, input.scope, second.missing, input.signal)
    : NOTHING_HIDDEN;
  input.onMove();
  const verdict = {
    hiddenNamespaces: [...new Set([...before.hiddenNamespaces, ...after.hiddenNamespaces])],
    namespaceGone: after.namespaceGone,
  };
  if (second.diff.next.count === 0) await doubtEmptyAnswer(nomad, input, second, verdict);
  return believe(input, second, verdict);
}

/** One answer and what differs in it from the state. */
interface Look {
  readonly response: ListResponse;
  readonly diff: DiffResult;
  readonly missing: readonly ObjectRef[];
  readonly suspicious: boolean;
  readonly restored: string | null;
}

const NOTHING_HIDDEN: Verdict = { hiddenNamespaces: [], namespaceGone: false };

async function look(clock: Clock, input: ObserveInput, response: ListResponse): Promise<Look> {
  const { scope, previous, lastIndex, mayWiden, hiddenBefore } = input;
  const steps = diffSnapshot(previous, response.body, { canonical: input.canonical });
  const diff = await inSlices(steps, { clock, onMove: input.onMove, signal: input.signal });
  const missing = diff.changes.filter((change) => change.op === "delete").map((change) => change.ref);
  const suspicious = isSuspicious({
    scope,
    before: previous.count,
    after: diff.next.count,
    missing,
    namespacesLeft: () => namespacesOf(diff.next),
  });
  const known = diff.changes.filter((change) => !hiddenBefore.has(rightsName(scope, change.ref)));
  const restored =
    restoredBecause({ index: response.index, changes: known, lastIndex, mayWiden }) ??
    (await resurrected(input, known));
  return { response, diff, missing, suspicious, restored };
}

function believe(
  input: ObserveInput,
  { response, diff, missing, restored }: Look,
  verdict: Verdict,
): Observation {
  const hiddenNames = new Set(verdict.hiddenNamespaces);
  const hidden = missing.filter((ref) => hiddenNames.has(rightsName(input.scope, ref)));
  const kept = new Set(hidden);
  return {
    response,
    next: hidden.length === 0 ? diff.next : retainObjects(diff.next, input.previous, hidden),
    changes: hidden.length === 0 ? diff.changes : diff.changes.filter((change) => !kept.has(change.ref)),
    restored,
    hiddenNamespaces: [...new Set(hidden.map((ref) => rightsName(input.scope, ref)))],
    namespaceGone: verdict.namespaceGone,
  };
}

/**
 * An empty `*` list says little: Nomad answers it with index 0 where the token has rights in no namespace, and
 * before 1.2.4 for evaluations and deployments whatever there is. A namespace that had objects has to agree.
 */
async function doubtEmptyAnswer(
  nomad: NomadApi,
  input: ObserveInput,
  { response, missing }: Look,
  verdict: Verdict,
) {
  const { scope, previous, signal } = input;
  if (scope.namespace !== "*") return;
  const unexplained = verdict.hiddenNamespaces.length > 0 || previous.count === 0;
  if (response.index === "0" && input.lastIndex !== null && input.lastIndex !== "0" && unexplained) {
    throw new Distrusted(`Nomad answered ${scopeName(scope)} with index 0`, {
      hint: "The token has rights in no namespace any more; give it back what it had, or another token",
    });
  }
  const witness = missing.find((ref) => !verdict.hiddenNamespaces.includes(ref.namespace));
  if (witness === undefined) return;
  const single = await nomad.list({
    resource: scope.resource,
    namespace: witness.namespace,
    consistency: "default",
    signal,
  });
  if (parseSnapshot(RESOURCES[scope.resource], single.body).count === 0) return;
  throw new Distrusted(
    `Nomad lists ${scopeName(scope)} as empty, but not ${scope.resource}/${witness.namespace}`,
    {
      hint: "Nomad before 1.2.4 does so: raise --max-connections so that namespaces are watched one by one",
    },
  );
}

/** What rights go by: the namespace, which for the namespaces themselves is their key. */
function rightsName(scope: Scope, ref: ObjectRef): string {
  return scope.resource === "namespaces" ? ref.key : ref.namespace;
}

function target({ scope, previous, signal }: ObserveInput): ListRequest {
  const { resource, namespace } = scope;
  return { resource, namespace, likelyBytes: previous.byteLength, signal };
}

async function ask(nomad: NomadApi, input: ObserveInput): Promise<ListResponse> {
  const { lastIndex, waitMs, consistency } = input;
  const watching = waitMs === null || lastIndex === null ? {} : { index: lastIndex, waitMs };
  try {
    return await nomad.list({ ...target(input), ...watching, consistency });
  } catch (error) {
    // A server out of touch has nothing to say; the leader has, or another address.
    if (!(error instanceof NomadError) || error.code !== "NOMAD_STALE_RESPONSE") throw error;
    return nomad.list({ ...target(input), consistency: "default" });
  }
}

function namespacesOf(snapshot: Snapshot): ReadonlySet<string> {
  const names = new Set<string>();
  for (const ref of snapshot.refs()) names.add(ref.namespace);
  return names;
}

/** What of an answer is held against the last one: its index and changes, and whether rights may have widened. */
interface Succession {
  readonly index: string;
  readonly changes: readonly Change[];
  readonly lastIndex: string | null;
  readonly mayWiden: boolean;
}

/**
 * Why this answer cannot follow the last one in one history of Nomad's state. Within one history a table's index
 * never falls, no object's rev does, an object that was not at rev R when the table was read at index N ≥ R never
 * gets to R, and one that was created by then was seen. Where rights can widen an old object may come to sight, so
 * that proves nothing there.
 */
export function restoredBecause({ index, changes, lastIndex, mayWiden }: Succession): string | null {
  const last = lastIndex === null ? null : BigInt(lastIndex);
  if (last !== null && BigInt(index) < last) return `index went back from ${lastIndex} to ${index}`;
  for (const change of changes) {
    if (change.op === "update") {
      const reason = wentBack(change, last);
      if (reason !== null) return reason;
    } else if (!mayWiden && isOld(change, last)) {
      return `${change.ref.key} appeared, which index ${lastIndex} should have shown already`;
    }
  }
  return null;
}

function wentBack(change: Change & { op: "update" }, last: bigint | null): string | null {
  const rev = revOf(change.after.value);
  const before = revOf(change.before.value);
  if (rev === undefined || rev === before) return null;
  if (before !== undefined && BigInt(rev) < BigInt(before)) {
    return `${change.ref.key} went back from ${before} to ${rev}`;
  }
  const created = createIndexOf(change.after.value);
  const another = created !== undefined && created !== createIndexOf(change.before.value);
  if (last === null || BigInt(another ? created : rev) > last) return null;
  return `${change.ref.key} is at ${rev}, which index ${last} should have shown already`;
}

/** Whether an object that appeared was created by the last index already. */
function isOld(change: Change, last: bigint | null): boolean {
  if (change.op !== "create" || last === null) return false;
  const created = createIndexOf(change.after.value) ?? revOf(change.after.value);
  return created !== undefined && BigInt(created) <= last;
}

/** Where rights can widen: an old object that appears, and that the feed has told to be deleted, was restored. */
async function resurrected(input: ObserveInput, changes: readonly Change[]): Promise<string | null> {
  if (!input.mayWiden || input.lastIndex === null) return null;
  const last = BigInt(input.lastIndex);
  for (const change of changes) {
    if (!isOld(change, last) || !(await input.wasDeleted(change.ref))) continue;
    return `${change.ref.key} is back, which was deleted`;
  }
  return null;
}
