import { TILE_WIDTH, tileAt, tilePath, type Tile } from "../../tlog/tiles.ts";
import { TreeEdge, type TileData } from "../../tlog/tree.ts";
import type { Checkpoint } from "../../tlog/checkpoint.ts";
import { DailyLines } from "./daily-lines.ts";
import { damageOfData, hasDetachedData } from "./detached-data.ts";
import { EntryOrder, type Disorder, type NextEvent } from "./entry-order.ts";
import { inTurn } from "./in-turn.ts";
import { HASH_BYTES, leafHash } from "../../tlog/hash.ts";
import { hashAt, type StoredBundle, type StoredTree } from "./stored-tree.ts";
import type { TrailFiles } from "./trail-files.ts";

/** Hashes that the entries make are not those of a file. */
export interface Difference {
  readonly tile: Tile;
  readonly path: string;
  /** Of the first hash that differs; undefined where the file is not there. */
  readonly position?: number;
  /** Entries below that hash: [from, to). */
  readonly from: number;
  readonly to: number;
}

interface AtEntry<What> {
  readonly index: number;
  readonly what: What;
}

/** What one pass over all entries found. */
export interface Walked {
  readonly root: Buffer;
  /** Root of the tree of the size asked for, where there are so many entries. */
  readonly rootAt: Buffer | undefined;
  /** Entries from 0 on whose bundles are gone, and whose hashes were taken for them. */
  readonly pruned: number;
  /** Where it ended: a bundle that is not whole. */
  readonly torn: { readonly bundle: number; readonly path: string; readonly damage: string } | undefined;
  /** The one that lies closest to the beginning. */
  readonly difference: Difference | undefined;
  readonly disorder: AtEntry<Disorder> | undefined;
  readonly data: AtEntry<{ readonly path: string; readonly what: string }> | undefined;
  /** Which event the first entry of the bundle in `difference` or `torn` should be. */
  readonly nextAtBundle: NextEvent;
  readonly order: EntryOrder;
  readonly daily: DailyLines;
}

/** Hashes every entry and counts it, from the first that was not pruned on, holding a few bundles at a time. */
export async function walk(
  { files, tree, checkpoint }: { files: TrailFiles; tree: StoredTree; checkpoint: Checkpoint },
  rootAtSize: number | undefined,
  signal: AbortSignal,
): Promise<Walked> {
  const walker = new Walker(files, tree, new EntryOrder(checkpoint.origin), rootAtSize);
  const bundles = inTurn(tree.bundles, async (index) => {
    const tile = tileAt(0, index, tree.size);
    const [bundle, hashes] = await Promise.all([tree.bundle(index), tile && tree.tile(tile)]);
    return { index, bundle, hashes };
  });
  for await (const { index, bundle, hashes } of bundles) {
    signal.throwIfAborted();
    if (!(await walker.take(index, bundle, hashes))) break;
  }
  return walker.finish();
}

class Walker {
  readonly #files: TrailFiles;
  readonly #tree: StoredTree;
  readonly #order: EntryOrder;
  readonly #rootAtSize: number | undefined;
  readonly #edge = TreeEdge.empty();
  #rootAt: Buffer | undefined;
  #pruned = 0;
  #torn: Walked["torn"];
  #difference: Difference | undefined;
  #disorder: Walked["disorder"];
  #data: Walked["data"];
  #nextAtBundle: NextEvent;
  readonly #daily: DailyLines;

  constructor(files: TrailFiles, tree: StoredTree, order: EntryOrder, rootAtSize: number | undefined) {
    this.#files = files;
    this.#tree = tree;
    this.#order = order;
    this.#rootAtSize = rootAtSize;
    this.#daily = new DailyLines(files);
    this.#noteRoot();
  }

  /** False where it goes no further. */
  async take(index: number, bundle: StoredBundle, hashes: Buffer | undefined): Promise<boolean> {
    if (this.#isPruned(index, bundle)) return this.#takePruned(index, hashes);
    if (this.#difference?.tile.level !== 0)
      this.#nextAtBundle = this.#disorder === undefined ? this.#order.next : undefined;
    if (bundle.damage !== undefined) {
      this.#torn = { bundle: index, path: bundle.path, damage: bundle.damage };
      return false;
    }
    const { width = 0 } = tileAt(0, index, this.#tree.size) ?? {};
    const entries = bundle.entries.slice(0, width);
    await this.#daily.take(this.#edge.size, entries);
    for (const entry of entries) {
      this.#takeEntry(entry);
      if (hasDetachedData(entry)) await this.#checkData(entry);
    }
    await this.#compareFull(hashes);
    // A partial tile is on the disk where the tree ends only.
    if (this.#edge.size < this.#tree.size) return true;
    for (const made of this.#edge.partialTiles()) await this.#compare(made, hashes);
    return true;
  }

  async finish(): Promise<Walked> {
    await this.#daily.end();
    return {
      daily: this.#daily,
      root: this.#edge.root(),
      rootAt: this.#rootAt,
      pruned: this.#pruned,
      torn: this.#torn,
      difference: this.#difference,
      disorder: this.#disorder,
      data: this.#data,
      nextAtBundle: this.#nextAtBundle,
      order: this.#order,
    };
  }

  /** A whole bundle of a beginning that is gone. The newest one always stays. */
  #isPruned(index: number, { isThere }: StoredBundle): boolean {
    return !isThere && this.#edge.size === this.#pruned && index + 1 < this.#tree.bundles;
  }

  /** What they were is not known any more. That their hashes are those that were signed is, once all are taken. */
  async #takePruned(index: number, hashes: Buffer | undefined): Promise<boolean> {
    if (hashes?.length !== TILE_WIDTH * HASH_BYTES) {
      const path = tilePath({ level: 0, index, width: TILE_WIDTH });
      this.#torn = { bundle: index, path, damage: "is not there whole, and its entries were pruned" };
      return false;
    }
    const leaves = Array.from({ length: TILE_WIDTH }, (_, at) => hashAt(hashes, at));
    await this.#daily.takePruned(this.#edge.size, leaves);
    for (const leaf of leaves) {
      this.#edge.append(leaf);
      this.#noteRoot();
    }
    this.#pruned = this.#edge.size;
    this.#order.beginAnywhere();
    await this.#compareFull(hashes);
    return true;
  }

  async #compareFull(leafHashes: Buffer | undefined): Promise<void> {
    const full = this.#edge.takeTiles().filter(({ tile }) => tile.width === TILE_WIDTH);
    for (const made of full) await this.#compare(made, leafHashes);
  }

  #takeEntry(entry: Buffer): void {
    const index = this.#edge.size;
    this.#edge.append(leafHash(entry));
    this.#noteRoot();
    if (this.#disorder !== undefined) return;
    const what = this.#order.take(entry);
    if (what !== undefined) this.#disorder = { index, what };
  }

  #noteRoot(): void {
    if (this.#edge.size === this.#rootAtSize) this.#rootAt = this.#edge.root();
  }

  async #checkData(entry: Buffer): Promise<void> {
    if (this.#data !== undefined) return;
    const what = await damageOfData(entry, this.#files);
    if (what !== undefined) this.#data = { index: this.#edge.size - 1, what };
  }

  async #compare({ tile, bytes }: TileData, leafHashes: Buffer | undefined): Promise<void> {
    const stored = tile.level === 0 ? leafHashes : await this.#tree.tile(tile);
    if (stored?.equals(bytes) === true) return;
    const difference = differenceOf(tile, bytes, stored);
    if (this.#difference === undefined || difference.to < this.#difference.to) this.#difference = difference;
  }
}

function differenceOf(tile: Tile, made: Buffer, stored: Buffer | undefined): Difference {
  const path = tilePath(tile);
  const span = TILE_WIDTH ** tile.level;
  const first = tile.index * TILE_WIDTH;
  if (stored === undefined) return { tile, path, from: first * span, to: (first + tile.width) * span };
  const position = Array.from({ length: tile.width }, (_, at) => at).findIndex(
    (at) => !hashAt(stored, at).equals(hashAt(made, at)),
  );
  // Nothing but what is too much behind it.
  const at = first + (position === -1 ? tile.width - 1 : position);
  return { tile, path, position: at - first, from: at * span, to: (at + 1) * span };
}
