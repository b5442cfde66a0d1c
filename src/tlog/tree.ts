import { TlogFormatError } from "./errors.ts";
import { EMPTY_ROOT, HASH_BYTES, nodeHash, perfectRoot, writeHash, type HashText } from "./hash.ts";
import { hashesAt, levelsOf, newTiles, TILE_WIDTH, tileAt, tilePath, type Tile } from "./tiles.ts";

/** The tile's hashes one after another, `tile.width` of them or more. */
export type ReadTile = (tile: Tile) => Promise<Buffer>;

export interface TileData {
  readonly tile: Tile;
  readonly bytes: Buffer;
}

/** What of a tree it takes to append to it: of each level the hashes that no full tile has yet, at most 255. */
export class TreeEdge {
  readonly #levels: Level[];
  #size: number;
  #takenSize: number;
  readonly #fullTiles: TileData[] = [];

  private constructor(size: number, levels: Level[]) {
    this.#levels = levels;
    this.#size = size;
    this.#takenSize = size;
  }

  static empty(): TreeEdge {
    return new TreeEdge(0, []);
  }

  /** Of a tree that was written: reads one partial tile a level. */
  static async read(size: number, readTile: ReadTile): Promise<TreeEdge> {
    const levels: Level[] = [];
    for (let level = 0; level < levelsOf(size); level++) levels.push(await Level.read(level, size, readTile));
    return new TreeEdge(size, levels);
  }

  /** Leaves of the tree. */
  get size(): number {
    return this.#size;
  }

  append(leaf: Uint8Array | HashText): void {
    this.#size++;
    this.#push(0, leaf);
  }

  /**
   * The tiles that the appends since the last call must write, `newTiles` of both sizes: full ones, then of each
   * level the partial one. A tile is held until it is taken.
   */
  takeTiles(): TileData[] {
    const grown = [...newTiles(this.#takenSize, this.#size)].filter(({ width }) => width < TILE_WIDTH);
    this.#takenSize = this.#size;
    return [...this.takeFullTiles(), ...grown.map((tile) => this.#partial(tile))];
  }

  /** Of those the full ones alone, so that they can be written while more is appended. */
  takeFullTiles(): TileData[] {
    return this.#fullTiles.splice(0);
  }

  /** The partial tile of each level that has one, whenever it grew. */
  partialTiles(): TileData[] {
    const levels = this.#levels.map((_, level) => tileAt(level, tilesBefore(level, this.#size), this.#size));
    return levels.filter((tile) => tile !== undefined).map((tile) => this.#partial(tile));
  }

  /** RFC 6962: of the whole tree. */
  root(): Buffer {
    const roots = this.#levels.toReversed().flatMap((level) => perfectRoots(level.hashes));
    return roots.reduceRight<Buffer | undefined>(joinLeft, undefined) ?? EMPTY_ROOT;
  }

  #partial(tile: Tile): TileData {
    return { tile, bytes: Buffer.from(this.#level(tile.level).hashes) };
  }

  #push(level: number, hash: Uint8Array | HashText): void {
    const full = this.#level(level).push(hash);
    if (full === undefined) return;
    const index = hashesAt(level + 1, this.#size) - 1;
    this.#fullTiles.push({ tile: { level, index, width: TILE_WIDTH }, bytes: full });
    this.#push(level + 1, perfectRoot(full));
  }

  #level(level: number): Level {
    return (this.#levels[level] ??= new Level());
  }
}

/** The hashes of one level that no full tile has yet. */
class Level {
  readonly #bytes = Buffer.alloc(TILE_WIDTH * HASH_BYTES);
  #width = 0;

  static async read(level: number, size: number, readTile: ReadTile): Promise<Level> {
    const read = new Level();
    const tile = tileAt(level, tilesBefore(level, size), size);
    if (tile === undefined) return read;
    (await readWhole(tile, readTile)).copy(read.#bytes);
    read.#width = tile.width;
    return read;
  }

  get hashes(): Buffer {
    return this.#bytes.subarray(0, this.#width * HASH_BYTES);
  }

  /** The whole tile, where this was the last hash of it: the next one begins. */
  push(hash: Uint8Array | HashText): Buffer | undefined {
    const at = this.#width * HASH_BYTES;
    if (typeof hash === "string") writeHash(hash, this.#bytes, at);
    else this.#bytes.set(hash, at);
    this.#width = (this.#width + 1) % TILE_WIDTH;
    return this.#width === 0 ? Buffer.from(this.#bytes) : undefined;
  }
}

/** Full tiles of a level: the index of its partial one. */
function tilesBefore(level: number, size: number): number {
  return Math.floor(hashesAt(level, size) / TILE_WIDTH);
}

/** The tile's own hashes: a wider one holds them too. */
export async function readWhole(tile: Tile, readTile: ReadTile): Promise<Buffer> {
  const bytes = await readTile(tile);
  const wanted = tile.width * HASH_BYTES;
  if (bytes.length < wanted)
    throw new TlogFormatError(`${tilePath(tile)} has ${bytes.length} bytes of ${wanted}.`);
  return bytes.subarray(0, wanted);
}

/** Roots of the largest perfect trees that `hashes` fall into, from left to right. */
function perfectRoots(hashes: Buffer): Buffer[] {
  const roots: Buffer[] = [];
  for (let width = TILE_WIDTH / 2, rest = hashes; width >= 1; width /= 2) {
    const bytes = width * HASH_BYTES;
    if (rest.length < bytes) continue;
    roots.push(perfectRoot(rest.subarray(0, bytes)));
    rest = rest.subarray(bytes);
  }
  return roots;
}

function joinLeft(right: Buffer | undefined, left: Buffer): Buffer {
  return right === undefined ? left : nodeHash(left, right);
}
