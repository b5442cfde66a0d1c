import type { Change } from "../schemas/change.ts";
import { subjectOf, type ObjectRef } from "../schemas/resources.ts";
import { changeBetween } from "./change-between.ts";
import { DEFAULT_SLICE_BYTES, PARSING_COSTS } from "./diff.ts";
import { copyOf, LayeredSnapshot } from "./layered-snapshot.ts";
import { Overlay, type Entry, type Place } from "./overlay.ts";
import type { RawList } from "./raw-list.ts";

/** A new list, and what differs in it from the list before. */
export interface NewList {
  readonly list: RawList;
  readonly changes: Change[];
  /** Index at which it is true. Undefined: newer than all that is known. */
  readonly index: bigint | undefined;
}

/**
 * Takes a snapshot's overlay to a new list: what is newer than the list stays on top of it, the rest gives way.
 * Answers what differs from what was known. Costs what the overlay costs, whatever the size of the list.
 */
export function* rebaseInSlices(
  known: LayeredSnapshot,
  next: NewList,
  sliceBytes: number = DEFAULT_SLICE_BYTES,
): Generator<void, { readonly next: LayeredSnapshot; readonly changes: Change[] }> {
  const { list, changes, index } = next;
  if (known.overlay.isEmpty) return { next: new LayeredSnapshot(list, { index: index ?? 0n }), changes };
  const rebase = new Rebase(known, next);
  for (const [place, entry] of known.overlay.entries()) {
    if (index !== undefined && entry.index > index) rebase.keep(place, entry);
    else if (entry.stub !== undefined) rebase.giveWay(place);
    if (rebase.work < sliceBytes) continue;
    rebase.work = 0;
    yield;
  }
  return { next: rebase.snapshot(), changes: rebase.changes() };
}

/** Looking up an object in the list, in bytes read one by one. */
const LOOKING_UP_COSTS = 1024;

class Rebase {
  /** Since the last pause, in bytes read one by one. */
  work = 0;
  readonly #known: LayeredSnapshot;
  readonly #list: RawList;
  readonly #index: bigint | undefined;
  readonly #changes: Map<string, Change>;
  readonly #kept = new Map<Place, Entry>();
  #count: number;

  constructor(known: LayeredSnapshot, { list, changes, index }: NewList) {
    this.#known = known;
    this.#list = list;
    this.#index = index;
    this.#changes = new Map(changes.map((change) => [subjectOf(change.ref), change]));
    this.#count = list.count;
  }

  keep(place: Place, { stub, index }: Entry): void {
    const { ref, row, before, after } = this.#sides(place);
    const subject = subjectOf(ref);
    this.#changes.delete(subject);
    const isListed = row >= 0 && this.#change(ref, before, after) === undefined;
    if (before === null && row >= 0) this.#count--;
    if (before !== null && row < 0) this.#count++;
    const own = before && (stub ?? copyOf(before));
    this.#kept.set(row < 0 ? subject : row, {
      ref: row < 0 ? ref : undefined,
      stub: isListed ? undefined : own,
      index,
    });
  }

  giveWay(place: Place): void {
    const { ref, before, after } = this.#sides(place);
    const change = this.#change(ref, before, after);
    if (change === undefined) this.#changes.delete(subjectOf(ref));
    else this.#changes.set(subjectOf(ref), change);
  }

  snapshot(): LayeredSnapshot {
    return new LayeredSnapshot(this.#list, {
      index: this.#index ?? 0n,
      overlay: Overlay.EMPTY.with(this.#kept),
      count: this.#count,
    });
  }

  /** Deletes last. */
  changes(): Change[] {
    const changes = [...this.#changes.values()];
    const deletes = changes.filter(({ op }) => op === "delete");
    return [...changes.filter(({ op }) => op !== "delete"), ...deletes];
  }

  /** The object as it was known, and as the list has it. */
  #sides(place: Place): { ref: ObjectRef; row: number; before: Buffer | null; after: Buffer | null } {
    const ref = this.#known.refAt(place);
    const row = this.#list.rowOfRef(ref);
    const after = row < 0 ? null : this.#list.bytesAt(row);
    this.work += LOOKING_UP_COSTS;
    return { ref, row, before: this.#known.bytesAt(place), after };
  }

  #change(ref: ObjectRef, before: Buffer | null, after: Buffer | null): Change | undefined {
    if (before !== null && after !== null && before.equals(after)) return undefined;
    this.work += ((before?.length ?? 0) + (after?.length ?? 0)) * PARSING_COSTS;
    return changeBetween(this.#list.resource, ref, before, after);
  }
}
