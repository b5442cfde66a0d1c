import { subjectOf } from "../schemas/resources.ts";
import { layered, LayeredSnapshot, type Snapshot } from "./layered-snapshot.ts";
import { Overlay, type Entry, type Place } from "./overlay.ts";
import { joinInSlices } from "./parse.ts";

/** So much of a list may lie on top of it: more costs memory twice. */
const MOST_OF_LIST = 1 / 8;
/** Less is not worth the work. */
const LEAST_BYTES = 64 * 1024;

/** Size of the stubs that a snapshot holds beside its list, bytes. @internal */
export function overlayBytes(snapshot: Snapshot): number {
  return layered(snapshot).overlay.bytes;
}

/** Whether so much lies on top of the list that it should become part of it. */
export function isFoldDue(snapshot: Snapshot): boolean {
  return overlayBytes(snapshot) > Math.max(LEAST_BYTES, snapshot.byteLength * MOST_OF_LIST);
}

/**
 * The same objects as one list, with no stub beside it. At which index each is true stays known. Yields between slices
 * of work.
 */
export function* foldInSlices(snapshot: Snapshot, sliceBytes?: number): Generator<void, Snapshot> {
  const layers = layered(snapshot);
  const stubs: Buffer[] = [];
  const entries = new Map<Place, Entry>();
  for (const place of layers.places()) {
    const entry = layers.overlay.get(place);
    if (entry !== undefined)
      entries.set(stubs.length, { ref: undefined, stub: undefined, index: entry.index });
    stubs.push(layers.bytesAt(place) as Buffer);
  }
  for (const [place, { stub, index }] of layers.overlay.entries()) {
    const ref = layers.refAt(place);
    if (stub === null) entries.set(subjectOf(ref), { ref, stub, index });
  }
  const list = yield* joinInSlices(layers.resource, stubs, sliceBytes);
  return new LayeredSnapshot(list, { index: layers.index, overlay: Overlay.EMPTY.with(entries) });
}
