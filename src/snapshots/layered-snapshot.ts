import type { Stub } from "../schemas/change.ts";
import { subjectOf, type ObjectRef, type Resource } from "../schemas/resources.ts";
import { Overlay, type Entry, type Place } from "./overlay.ts";
import { stubOf, type RawList } from "./raw-list.ts";

/** A scope's last known objects: the last whole list, and on top of it what was read of single objects since. */
export interface Snapshot {
  readonly resource: Resource;
  /** How many objects. */
  readonly count: number;
  /** Size of the list's raw body, bytes. */
  readonly byteLength: number;
  /** A copy: keeping it does not keep the snapshot. @throws MalformedList where its text is not JSON. */
  get(ref: ObjectRef): Stub | undefined;
  /** In list order, then those that are not in the list. */
  refs(): Iterable<ObjectRef>;
  /** The stubs' bytes in that order: views, so copy what outlives the snapshot. */
  stubs(): Iterable<Buffer>;
}

export interface Layers {
  /** Index of Nomad's table at which the list is true. 0: older than whatever is read from now on. */
  readonly index?: bigint;
  readonly overlay?: Overlay;
  /** How many objects there are in all. */
  readonly count?: number;
}

/** Never changes: what is added makes another one, which shares the list. */
export class LayeredSnapshot implements Snapshot {
  readonly list: RawList;
  readonly index: bigint;
  readonly overlay: Overlay;
  readonly count: number;

  constructor(list: RawList, { index = 0n, overlay = Overlay.EMPTY, count = list.count }: Layers = {}) {
    this.list = list;
    this.index = index;
    this.overlay = overlay;
    this.count = count;
  }

  get resource(): Resource {
    return this.list.resource;
  }

  get byteLength(): number {
    return this.list.body.length;
  }

  get(ref: ObjectRef): Stub | undefined {
    const bytes = this.bytesAt(this.placeOf(ref));
    return bytes === null ? undefined : stubOf(this.resource, bytes);
  }

  *refs(): Iterable<ObjectRef> {
    for (const place of this.places()) yield this.refAt(place);
  }

  *stubs(): Iterable<Buffer> {
    for (const place of this.places()) yield this.bytesAt(place) as Buffer;
  }

  /** Where the objects are that are there. */
  *places(): Iterable<Place> {
    for (let row = 0; row < this.list.count; row++) if (this.overlay.get(row)?.stub !== null) yield row;
    for (const [place, { stub }] of this.overlay.entries())
      if (typeof place === "string" && stub !== null) yield place;
  }

  /** Where the object is, or would be. */
  placeOf(ref: ObjectRef): Place {
    const row = this.list.rowOfRef(ref);
    return row < 0 ? subjectOf(ref) : row;
  }

  refAt(place: Place): ObjectRef {
    return typeof place === "number" ? this.list.refAt(place) : (this.overlay.get(place)?.ref as ObjectRef);
  }

  /** A view; null where the object is not there. */
  bytesAt(place: Place): Buffer | null {
    const stub = this.overlay.get(place)?.stub;
    if (stub !== undefined) return stub;
    return typeof place === "number" ? this.list.bytesAt(place) : null;
  }

  /** Index at which it is as it is here. */
  indexAt(place: Place): bigint {
    return this.overlay.get(place)?.index ?? this.index;
  }

  /** With these entries, which make it `more` objects. */
  with(entries: ReadonlyMap<Place, Entry>, more: number): LayeredSnapshot {
    if (entries.size === 0) return this;
    const overlay = this.overlay.with(entries);
    return new LayeredSnapshot(this.list, { index: this.index, overlay, count: this.count + more });
  }
}

export function layered(snapshot: Snapshot): LayeredSnapshot {
  if (snapshot instanceof LayeredSnapshot) return snapshot;
  throw new TypeError("A snapshot can only be compared if it was made here");
}

/** Keeps no list, and no memory that small buffers share. */
export function copyOf(view: Buffer): Buffer {
  const copy = Buffer.allocUnsafeSlow(view.length);
  view.copy(copy);
  return copy;
}
