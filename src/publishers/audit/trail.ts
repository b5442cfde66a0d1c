import type { Clock } from "../../shared/clock.ts";
import { BundleWriter } from "../../tlog/bundle.ts";
import { bundlePath, hashesAt, newTiles, TILE_WIDTH, tilePath } from "../../tlog/tiles.ts";
import { TreeEdge } from "../../tlog/tree.ts";
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

  /** Rejects where `signal` has aborted; what has begun goes to its end. */
  async append({ entries, objects, end }: Addition, signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    const before = this.#edge.size;
    for (const object of objects) await this.#store.replace(object);
    await this.#sign(await this.#write(entries));
    this.#end = end;
    await this.#removePartials(before);
  }

  /** A bundle is on its way to where it is stored while the next one is hashed. */
  async #write(entries: readonly string[]): Promise<TrailWriting> {
    this.#bundles.startOver(entries.reduce((units, { length }) => units + length, 0));
    const writing = this.#store.begin();
    for (let from = 0; from < entries.length;) {
      const to = Math.min(entries.length, from + TILE_WIDTH - (this.#edge.size % TILE_WIDTH));
      for (const entry of entries.slice(from, to)) this.#edge.append(this.#bundles.add(entry));
      from = to;
      writing.add(this.#takeBundle());
      const tiles = from < entries.length ? this.#edge.takeFullTiles() : this.#edge.takeTiles();
      for (const { tile, bytes } of tiles) writing.add({ path: tilePath(tile), bytes });
      await this.#clock.yield();
    }
    return writing;
  }

  /** The newest one. */
  #takeBundle(): FileBytes {
    const { bytes } = this.#bundles;
    const index = Math.ceil(this.#edge.size / TILE_WIDTH) - 1;
    const width = this.#edge.size - index * TILE_WIDTH;
    if (width === TILE_WIDTH) this.#bundles.next();
    return { path: bundlePath({ index, width }), bytes };
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
