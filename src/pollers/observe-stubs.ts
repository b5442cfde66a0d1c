import type { NomadApi } from "../nomad/api.ts";
import type { Change } from "../schemas/change.ts";
import { subjectOf } from "../schemas/resources.ts";
import type { Clock } from "../shared/clock.ts";
import { foldInSlices, isFoldDue } from "../snapshots/fold.ts";
import { patchSnapshot, type PatchResult } from "../snapshots/snapshot.ts";
import { verifyAbsence } from "./access-guard.ts";
import { isQuiet } from "./flapping.ts";
import type { ReadStub } from "./hints/stub-reader.ts";
import { inSlices } from "./in-slices.ts";
import { origin, type ExamineInput, type Observation } from "./observe.ts";
import { restoreSigns } from "./restore-signs.ts";

/** What single objects tell: an observation of these alone, and why a whole list has to tell more. */
export interface StubsExamined {
  readonly observation: Observation;
  /** Null where all that was read is accepted. */
  readonly doubt: string | null;
}

/** What is not accepted of what was read, and why. */
interface Refused {
  readonly subjects: ReadonlySet<string>;
  readonly doubt: string | null;
}

/**
 * Finds out what of single stubs to accept. What looks like a restore, like lost rights, or like a change that no
 * index tells is left to the next whole list, which has the guards for it.
 * Rejects with NomadError where rights cannot be asked for, and MalformedList; nothing is then known.
 */
export async function examineStubs(
  nomad: NomadApi,
  clock: Clock,
  input: ExamineInput,
  read: readonly ReadStub[],
): Promise<StubsExamined> {
  const arrivedAtMs = clock.elapsed();
  const { known } = input;
  const pause = { clock, ...input };
  const apply = (reads: readonly ReadStub[]): Promise<PatchResult> =>
    inSlices(patchSnapshot(known.last.snapshot, reads, origin(input.scope)), pause);
  const all = await apply(read);
  const refused = await refuse(nomad, input, all.changes);
  const accepted = read.filter(({ ref }) => !refused.subjects.has(subjectOf(ref)));
  const patch = refused.subjects.size === 0 ? all : await apply(accepted);
  const observation: Observation = {
    index: String(highestIndex(read, BigInt(known.last.index ?? "0"))),
    bytes: read.reduce((sum, { body }) => sum + body.length, 0),
    arrivedAtMs,
    readMs: Math.max(0, ...read.map(({ readMs }) => readMs)),
    ...patch,
    next: isFoldDue(patch.next) ? await inSlices(foldInSlices(patch.next), pause) : patch.next,
    restored: null,
    hiddenNamespaces: [...known.hiddenNamespaces],
    namespaceGone: false,
    reusedNamespaces: new Map(),
    hinted: soleEvents(accepted),
  };
  return { observation, doubt: refused.doubt };
}

async function refuse(nomad: NomadApi, input: ExamineInput, changes: readonly Change[]): Promise<Refused> {
  const odd = changes.flatMap((change) => {
    const why = whyOdd(change, input);
    return why === null ? [] : [{ ref: change.ref, why }];
  });
  const unproven = await withoutProof(nomad, input, changes);
  const subjects = new Set([...odd.map(({ ref }) => subjectOf(ref)), ...unproven.subjects]);
  return { subjects, doubt: odd[0]?.why ?? unproven.doubt };
}

/** Signs of a restore; or no index moved: of servers of two versions, whole lists know which of it to tell. */
function whyOdd(change: Change, { scope, known }: ExamineInput): string | null {
  const lastIndex = known.last.index;
  const [sign] = restoreSigns({ scope, index: "0", lastIndex, floor: null, changes: [change] });
  if (sign !== undefined) return sign.reason;
  return isQuiet(change) ? `${subjectOf(change.ref)} changed and its index did not` : null;
}

/** An object that is not there is gone, unless the token may not see it any more. */
async function withoutProof(
  nomad: NomadApi,
  { scope, signal }: ExamineInput,
  changes: readonly Change[],
): Promise<Refused> {
  const gone = changes.filter(({ op }) => op === "delete").map(({ ref }) => ref);
  if (gone.length === 0) return { subjects: new Set(), doubt: null };
  const { hiddenNamespaces, namespaceGone } = await verifyAbsence(nomad, scope, gone, signal);
  if (hiddenNamespaces.length === 0 && !namespaceGone) return { subjects: new Set(), doubt: null };
  const doubt = namespaceGone ? "its namespace is gone" : `no rights in ${hiddenNamespaces.join(", ")}`;
  return { subjects: new Set(gone.map(subjectOf)), doubt };
}

function highestIndex(read: readonly ReadStub[], listed: bigint): bigint {
  return read.reduce((highest, { index }) => (index > highest ? index : highest), listed);
}

/** Versions of which alone an event was heard. */
function soleEvents(read: readonly ReadStub[]): ReadonlySet<string> {
  const sole = read.filter(({ soleEvent }) => soleEvent !== null);
  return new Set(sole.map(({ ref, soleEvent }) => `${subjectOf(ref)}@${soleEvent}`));
}
