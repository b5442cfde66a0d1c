import type { Change } from "../schemas/change.ts";
import type { ObjectRef } from "../schemas/resources.ts";
import { changeBetween } from "./change-between.ts";
import { copyOf, type LayeredSnapshot } from "./layered-snapshot.ts";
import type { Entry, Place } from "./overlay.ts";

/** What reads of single objects make of a snapshot. */
export class Patch {
  readonly changes: Change[] = [];
  readonly #base: LayeredSnapshot;
  readonly #entries = new Map<Place, Entry>();
  #more = 0;

  constructor(base: LayeredSnapshot) {
    this.#base = base;
  }

  /** False where more recent things are known of the object. */
  add(ref: ObjectRef, view: Buffer | null, index: bigint): boolean {
    const place = this.#base.placeOf(ref);
    const known = this.#entries.get(place) ?? this.#base.overlay.get(place);
    if (index < (known?.index ?? this.#base.index)) return false;
    const before = known?.stub === undefined ? this.#base.bytesAt(place) : known.stub;
    const change = changeBetween(this.#base.resource, ref, before, view);
    if (change !== undefined) this.#note(change);
    const kept = known === undefined && typeof place === "string" ? null : known?.stub;
    const stub = change === undefined ? kept : view && copyOf(view);
    this.#entries.set(place, { ref: typeof place === "string" ? ref : undefined, stub, index });
    return true;
  }

  applied(): LayeredSnapshot {
    return this.#base.with(this.#entries, this.#more);
  }

  #note(change: Change): void {
    this.changes.push(change);
    if (change.op === "create") this.#more++;
    if (change.op === "delete") this.#more--;
  }
}
