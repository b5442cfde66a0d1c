import type { ObjectRef } from "../schemas/resources.ts";

/** Where an object is: its row in the list, or its subject where the list has no row for it. */
export type Place = number | string;

/** What was read of one object beside the list. */
export interface Entry {
  /** Known from the list where the place is a row. */
  readonly ref: ObjectRef | undefined;
  /** Memory of its own. Undefined: as the list has it; null: it is not there. */
  readonly stub: Buffer | null | undefined;
  /** Index of Nomad's table at which it was so. */
  readonly index: bigint;
}

interface Layer {
  readonly entries: ReadonlyMap<Place, Entry>;
  readonly bytes: number;
}

/**
 * Entries by place. Adding makes another overlay and leaves this one as it is, at a cost that depends on what is
 * added and hardly on what is there: newer layers lie on older ones, and each is at least twice as large as the next.
 * So there are few layers, and at most twice the entries that count.
 */
export class Overlay {
  static readonly EMPTY = new Overlay([]);
  /** Oldest first. */
  readonly #layers: readonly Layer[];

  private constructor(layers: readonly Layer[]) {
    this.#layers = layers;
  }

  get isEmpty(): boolean {
    return this.#layers.length === 0;
  }

  /** Size of the stubs held, those included that newer ones lie on. */
  get bytes(): number {
    return this.#layers.reduce((total, layer) => total + layer.bytes, 0);
  }

  get(place: Place): Entry | undefined {
    for (let at = this.#layers.length - 1; at >= 0; at--) {
      const entry = this.#layers[at]?.entries.get(place);
      if (entry !== undefined) return entry;
    }
    return undefined;
  }

  /** Those that count. */
  entries(): ReadonlyMap<Place, Entry> {
    return this.#layers.map(({ entries }) => entries).reduce(merged, new Map());
  }

  with(added: ReadonlyMap<Place, Entry>): Overlay {
    if (added.size === 0) return this;
    const layers = [...this.#layers];
    let top = added;
    for (let below = layers.at(-1); below !== undefined; below = layers.at(-1)) {
      if (below.entries.size >= 2 * top.size) break;
      top = merged(below.entries, top);
      layers.pop();
    }
    return new Overlay([...layers, { entries: top, bytes: bytesOf(top) }]);
  }
}

function merged(
  lower: ReadonlyMap<Place, Entry>,
  upper: ReadonlyMap<Place, Entry>,
): ReadonlyMap<Place, Entry> {
  if (lower.size === 0) return upper;
  const entries = new Map(lower);
  for (const [place, entry] of upper) entries.set(place, entry);
  return entries;
}

function bytesOf(entries: ReadonlyMap<Place, Entry>): number {
  let bytes = 0;
  for (const { stub } of entries.values()) bytes += stub?.length ?? 0;
  return bytes;
}
