import type { ListRequest, ListResponse, NomadApi } from "../nomad/api.ts";
import type { Change } from "../schemas/change.ts";
import { ChangefeedError } from "../schemas/errors.ts";
import { RESOURCES, type ObjectRef } from "../schemas/resources.ts";
import { scopeName, type Scope } from "../schemas/scope.ts";
import {
  diffSnapshot,
  parseSnapshot,
  retainObjects,
  type DiffResult,
  type ListComparison,
  type Snapshot,
} from "../snapshots/snapshot.ts";
import { isSeenByName, isSuspicious, verifyAbsence, type Verdict } from "./access-guard.ts";
import type { Clock } from "../shared/clock.ts";
import { inSlices } from "./in-slices.ts";
import { restoreSigns, type Sign } from "./restore-signs.ts";

export class ImplausibleResponse extends ChangefeedError {
  readonly code = "NOMAD_IMPLAUSIBLE";
}

/** A poll's answer after every guard: what is true in the scope now, and what differs from before. */
export interface Observation {
  /** X-Nomad-Index of the answer, in decimal. */
  readonly index: string;
  /** Size of what was read, bytes. */
  readonly bytes: number;
  /** When its body was whole, by the clock that nobody sets, ms. */
  readonly arrivedAtMs: number;
  /** How long it took to come, once Nomad answered, ms; of single objects, from when the slowest was asked for. */
  readonly readMs: number;
  readonly next: Snapshot;
  readonly changes: readonly Change[];
  /** Why Nomad's state is another than the one seen before; null where history goes on. */
  readonly restored: string | null;
  /** Namespaces whose objects the token may no longer see; their last state is kept. */
  readonly hiddenNamespaces: readonly string[];
  readonly namespaceGone: boolean;
  /** Objects with numbers that are none in JSON, which were read as null. */
  readonly nonNumbers: readonly ObjectRef[];
  /** Namespaces in which objects came back that outlived a former one, and when the present one was created. */
  readonly reusedNamespaces: ReadonlyMap<string, string>;
  /** Of objects that hints led to: as in EventContext. Null: this is a whole list. */
  readonly hinted: ReadonlySet<string> | null;
}

/** What the feed knows of a scope before a poll. */
export interface Known {
  /** The last accepted list, and its index in decimal; null before the first. */
  readonly last: {
    readonly snapshot: Snapshot;
    readonly index: string | null;
    /** The highest that was answered since, also for single objects. */
    readonly seenIndex: string | null;
  };
  /** Whether objects may come to sight that were there at the last index: rights can widen, or were another scope's. */
  readonly mayWiden: boolean;
  /** Whether the last index is another scope's, which may have been read with other rights. */
  readonly borrowed: boolean;
  /** Namespaces whose objects were kept unseen at the last answer: their revs prove nothing. */
  readonly hiddenNamespaces: ReadonlySet<string>;
  /** Whether the feed has told that the object created at that index was deleted. */
  wasDeleted(ref: ObjectRef, createIndex: bigint): Promise<boolean>;
}

export interface ExamineInput {
  readonly scope: Scope;
  readonly known: Known;
  readonly signal: AbortSignal;
  /** Called whenever the poll gets on, for the watchdog. */
  readonly onMove: () => void;
  /** Highest index that was answered before this list was asked for; by default of all that are known. */
  readonly floor?: string | null;
  /** When the list's body was whole; by default now. */
  readonly arrivedAtMs?: number;
  /** How the list differs from the last one, where that was found out meanwhile. */
  readonly compared?: ListComparison;
}

/**
 * Finds out which part of a scope's list to accept. Where something looks wrong (index or revs that went back, objects
 * missing in numbers) the token's rights are checked, the list is read again with default consistency, and the rights
 * are checked again: what both checks allow is accepted.
 * Rejects with NomadError, MalformedList or ImplausibleResponse; nothing is then known.
 */
export async function examine(
  nomad: NomadApi,
  clock: Clock,
  input: ExamineInput,
  response: ListResponse,
): Promise<Observation> {
  const first = await poll(nomad, clock, input, { response, ...input });
  if (!first.suspicious && first.sign === null) return accept(input, first, NOTHING_HIDDEN);
  const before = first.suspicious
    ? await verifyAbsence(nomad, input.scope, first.missing, input.signal)
    : NOTHING_HIDDEN;
  input.onMove();
  const second = await pollAgain(nomad, clock, input);
  const after = second.suspicious
    ? await verifyAbsence(nomad, input.scope, second.missing, input.signal)
    : NOTHING_HIDDEN;
  input.onMove();
  const verdict = {
    hiddenNamespaces: [...new Set([...before.hiddenNamespaces, ...after.hiddenNamespaces])],
    namespaceGone: after.namespaceGone,
  };
  if (second.diff.next.count === 0) await doubtEmptyAnswer(nomad, input, second, verdict);
  return accept(input, second, verdict);
}

/** A leader that the others gave up may take itself for one, and answer with what was, for half a second. */
const DEPOSED_LEADER_MS = 750;

/** Reads the list from the leader; where its indexes still went back, once more when no other can claim to be it. */
async function pollAgain(nomad: NomadApi, clock: Clock, input: ExamineInput): Promise<Poll> {
  const read = async (): Promise<Poll> => {
    const request = listOf(input.scope, input.known.last.snapshot, input.signal);
    return poll(nomad, clock, input, { response: await nomad.list({ ...request, consistency: "default" }) });
  };
  const again = await read();
  if (again.sign?.kind !== "went-back") return again;
  await clock.sleep(DEPOSED_LEADER_MS, input.signal);
  input.signal.throwIfAborted();
  return read();
}

/** One answer and what differs in it from the state. */
interface Poll {
  readonly response: ListResponse;
  readonly arrivedAtMs: number;
  readonly diff: DiffResult;
  readonly missing: readonly ObjectRef[];
  readonly suspicious: boolean;
  /** What shows that Nomad was restored, and has no innocent explanation that could be found. */
  readonly sign: Sign | null;
  readonly reusedNamespaces: ReadonlyMap<string, string>;
}

interface Answer extends Pick<ExamineInput, "arrivedAtMs" | "compared"> {
  readonly response: ListResponse;
}

const NOTHING_HIDDEN: Verdict = { hiddenNamespaces: [], namespaceGone: false };

async function poll(
  nomad: NomadApi,
  clock: Clock,
  input: ExamineInput,
  { response, arrivedAtMs = clock.elapsed(), compared }: Answer,
): Promise<Poll> {
  const { scope, known } = input;
  const previous = known.last.snapshot;
  const { floor = known.last.seenIndex } = input;
  const isBack = floor !== null && BigInt(response.index) < BigInt(floor);
  // What was read of single objects may be newer than this list; in another history that means nothing.
  const index = isBack ? {} : { index: BigInt(response.index) };
  const options = { ...origin(scope), ...index, ...(compared && { compared }) };
  const steps = diffSnapshot(previous, response.body, options);
  const diff = await inSlices(steps, { clock, onMove: input.onMove, signal: input.signal });
  const missing = diff.changes.filter((change) => change.op === "delete").map((change) => change.ref);
  const suspicious = isSuspicious({
    scope,
    before: previous.count,
    after: diff.next.count,
    missing,
    namespacesLeft: () => namespacesOf(diff.next),
  });
  const seen = diff.changes.filter(({ ref }) => !known.hiddenNamespaces.has(rightsName(scope, ref)));
  const namespaces = new Map<string, bigint | "absent" | "hidden">();
  const sign = await firstGuiltySign(nomad, input, { index: response.index, changes: seen, namespaces });
  const reusedNamespaces = new Map(
    [...namespaces].flatMap(([name, since]) => (typeof since === "bigint" ? [[name, String(since)]] : [])),
  );
  return { response, arrivedAtMs, diff, missing, suspicious, sign, reusedNamespaces };
}

/** What an answer says, and since when the namespaces that were asked for exist. */
interface Evidence {
  readonly index: string;
  readonly changes: readonly Change[];
  readonly namespaces: Map<string, bigint | "absent" | "hidden">;
}

async function firstGuiltySign(
  nomad: NomadApi,
  input: ExamineInput,
  { index, changes, namespaces }: Evidence,
): Promise<Sign | null> {
  const { scope, known } = input;
  const { index: lastIndex, seenIndex } = known.last;
  const { floor = seenIndex } = input;
  for (const sign of restoreSigns({ scope, index, lastIndex, floor, changes })) {
    if (sign.kind === "overtaken" && known.borrowed) continue;
    if (sign.appeared !== undefined && (await mayAppear(nomad, input, sign.appeared, namespaces))) continue;
    return sign;
  }
  return null;
}

/**
 * Whether an object may appear though it was created by the last index: where rights can widen, or its namespace does
 * not exist, and the feed has not told that it was deleted; and where it is older than its namespace, since it then
 * outlived a former namespace of that name, whose objects Nomad does not list to every token.
 */
async function mayAppear(
  nomad: NomadApi,
  { scope, known, signal }: ExamineInput,
  { ref, createIndex }: NonNullable<Sign["appeared"]>,
  namespaces: Evidence["namespaces"],
): Promise<boolean> {
  if (known.mayWiden && !(await known.wasDeleted(ref, createIndex))) return true;
  if (!RESOURCES[scope.resource].namespaced || ref.namespace === "default") return false;
  const since = namespaces.get(ref.namespace) ?? (await nomad.namespaceCreateIndex(ref.namespace, signal));
  namespaces.set(ref.namespace, since);
  if (since === "absent") return !(await known.wasDeleted(ref, createIndex));
  return since !== "hidden" && createIndex < since;
}

function accept(
  input: ExamineInput,
  { response, arrivedAtMs, diff, missing, sign, reusedNamespaces }: Poll,
  verdict: Verdict,
): Observation {
  const hiddenNames = new Set(verdict.hiddenNamespaces);
  const hidden = missing.filter((ref) => hiddenNames.has(rightsName(input.scope, ref)));
  const kept = new Set(hidden);
  return {
    index: response.index,
    bytes: response.body.length,
    arrivedAtMs,
    readMs: response.readMs,
    next: hidden.length === 0 ? diff.next : retainObjects(diff.next, input.known.last.snapshot, hidden),
    changes: hidden.length === 0 ? diff.changes : diff.changes.filter((change) => !kept.has(change.ref)),
    restored: sign?.reason ?? null,
    hiddenNamespaces: [...new Set(hidden.map((ref) => rightsName(input.scope, ref)))],
    namespaceGone: verdict.namespaceGone,
    nonNumbers: diff.nonNumbers,
    reusedNamespaces,
    hinted: null,
  };
}

/**
 * An empty `*` list says little: Nomad answers it with index 0 where the token has rights in no namespace, and
 * before 1.2.4 for evaluations and deployments whatever there is. A namespace that had objects has to agree.
 */
async function doubtEmptyAnswer(
  nomad: NomadApi,
  input: ExamineInput,
  { response, missing }: Poll,
  verdict: Verdict,
) {
  const { scope, known, signal } = input;
  const { snapshot: previous, index: lastIndex } = known.last;
  if (scope.namespace !== "*") return;
  const unexplained = verdict.hiddenNamespaces.length > 0 || previous.count === 0;
  if (response.index === "0" && lastIndex !== null && lastIndex !== "0" && unexplained) {
    throw new ImplausibleResponse(`Nomad answered ${scopeName(scope)} with index 0`, {
      hint: "The token has rights in no namespace any more; give it back what it had, or another token",
    });
  }
  const sample = missing.find((ref) => !verdict.hiddenNamespaces.includes(ref.namespace));
  if (sample === undefined) return;
  const single = await nomad.list({
    resource: scope.resource,
    namespace: sample.namespace,
    consistency: "default",
    signal,
  });
  const list = parseSnapshot(RESOURCES[scope.resource], single.body, { namespace: sample.namespace });
  if (list.count === 0) return;
  throw new ImplausibleResponse(
    `Nomad lists ${scopeName(scope)} as empty, but not ${scope.resource}/${sample.namespace}`,
    {
      hint: "Nomad before 1.2.4 does so: raise --max-connections so that namespaces are watched one by one",
    },
  );
}

/** What rights go by: the namespace, which for what is seen by its name is the key. */
function rightsName(scope: Scope, ref: ObjectRef): string {
  return isSeenByName(scope) ? ref.key : ref.namespace;
}

/** Whose the objects of a list are that do not name their namespace. */
export function origin({ namespace }: Scope): { namespace?: string } {
  return namespace === "*" || namespace === "-" ? {} : { namespace };
}

/** A request for the list, which is likely to be like the last one. */
export function listOf({ resource, namespace }: Scope, last: Snapshot, signal: AbortSignal): ListRequest {
  return { resource, namespace, likelyBytes: last.byteLength, signal };
}

function namespacesOf(snapshot: Snapshot): ReadonlySet<string> {
  const names = new Set<string>();
  for (const ref of snapshot.refs()) names.add(ref.namespace);
  return names;
}
