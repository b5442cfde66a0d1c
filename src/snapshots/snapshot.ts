import type { Change } from "../schemas/change.ts";
import type { ObjectRef, Resource } from "../schemas/resources.ts";
import { ListDiff, type DiffStats, type ListDiffResult, type SliceOptions } from "./diff.ts";
import { foldInSlices, isFoldDue } from "./fold.ts";
import { copyOf, layered, LayeredSnapshot, type Snapshot } from "./layered-snapshot.ts";
import { NeedsMending, type ListOrigin } from "./list-reader.ts";
import { mendInSlices } from "./mend.ts";
import type { Entry, Place } from "./overlay.ts";
import { joinInSlices, readAnyInSlices } from "./parse.ts";
import { Patch } from "./patch.ts";
import type { RawList } from "./raw-list.ts";
import { rebaseInSlices } from "./rebase.ts";
import { ToldComparison } from "./told.ts";

export type { Snapshot } from "./layered-snapshot.ts";

export interface DiffOptions extends SliceOptions {
  /**
   * Index of Nomad's table at which the list is true: what is known of an object at a higher one stays. Without it the
   * list is newer than all that is known, as after a restore, and older than all that is read later.
   */
  readonly index?: bigint;
  /** Spares the comparison where it is one of this body with the list that the snapshot still has. */
  readonly compared?: ListComparison;
}

/** What differs between a snapshot's list and a new one, whatever is laid on the snapshot meanwhile. */
export interface ListComparison extends ListDiffResult, Pick<DiffResult, "nonNumbers"> {
  readonly previous: RawList;
  readonly body: Buffer;
}

export interface DiffResult {
  /** Holds the new body, and nothing of the old one. */
  readonly next: Snapshot;
  /** In the order of the new list, deletes last. Stubs are copies: keeping one does not keep the list. */
  readonly changes: Change[];
  /** Objects with numbers that are none in JSON, which were read as null. */
  readonly nonNumbers: readonly ObjectRef[];
  readonly stats: DiffStats;
}

/** What Nomad answered about one object. */
export interface StubRead {
  readonly ref: ObjectRef;
  /** A list: with the object in it, or without it where there is none. Other objects may be in it and say nothing. */
  readonly body: Buffer;
  /** `body` is the object's stub alone, made here: it need not be looked through. */
  readonly isMade?: boolean;
  /** Index of Nomad's table at which it is true. */
  readonly index: bigint;
}

export interface PatchResult {
  /** Shares the list with the previous snapshot. */
  readonly next: Snapshot;
  /** In the order of the reads. Stubs are copies. */
  readonly changes: Change[];
  /** Objects with numbers that are none in JSON, which were read as null. */
  readonly nonNumbers: readonly ObjectRef[];
}

/**
 * Takes a list body for a snapshot. The body must not be written to afterwards. `null` and nothing at all are
 * empty lists.
 * @throws MalformedList where the body is not one whole JSON array of objects, each with a key of its own.
 */
export function parseSnapshot(resource: Resource, body: Buffer, origin: ListOrigin = {}): Snapshot {
  return new LayeredSnapshot(finish(readAnyInSlices(resource, body, Infinity, origin)).list);
}

/** The same, yielding whenever `sliceBytes` were read. */
export function* parseInSlices(
  resource: Resource,
  body: Buffer,
  sliceBytes?: number,
): Generator<void, Snapshot> {
  return new LayeredSnapshot((yield* readAnyInSlices(resource, body, sliceBytes)).list);
}

/**
 * Rebuilds a snapshot from stubs kept elsewhere, yielding whenever `sliceBytes` were joined or read.
 * @throws MalformedList as `parseSnapshot` does.
 */
export function* rebuildInSlices(
  resource: Resource,
  stubs: readonly Buffer[],
  sliceBytes?: number,
): Generator<void, Snapshot> {
  return new LayeredSnapshot(yield* joinInSlices(resource, stubs, sliceBytes));
}

/**
 * What differs between a snapshot and a new list: two objects are the same if their JSON is, whatever the order of
 * members. Yields between slices of work, so that the caller can let others run. The body becomes part of the next
 * snapshot and must not be written to afterwards.
 * @throws MalformedList; nothing of the list is used then.
 */
export function* diffSnapshot(
  previous: Snapshot,
  body: Buffer,
  options: DiffOptions = {},
): Generator<void, DiffResult> {
  const known = layered(previous);
  const { compared } = options;
  const isGood = compared?.previous === known.list && compared.body === body;
  const { list, changes, stats, nonNumbers } = isGood
    ? compared
    : yield* diffLists(known.list, body, options);
  const rebased = yield* rebaseInSlices(known, { list, changes, index: options.index }, options.sliceBytes);
  return { ...rebased, nonNumbers, stats };
}

/**
 * The dear part of `diffSnapshot`, which does not look at what is laid on the list: it may go on while that grows.
 * @throws MalformedList
 */
export function* compareLists(
  previous: Snapshot,
  body: Buffer,
  options: SliceOptions = {},
): Generator<void, ListComparison> {
  const { list } = layered(previous);
  return { ...(yield* diffLists(list, body, options)), previous: list, body };
}

/** `diffSnapshot` in one go. */
export function diffWhole(previous: Snapshot, body: Buffer, options: DiffOptions = {}): DiffResult {
  return finish(diffSnapshot(previous, body, options));
}

/**
 * Lays what was read of single objects on a snapshot. A read older than what is known of its object is passed over.
 * Costs what the reads cost, whatever the size of the list. Yields between slices of work.
 * @throws MalformedList; nothing of the reads is used then.
 */
export function* patchSnapshot(
  previous: Snapshot,
  reads: readonly StubRead[],
  options: SliceOptions = {},
): Generator<void, PatchResult> {
  const patch = new Patch(layered(previous));
  const nonNumbers: ObjectRef[] = [];
  for (const { ref, body, index, isMade = false } of reads) {
    if (isMade) {
      patch.add(ref, body, index);
      continue;
    }
    const { list, oddRows } = yield* readAnyInSlices(previous.resource, body, options.sliceBytes, options);
    const row = list.rowOfRef(ref);
    const isTaken = patch.add(ref, row < 0 ? null : list.bytesAt(row), index);
    if (isTaken && oddRows.includes(row)) nonNumbers.push(ref);
  }
  return { next: patch.applied(), changes: patch.changes, nonNumbers };
}

function* diffLists(
  previous: RawList,
  body: Buffer,
  options: SliceOptions,
): Generator<void, ListDiffResult & Pick<DiffResult, "nonNumbers">> {
  try {
    return { ...(yield* new ListDiff(previous, body, options).run()), nonNumbers: [] };
  } catch (error) {
    if (!(error instanceof NeedsMending)) throw error;
  }
  const { sliceBytes } = options;
  const { body: mended, oddRows } = yield* mendInSlices(previous.resource, body, options, sliceBytes);
  const result = yield* new ListDiff(previous, mended, sliceBytes === undefined ? {} : { sliceBytes }).run();
  return { ...result, nonNumbers: oddRows.map((row) => result.list.refAt(row)) };
}

/** Begins to hold a snapshot to what the feed has told of its objects. */
export function compareWithTold(snapshot: Snapshot, sliceBytes?: number): ToldComparison {
  return new ToldComparison(layered(snapshot), sliceBytes);
}

function finish<Result>(work: Generator<void, Result>): Result {
  for (;;) {
    const step = work.next();
    if (step.done === true) return step.value;
  }
}

/**
 * `next` plus these objects as they are in `previous`: for objects whose absence is not accepted. Those that are in
 * `next`, or not in `previous`, are passed over.
 */
export function retainObjects(next: Snapshot, previous: Snapshot, refs: readonly ObjectRef[]): Snapshot {
  const base = layered(next);
  const missing = refs.filter((ref) => base.bytesAt(base.placeOf(ref)) === null);
  const kept = entriesFrom(layered(previous), base, missing);
  return base.with(kept, kept.size);
}

/**
 * `next`, but with these objects, which are in both, as they are in `previous`: for changes that are not accepted yet.
 * Yields between slices of work.
 */
export function* withObjectsOf(
  next: Snapshot,
  previous: Snapshot,
  refs: readonly ObjectRef[],
): Generator<void, Snapshot> {
  const base = layered(next);
  const mixed = base.with(entriesFrom(layered(previous), base, refs), 0);
  return isFoldDue(mixed) ? yield* foldInSlices(mixed) : mixed;
}

/** Objects of `source` on top of `base`: to be told again by whatever is as new as `base`. */
function entriesFrom(
  source: LayeredSnapshot,
  base: LayeredSnapshot,
  refs: readonly ObjectRef[],
): ReadonlyMap<Place, Entry> {
  const entries = new Map<Place, Entry>();
  for (const ref of refs) {
    const bytes = source.bytesAt(source.placeOf(ref));
    const place = base.placeOf(ref);
    if (bytes === null) continue;
    entries.set(place, {
      ref: typeof place === "string" ? ref : undefined,
      stub: copyOf(bytes),
      index: base.indexAt(place),
    });
  }
  return entries;
}
