import type { Change } from "../schemas/change.ts";
import type { ObjectRef } from "../schemas/resources.ts";
import { changeBetween } from "./change-between.ts";
import { DEFAULT_SLICE_BYTES, PARSING_COSTS } from "./diff.ts";
import type { LayeredSnapshot } from "./layered-snapshot.ts";
import type { Place } from "./overlay.ts";
import { stubOf } from "./raw-list.ts";

/** An object as the feed told it last. */
export interface ToldObject {
  readonly ref: ObjectRef;
  readonly stub: Buffer;
}

/**
 * Holds a snapshot to what the feed has told of it, object by object, with no other shortcut than equal bytes. What
 * the diffs missed, for whatever reason, comes to light here, with the state that was told before.
 */
export class ToldComparison {
  readonly #snapshot: LayeredSnapshot;
  readonly #sliceBytes: number;
  readonly #changes: Change[] = [];
  /** Where those objects are that were told. */
  readonly #met = new Set<Place>();
  #work = 0;

  constructor(snapshot: LayeredSnapshot, sliceBytes: number = DEFAULT_SLICE_BYTES) {
    this.#snapshot = snapshot;
    this.#sliceBytes = sliceBytes;
  }

  /** Compares some of the told objects. Yields between slices of work. */
  *add(told: Iterable<ToldObject>): Generator<void, void> {
    for (const object of told) {
      this.#compare(object);
      if (this.#work < this.#sliceBytes) continue;
      this.#work = 0;
      yield;
    }
  }

  /** Once all were compared: what Nomad says and the feed does not. */
  *changes(): Generator<void, Change[]> {
    const { resource } = this.#snapshot;
    for (const place of this.#snapshot.places()) {
      if (this.#met.has(place)) continue;
      const after = stubOf(resource, this.#snapshot.bytesAt(place) as Buffer);
      this.#changes.push({ op: "create", ref: this.#snapshot.refAt(place), after });
      if (this.#changes.length % 1000 === 0) yield;
    }
    return this.#changes;
  }

  #compare({ ref, stub }: ToldObject): void {
    const place = this.#snapshot.placeOf(ref);
    const bytes = this.#snapshot.bytesAt(place);
    this.#met.add(place);
    this.#work += stub.length;
    if (bytes?.equals(stub) === true) return;
    this.#work += ((bytes?.length ?? 0) + stub.length) * PARSING_COSTS;
    const change = changeBetween(this.#snapshot.resource, ref, stub, bytes);
    if (change !== undefined) this.#changes.push(change);
  }
}
