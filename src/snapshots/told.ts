import type { Change } from "../schemas/change.ts";
import { equalJson } from "../schemas/json.ts";
import type { ObjectRef } from "../schemas/resources.ts";
import { DEFAULT_SLICE_BYTES, PARSING_COSTS } from "./diff.ts";
import { stubOf, type RawSnapshot } from "./raw-snapshot.ts";

/** An object as the feed told it last. */
export interface ToldObject {
  readonly ref: ObjectRef;
  readonly stub: Buffer;
}

/**
 * Holds a list to what the feed has told of it, object by object, with no other shortcut than equal bytes. What the
 * diffs missed, for whatever reason, comes to light here, with the state that was told before.
 */
export class ToldComparison {
  readonly #snapshot: RawSnapshot;
  readonly #sliceBytes: number;
  readonly #changes: Change[] = [];
  /** Which of the list's objects were told. */
  readonly #met: Uint8Array;
  #work = 0;

  constructor(snapshot: RawSnapshot, sliceBytes: number = DEFAULT_SLICE_BYTES) {
    this.#snapshot = snapshot;
    this.#sliceBytes = sliceBytes;
    this.#met = new Uint8Array(snapshot.count);
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

  /** Once all were compared: what the list says and the feed does not. */
  *changes(): Generator<void, Change[]> {
    for (let row = this.#met.indexOf(0); row >= 0; row = this.#met.indexOf(0, row + 1)) {
      this.#changes.push({
        op: "create",
        ref: this.#snapshot.refAt(row),
        after: stubOf(this.#snapshot.resource, this.#snapshot.bytesAt(row)),
      });
      if (this.#changes.length % 1000 === 0) yield;
    }
    return this.#changes;
  }

  #compare({ ref, stub }: ToldObject): void {
    const { resource } = this.#snapshot;
    const row = this.#snapshot.rowOfRef(ref);
    if (row < 0) {
      this.#changes.push({ op: "delete", ref, before: stubOf(resource, stub) });
      return;
    }
    this.#met[row] = 1;
    const bytes = this.#snapshot.bytesAt(row);
    this.#work += stub.length;
    if (bytes.equals(stub)) return;
    this.#work += (bytes.length + stub.length) * PARSING_COSTS;
    const before = stubOf(resource, stub);
    const after = stubOf(resource, bytes);
    if (!equalJson(before.value, after.value)) this.#changes.push({ op: "update", ref, before, after });
  }
}
