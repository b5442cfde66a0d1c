import { TILE_WIDTH } from "../../tlog/tiles.ts";
import type { Cursor } from "../../schemas/cursor.ts";
import { contentOf } from "./entry-order.ts";
import type { StoredTree } from "./stored-tree.ts";

export interface Located {
  readonly index: number;
  readonly entry: Buffer;
  readonly place: Cursor;
}

/** Entries [from, to): all of one epoch, numbered upwards. */
interface Segment {
  readonly from: number;
  readonly to: number;
}

/** Index of the first entry that was not pruned, where the event sought stood before it; undefined where it did not. */
export async function prunedBefore(
  tree: StoredTree,
  { epoch, sequence }: Sought,
): Promise<number | undefined> {
  const first = (await tree.firstBundle()) * TILE_WIDTH;
  const kept = first === 0 ? undefined : await new EntryReader(tree, first).eventFrom(first);
  if (kept === undefined || (epoch ?? kept.place.epoch) !== kept.place.epoch) return undefined;
  return sequence < kept.place.sequence ? first : undefined;
}

/** An event by its sequence; without an epoch, of the newest epoch that has it. */
export interface Sought {
  readonly epoch: string | undefined;
  readonly sequence: number;
}

/** Finds an event by halving, epoch by epoch from the newest; where that finds none, by reading all entries. Those that were pruned are not found. */
export async function locate(tree: StoredTree, sought: Sought): Promise<Located | undefined> {
  const first = (await tree.firstBundle()) * TILE_WIDTH;
  const reader = new EntryReader(tree, first);
  for (let to = tree.size; to > first;) {
    const last = await reader.eventBefore(to);
    if (last === undefined) break;
    const from = await firstOfSegment(reader, last);
    if (sought.epoch === undefined || sought.epoch === last.place.epoch) {
      const found = await within(reader, { from, to: last.index + 1 }, sought.sequence);
      if (found !== undefined) return found;
    }
    to = from;
  }
  return reader.find(sought);
}

/**
 * Index from which on every event up to `last` is of its epoch and numbered upwards. Numbers that begin anew within an
 * epoch, as of a log that was restored from a copy, show by how far they are behind the indexes.
 */
async function firstOfSegment(reader: EntryReader, last: Located): Promise<number> {
  return halve({ from: reader.first, to: last.index }, async (middle) => {
    const event = await reader.eventFrom(middle);
    return event?.place.epoch === last.place.epoch && leadOf(event) <= leadOf(last);
  });
}

/** Grows by each gap, and never shrinks but where numbers begin anew. */
function leadOf({ index, place }: Located): number {
  return place.sequence - index;
}

async function within(reader: EntryReader, segment: Segment, sequence: number): Promise<Located | undefined> {
  const index = await halve(segment, async (middle) => {
    const event = await reader.eventFrom(middle);
    return event === undefined || event.place.sequence >= sequence;
  });
  const event = await reader.eventFrom(index);
  return event?.place.sequence === sequence ? event : undefined;
}

/** The first of [from, to) at which `holds`, or `to`: it holds of all after one of which it does. */
async function halve({ from, to }: Segment, holds: (at: number) => Promise<boolean>): Promise<number> {
  let [low, high] = [from, to];
  while (low < high) {
    const middle = Math.floor((low + high) / 2);
    if (await holds(middle)) high = middle;
    else low = middle + 1;
  }
  return low;
}

/** Entries by their index, of a few bundles. */
class EntryReader {
  /** Index of the first entry that was not pruned. */
  readonly first: number;
  readonly #tree: StoredTree;
  #bundle: { readonly index: number; readonly entries: readonly Buffer[] } | undefined;

  constructor(tree: StoredTree, first: number) {
    this.#tree = tree;
    this.first = first;
  }

  /** The first event at `index` or after it: what stands before it are marks. */
  async eventFrom(index: number): Promise<Located | undefined> {
    for (let at = index; at < this.#tree.size; at++) {
      const event = await this.#event(at);
      if (event !== undefined) return event;
    }
    return undefined;
  }

  async eventBefore(index: number): Promise<Located | undefined> {
    for (let at = index - 1; at >= this.first; at--) {
      const event = await this.#event(at);
      if (event !== undefined) return event;
    }
    return undefined;
  }

  /** By reading all from the newest on. */
  async find({ epoch, sequence }: Sought): Promise<Located | undefined> {
    for (let at = this.#tree.size - 1; at >= this.first; at--) {
      const event = await this.#event(at);
      if (event?.place.sequence === sequence && (epoch ?? event.place.epoch) === event.place.epoch)
        return event;
    }
    return undefined;
  }

  async #event(index: number): Promise<Located | undefined> {
    const bundle = Math.floor(index / TILE_WIDTH);
    if (this.#bundle?.index !== bundle)
      this.#bundle = { index: bundle, entries: (await this.#tree.bundle(bundle)).entries };
    const entry = this.#bundle.entries[index % TILE_WIDTH];
    const content = entry === undefined ? undefined : contentOf(entry);
    return entry !== undefined && content?.kind === "event"
      ? { index, entry, place: content.place }
      : undefined;
  }
}
