import { HASH_BYTES, perfectRoot } from "../../tlog/hash.ts";
import { readBundle } from "../../tlog/bundle.ts";
import { firstBundle } from "../../tlog/first-bundle.ts";
import { bundlePath, TILE_WIDTH, tileAt, tilePath, type Tile } from "../../tlog/tiles.ts";
import { TreeEdge } from "../../tlog/tree.ts";
import { TlogFormatError } from "../../tlog/errors.ts";
import type { Checkpoint } from "../../tlog/checkpoint.ts";
import type { TrailFiles } from "./trail-files.ts";

export interface StoredBundle {
  readonly path: string;
  readonly isThere: boolean;
  /** At most as many as the tree has there. */
  readonly entries: readonly Buffer[];
  /** Why it is not the bundle it should be. */
  readonly damage?: string;
}

/** The tree that a checkpoint speaks of, as its files have it. Nothing of it is believed. */
export class StoredTree {
  readonly #files: TrailFiles;
  readonly #checkpoint: Checkpoint;

  constructor(files: TrailFiles, checkpoint: Checkpoint) {
    this.#files = files;
    this.#checkpoint = checkpoint;
  }

  get size(): number {
    return this.#checkpoint.size;
  }

  get bundles(): number {
    return Math.ceil(this.size / TILE_WIDTH);
  }

  /** Undefined where there is none. What follows the tile's own hashes in the file is cut off. */
  async tile(tile: Tile): Promise<Buffer | undefined> {
    const bytes = await this.#files.read(tilePath(tile));
    // The trail may have grown since its checkpoint was read.
    const wider = bytes ?? (await this.#files.read(tilePath({ ...tile, width: TILE_WIDTH })));
    return bytes === undefined ? wider?.subarray(0, tile.width * HASH_BYTES) : bytes;
  }

  /** For proofs. @throws TlogFormatError where it is not there */
  readonly readTile = async (tile: Tile): Promise<Buffer> => {
    const bytes = await this.tile(tile);
    if (bytes === undefined) throw new TlogFormatError(`${tilePath(tile)} is not there.`);
    return bytes;
  };

  async bundle(index: number): Promise<StoredBundle> {
    const { width } = tileAt(0, index, this.size) ?? { width: 0 };
    const path = bundlePath({ index, width });
    const exact = await this.#files.read(path);
    const bytes = exact ?? (await this.#files.read(bundlePath({ index, width: TILE_WIDTH })));
    if (bytes === undefined) return { path, isThere: false, entries: [], damage: "is not there" };
    const { entries, tornBytes } = readBundle(bytes);
    const isExact = exact !== undefined && (tornBytes > 0 || entries.length !== width);
    const damage = `has ${entries.length} whole entries of ${width}${tornBytes > 0 ? `, and ${tornBytes} bytes more` : ""}`;
    return { path, isThere: true, entries, ...((isExact || entries.length < width) && { damage }) };
  }

  /** Index of the first that was not pruned; 0 where none is there. */
  firstBundle(): Promise<number> {
    return firstBundle(this.bundles, async (index) => (await this.bundle(index)).isThere);
  }

  /** The hashes of a tile, where those above it vouch for it up to the signed root. */
  async authenticTile(level: number, index: number): Promise<Buffer | undefined> {
    const tile = tileAt(level, index, this.size);
    const bytes = tile === undefined ? undefined : await this.tile(tile);
    if (tile === undefined || bytes?.length !== tile.width * HASH_BYTES) return undefined;
    const isProved =
      tile.width < TILE_WIDTH ? await this.#isEdgeProved() : await this.#isVouchedFor(tile, bytes);
    return isProved ? bytes : undefined;
  }

  async #isVouchedFor({ level, index }: Tile, bytes: Buffer): Promise<boolean> {
    const parent = await this.authenticTile(level + 1, Math.floor(index / TILE_WIDTH));
    return parent !== undefined && hashAt(parent, index % TILE_WIDTH).equals(perfectRoot(bytes));
  }

  /** Whether the partial tiles, one a level, make the signed root. */
  async #isEdgeProved(): Promise<boolean> {
    try {
      const edge = await TreeEdge.read(this.size, this.readTile);
      return edge.root().equals(this.#checkpoint.root);
    } catch (error) {
      if (error instanceof TlogFormatError) return false;
      throw error;
    }
  }
}

/** One hash of a tile. */
export function hashAt(tile: Buffer, at: number): Buffer {
  return tile.subarray(at * HASH_BYTES, (at + 1) * HASH_BYTES);
}
