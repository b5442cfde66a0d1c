import type { Clock } from "../../shared/clock.ts";
import { BundleWriter, readBundle } from "../../tlog/bundle.ts";
import { bundlePath, hashesAt, newTiles, TILE_WIDTH, tilePath, type Tile } from "../../tlog/tiles.ts";
import { TreeEdge, type TileData } from "../../tlog/tree.ts";
import type { Addition, TrailEnd } from "./addition.ts";
import type { FileBytes } from "./disk.ts";
import type { TrailStore, TrailWriting } from "./store.ts";
import { readTrail, type StoredTrail } from "./stored-trail.ts";
import type { TrailKeys } from "./trail-keys.ts";

export interface TrailOptions {
  readonly store: TrailStore;
  readonly keys: TrailKeys;
  readonly clock: Pick<Clock, "yield">;
}

/** The bytes of entries that follow each other. */
type OnEntries = (entries: readonly Buffer[]) => void;

/**
 * A transparency log by C2SP tlog-tiles, for one writer. What is added is stored for good
 * before a checkpoint says so, and the checkpoint is before anybody can read it. Not for concurrent calls; after one that fails,
 * open it anew.
 */
export class Trail {
  /** CloudEvents source of the feed that it was opened as the trail of; undefined where it does not say. */
  readonly feed: string | undefined;
  readonly #store: TrailStore;
  readonly #keys: TrailKeys;
  readonly #clock: Pick<Clock, "yield">;
  readonly #edge: TreeEdge;
  readonly #bundles: BundleWriter;
  #end: TrailEnd | undefined;
  #checkpoint: string | undefined;

  private constructor({ store, keys, clock }: TrailOptions, { edge, rest, end, feed }: StoredTrail) {
    this.#store = store;
    this.#keys = keys;
    this.#clock = clock;
    this.#edge = edge;
    this.#bundles = new BundleWriter(rest);
    this.#end = end;
    this.feed = feed;
  }

  /** @throws TrailDamaged, TrailOfAnother, and what the system says */
  static async open(options: TrailOptions): Promise<Trail> {
    const { store, keys } = options;
    const stored = await readTrail(store, keys);
    const empty = { edge: TreeEdge.empty(), rest: [], end: undefined, feed: undefined };
    const trail = new Trail(options, stored ?? empty);
    // Of the empty tree first: whoever finds tiles without a checkpoint knows that it was taken away.
    if (stored === undefined) await trail.#signEmpty();
    await store.claim();
    await store.removeUnsigned(trail.size);
    return trail;
  }

  get size(): number {
    return this.#edge.size;
  }

  /** The last one that was signed since it was opened. */
  get checkpoint(): string | undefined {
    return this.#checkpoint;
  }

  get end(): TrailEnd | undefined {
    return this.#end;
  }

  /**
   * `onEntries` hears of the entries in order, bundle by bundle, while they are stored and not yet of the trail; their memory is used
   * again afterwards. Rejects where `signal` has aborted; what has begun goes to its end.
   */
  async append(
    { entries, objects, end }: Addition,
    signal: AbortSignal,
    onEntries: OnEntries,
  ): Promise<void> {
    signal.throwIfAborted();
    const before = this.#edge.size;
    for (const object of objects) await this.#store.replace(object);
    await using writing = this.#store.begin([...newTiles(before, before + entries.length)].flatMap(pathsOf));
    await this.#write(entries, writing, onEntries);
    await this.#sign(writing);
    this.#end = end;
    await this.#removePartials(before);
  }

  /** Bundle by bundle: each is on its way to where it is stored while the next one is made. */
  async #write(texts: readonly string[], writing: TrailWriting, onEntries: OnEntries): Promise<void> {
    this.#bundles.startOver(texts.reduce((units, { length }) => units + length, 0));
    for (let from = 0; from < texts.length;) {
      const room = TILE_WIDTH - (this.#edge.size % TILE_WIDTH);
      const { bundle, added } = this.#bundleWith(texts.slice(from, from + room));
      writing.add(bundle);
      for (const tile of this.#edge.takeFullTiles()) writing.add(fileOf(tile));
      onEntries(readBundle(added).entries);
      from += room;
      await this.#clock.yield();
    }
    for (const tile of this.#edge.takeTiles()) writing.add(fileOf(tile));
  }

  /** What these entries make or go on with; `added`: of its bytes theirs. */
  #bundleWith(texts: readonly string[]): { bundle: FileBytes; added: Buffer } {
    const before = this.#bundles.bytes.length;
    for (const text of texts) this.#edge.append(this.#bundles.add(text));
    const { bytes } = this.#bundles;
    const last = this.#edge.size - 1;
    const width = (last % TILE_WIDTH) + 1;
    if (width === TILE_WIDTH) this.#bundles.next();
    const path = bundlePath({ index: Math.floor(last / TILE_WIDTH), width });
    return { bundle: { path, bytes }, added: bytes.subarray(before) };
  }

  async #signEmpty(): Promise<void> {
    await using writing = this.#store.begin([]);
    await this.#sign(writing);
  }

  async #sign(writing: TrailWriting): Promise<void> {
    const checkpoint = this.#keys.sign({ size: this.#edge.size, root: this.#edge.root() });
    await writing.end(Buffer.from(checkpoint));
    this.#checkpoint = checkpoint;
  }

  /** Of what became full: nobody needs them any more. */
  async #removePartials(before: number): Promise<void> {
    const full = [...newTiles(before, this.#edge.size)].filter(({ width }) => width === TILE_WIDTH);
    const grown = full.filter(({ level, index }) => index * TILE_WIDTH < hashesAt(level, before));
    await Promise.all(grown.flatMap(pathsOf).map((path) => this.#store.removeFolder(`${path}.p`)));
  }
}

/** Of the tile, and of the entries that it is of. */
function pathsOf(tile: Tile): string[] {
  return tile.level === 0 ? [bundlePath(tile), tilePath(tile)] : [tilePath(tile)];
}

function fileOf({ tile, bytes }: TileData): FileBytes {
  return { path: tilePath(tile), bytes };
}
