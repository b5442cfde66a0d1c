import type { Consistency, ListResponse, NomadApi } from "../nomad/api.ts";
import type { Change } from "../schemas/change.ts";
import { ChangefeedError } from "../schemas/errors.ts";
import { revOf, type ObjectRef } from "../schemas/resources.ts";
import { scopeName, type Scope } from "../schemas/scope.ts";
import { diffSnapshot, retainObjects, type DiffResult, type Snapshot } from "../snapshots/snapshot.ts";
import { isSuspicious, judge } from "./access-guard.ts";
import type { Clock } from "./clock.ts";

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

const MAX_ROUNDS = 4;

/**
 * Asks Nomad for the scope's list and finds out what of the answer to believe. Whatever looks wrong (index or
 * revs that went back, objects missing in numbers) is asked again with default consistency, after the token's
 * rights were checked: only a list read after a successful check counts.
 * Rejects with NomadError, MalformedList or Distrusted; nothing is then known.
 */
export async function observe(nomad: NomadApi, clock: Clock, input: ObserveInput): Promise<Observation> {
  const { scope, previous, lastIndex, signal } = input;
  const judged = new Set<string>();
  const hiddenNamespaces = new Set<string>();
  let namespaceGone = false;
  let response = await ask(nomad, input);
  for (let round = 1; round <= MAX_ROUNDS; round += 1) {
    input.onMove();
    const fresh = round > 1;
    const diff = await diffInSlices(clock, input, response.body);
    const missing = diff.changes.filter((change) => change.op === "delete").map((change) => change.ref);
    const seen = diff.changes.filter((change) => !input.hiddenBefore.has(judgedName(scope, change.ref)));
    const restored = restoredBecause(scope, response, seen, lastIndex);
    const unjudged = missing.filter((ref) => !judged.has(judgedName(scope, ref)));
    const suspicious = isSuspicious({
      scope,
      before: previous.count,
      after: diff.next.count,
      missing: unjudged,
      namespacesLeft: () => namespacesOf(diff.next),
    });
    if (!suspicious && (restored === null || fresh)) {
      if (restored !== null && scope.namespace === "*" && response.index === "0") {
        throw new Distrusted(`Nomad answered ${scopeName(scope)} with index 0`, {
          hint: "The token has rights in no namespace any more; give it back what it had, or another token",
        });
      }
      const hidden = missing.filter((ref) => hiddenNamespaces.has(judgedName(scope, ref)));
      return believe({ input, response, diff, hidden, restored, hiddenNamespaces, namespaceGone });
    }
    if (suspicious) {
      const verdict = await judge(nomad, scope, unjudged, signal);
      for (const ref of unjudged) judged.add(judgedName(scope, ref));
      for (const ref of verdict.hidden) hiddenNamespaces.add(judgedName(scope, ref));
      namespaceGone ||= verdict.namespaceGone;
    }
    response = await nomad.list({ ...target(scope), consistency: "default", signal });
  }
  throw new Distrusted(`Nomad's answers for ${scopeName(scope)} kept contradicting each other`, {
    hint: "Nothing was recorded of them; if it goes on, look at the servers' leader elections and at proxies between",
  });
}

function believe(found: {
  input: ObserveInput;
  response: ListResponse;
  diff: DiffResult;
  hidden: readonly ObjectRef[];
  restored: string | null;
  hiddenNamespaces: ReadonlySet<string>;
  namespaceGone: boolean;
}): Observation {
  const { input, response, diff, hidden } = found;
  const kept = new Set(hidden);
  return {
    response,
    next: hidden.length === 0 ? diff.next : retainObjects(diff.next, input.previous, hidden),
    changes: hidden.length === 0 ? diff.changes : diff.changes.filter((change) => !kept.has(change.ref)),
    restored: found.restored,
    hiddenNamespaces: [...found.hiddenNamespaces],
    namespaceGone: found.namespaceGone,
  };
}

/** What rights are checked by: the namespace, which for the namespaces themselves is their key. */
function judgedName(scope: Scope, ref: ObjectRef): string {
  return scope.resource === "namespaces" ? ref.key : ref.namespace;
}

function target(scope: Scope): { resource: Scope["resource"]; namespace: string } {
  return { resource: scope.resource, namespace: scope.namespace };
}

async function ask(nomad: NomadApi, input: ObserveInput): Promise<ListResponse> {
  const { scope, lastIndex, waitMs, consistency, signal } = input;
  const request = { ...target(scope), consistency, signal };
  if (waitMs === null || lastIndex === null) return nomad.list(request);
  return nomad.list({ ...request, index: lastIndex, waitMs });
}

async function diffInSlices(clock: Clock, input: ObserveInput, body: Buffer): Promise<DiffResult> {
  const steps = diffSnapshot(input.previous, body, { canonical: input.canonical });
  for (;;) {
    const step = steps.next();
    if (step.done === true) return step.value;
    input.onMove();
    await clock.breathe();
  }
}

function namespacesOf(snapshot: Snapshot): ReadonlySet<string> {
  const names = new Set<string>();
  for (const ref of snapshot.refs()) names.add(ref.namespace);
  return names;
}

/**
 * Why this answer cannot follow the last one in one history of Nomad's state. Within one history a table's
 * index never falls, and an object that was not at rev R when the table was read at index N ≥ R never gets to R.
 * Where rights can widen (`*`, the namespace list) an old object may appear, so appearing proves nothing there.
 */
export function restoredBecause(
  scope: Scope,
  response: Pick<ListResponse, "index">,
  changes: readonly Change[],
  lastIndex: string | null,
): string | null {
  if (lastIndex === null) return null;
  const last = BigInt(lastIndex);
  if (BigInt(response.index) < last) return `index went back from ${lastIndex} to ${response.index}`;
  const mayWiden = scope.namespace === "*" || scope.resource === "namespaces";
  for (const change of changes) {
    if (change.op === "delete" || (change.op === "create" && mayWiden)) continue;
    const rev = revOf(change.after.value);
    const before = change.op === "update" ? revOf(change.before.value) : undefined;
    if (rev === undefined || rev === before) continue;
    if (BigInt(rev) <= last) {
      return `${change.ref.key} is at ${rev}, which index ${lastIndex} should have shown already`;
    }
  }
  return null;
}
