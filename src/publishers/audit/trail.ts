import type { Clock } from "../../shared/clock.ts";
import { BundleWriter, readBundle } from "../../tlog/bundle.ts";
import { leafHashText } from "../../tlog/hash.ts";
import { bundlePath, hashesAt, newTiles, TILE_WIDTH, tilePath } from "../../tlog/tiles.ts";
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
    if (stored === undefined) await trail.#sign(store.begin());
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
   * The bytes of the entries that were added, bundle by bundle, in memory that the next call uses again. Rejects where
   * `signal` has aborted; what has begun goes to its end.
   */
  async append({ entries, objects, end }: Addition, signal: AbortSignal): Promise<Buffer[][]> {
    signal.throwIfAborted();
    const before = this.#edge.size;
    for (const object of objects) await this.#store.replace(object);
    const { writing, added } = await this.#write(entries);
    await this.#sign(writing);
    this.#end = end;
    await this.#removePartials(before);
    return added;
  }

  /** The bundles are on their way to where they are stored while their entries are hashed. */
  async #write(texts: readonly string[]): Promise<{ writing: TrailWriting; added: Buffer[][] }> {
    const writing = this.#store.begin();
    const added: Buffer[][] = [];
    for (const bundle of this.#bundlesWith(texts)) {
      writing.add(bundle);
      added.push(readBundle(bundle.added).entries);
      await this.#clock.yield();
    }
    for (const entries of added) {
      for (const entry of entries) this.#edge.append(leafHashText(entry));
      for (const tile of this.#edge.takeFullTiles()) writing.add(fileOf(tile));
      await this.#clock.yield();
    }
    for (const tile of this.#edge.takeTiles()) writing.add(fileOf(tile));
    return { writing, added };
  }

  /** All that these entries make or go on with, in order. */
  *#bundlesWith(texts: readonly string[]): Generator<BundleFile> {
    this.#bundles.startOver(texts.reduce((units, { length }) => units + length, 0));
    for (let from = 0; from < texts.length;) {
      const size = this.#edge.size + from;
      const to = Math.min(texts.length, from + TILE_WIDTH - (size % TILE_WIDTH));
      const before = this.#bundles.bytes.length;
      for (const text of texts.slice(from, to)) this.#bundles.add(text);
      const { bytes } = this.#bundles;
      const width = (size % TILE_WIDTH) + to - from;
      if (width === TILE_WIDTH) this.#bundles.next();
      yield {
        path: bundlePath({ index: Math.floor(size / TILE_WIDTH), width }),
        bytes,
        added: bytes.subarray(before),
      };
      from = to;
    }
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
    const paths = grown.flatMap((tile) =>
      tile.level === 0 ? [tilePath(tile), bundlePath(tile)] : [tilePath(tile)],
    );
    await Promise.all(paths.map((path) => this.#store.removeFolder(`${path}.p`)));
  }
}

interface BundleFile extends FileBytes {
  /** Of its bytes those of the entries that are new. */
  readonly added: Buffer;
}

function fileOf({ tile, bytes }: TileData): FileBytes {
  return { path: tilePath(tile), bytes };
}
