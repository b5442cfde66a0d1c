import type { ObjectRef, Resource } from "../schemas/resources.ts";
import { DEFAULT_SLICE_BYTES, ListDiff, type DiffOptions, type DiffResult } from "./diff.ts";
import { ListReader, NeedsMending, type ListOrigin } from "./list-reader.ts";
import { mendInSlices } from "./mend.ts";
import { RawSnapshot, type Snapshot } from "./raw-snapshot.ts";
import { Rows } from "./rows.ts";
import { ToldComparison } from "./told.ts";

export type { DiffOptions, DiffResult } from "./diff.ts";
export type { Snapshot } from "./raw-snapshot.ts";

/**
 * Takes a list body for a snapshot. The body must not be written to afterwards. `null` and nothing at all are
 * empty lists.
 * @throws MalformedList where the body is not one whole JSON array of objects, each with a key of its own.
 */
export function parseSnapshot(resource: Resource, body: Buffer, origin: ListOrigin = {}): Snapshot {
  try {
    return finish(parseInSlices(resource, body, Infinity, origin));
  } catch (error) {
    if (!(error instanceof NeedsMending)) throw error;
    return finish(parseInSlices(resource, finish(mendInSlices(resource, body, origin)).body));
  }
}

/** The same, yielding whenever `sliceBytes` were read. */
export function* parseInSlices(
  resource: Resource,
  body: Buffer,
  sliceBytes: number = DEFAULT_SLICE_BYTES,
  origin: ListOrigin = {},
): Generator<void, Snapshot> {
  const reader = new ListReader(resource, body, origin);
  const rows = new Rows(0);
  let pauseAt = sliceBytes;
  while (reader.hasElement()) {
    rows.add(reader.readElement());
    if (reader.at < pauseAt) continue;
    pauseAt = reader.at + sliceBytes;
    yield;
  }
  const snapshot = new RawSnapshot(resource, body, rows);
  snapshot.assertDistinct();
  return snapshot;
}

/**
 * Rebuilds a snapshot from stubs kept elsewhere, yielding whenever `sliceBytes` were joined or read.
 * @throws MalformedList as `parseSnapshot` does.
 */
export function* rebuildInSlices(
  resource: Resource,
  stubs: readonly Buffer[],
  sliceBytes: number = DEFAULT_SLICE_BYTES,
): Generator<void, Snapshot> {
  const body = yield* joinInSlices(Buffer.from("["), stubs, sliceBytes);
  return yield* parseInSlices(resource, body, sliceBytes);
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
  try {
    return yield* new ListDiff(raw(previous), body, options).run();
  } catch (error) {
    if (!(error instanceof NeedsMending)) throw error;
  }
  const { body: mended, oddRows } = yield* mendInSlices(previous.resource, body, options, options.sliceBytes);
  const { sliceBytes } = options;
  const result = yield* new ListDiff(
    raw(previous),
    mended,
    sliceBytes === undefined ? {} : { sliceBytes },
  ).run();
  return { ...result, nonNumbers: oddRows.map((row) => raw(result.next).refAt(row)) };
}

/** The same in one go. */
export function diffWhole(previous: Snapshot, body: Buffer, options: DiffOptions = {}): DiffResult {
  return finish(diffSnapshot(previous, body, options));
}

/** Begins to hold a snapshot to what the feed has told of its objects. */
export function compareWithTold(snapshot: Snapshot, sliceBytes?: number): ToldComparison {
  return new ToldComparison(raw(snapshot), sliceBytes);
}

function finish<Result>(work: Generator<void, Result>): Result {
  for (;;) {
    const step = work.next();
    if (step.done === true) return step.value;
  }
}

/**
 * `next` plus these objects as they are in `previous`: for objects whose absence is not accepted. Those that are in
 * `next`, or not in `previous`, are passed over. The body is copied.
 */
export function retainObjects(next: Snapshot, previous: Snapshot, refs: readonly ObjectRef[]): Snapshot {
  const base = raw(next);
  const source = raw(previous);
  const missing = refs.filter((ref) => base.rowOfRef(ref) < 0).map((ref) => source.rowOfRef(ref));
  const kept = [...new Set(missing)].filter((row) => row >= 0);
  if (kept.length === 0) return next;
  const list = base.count === 0 ? Buffer.from("[") : base.body.subarray(0, base.rows.end(base.count - 1));
  const stubs = kept.map((row) => source.bytesAt(row));
  const body = finish(joinInSlices(list, stubs, DEFAULT_SLICE_BYTES));
  const rows = new Rows(base.count + kept.length);
  rows.addRun(base.rows, 0, base.count, 0);
  let end = list.length;
  for (const row of kept) {
    const start = rows.count === 0 ? end : end + 1;
    rows.addRun(source.rows, row, row + 1, start - source.rows.start(row));
    end = rows.end(rows.count - 1);
  }
  return new RawSnapshot(base.resource, body, rows);
}

/**
 * `next`, but with these objects as they are in `previous`: for changes that are not accepted yet. Yields between
 * slices of work. The body is copied.
 */
export function* withObjectsOf(
  next: Snapshot,
  previous: Snapshot,
  refs: readonly ObjectRef[],
): Generator<void, Snapshot> {
  const base = raw(next);
  const source = raw(previous);
  const replaced = new Map(refs.map((ref) => [base.rowOfRef(ref), source.rowOfRef(ref)]));
  const stubs = Array.from({ length: base.count }, (_, row) => {
    const other = replaced.get(row);
    return other === undefined ? base.bytesAt(row) : source.bytesAt(other);
  });
  return yield* rebuildInSlices(base.resource, stubs);
}

/** Ends a list that `list` begins, be it only by "[", with these stubs. */
function* joinInSlices(list: Buffer, stubs: readonly Buffer[], sliceBytes: number): Generator<void, Buffer> {
  const size = stubs.reduce((total, stub) => total + stub.length + 1, list.length + 1);
  const body = Buffer.allocUnsafeSlow(size);
  let end = list.copy(body);
  let pauseAt = end + sliceBytes;
  for (const stub of stubs) {
    if (end > 1) end += body.write(",", end);
    end += stub.copy(body, end);
    if (end < pauseAt) continue;
    pauseAt = end + sliceBytes;
    yield;
  }
  end += body.write("]", end);
  return body.subarray(0, end);
}

function raw(snapshot: Snapshot): RawSnapshot {
  if (snapshot instanceof RawSnapshot) return snapshot;
  throw new TypeError("A snapshot can only be compared if it was made here");
}
