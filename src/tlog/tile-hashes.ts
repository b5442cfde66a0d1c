import { HASH_BYTES, perfectRoot } from "./hash.ts";
import { TILE_WIDTH, tileAt } from "./tiles.ts";
import { readWhole, type ReadTile } from "./tree.ts";
import { TlogFormatError } from "./errors.ts";

/** Root of the perfect tree over leaves [number * 2**height, (number + 1) * 2**height). */
export type ReadHash = (height: number, number: number) => Promise<Buffer>;

/** Of one tile. */
const TILE_HEIGHT = 8;

/** Hashes of a tree out of its tiles, each read once. For one proof: it keeps what it read. */
export function hashesFromTiles(size: number, readTile: ReadTile): ReadHash {
  const tiles = new Map<string, Promise<Buffer>>();
  const read = (level: number, index: number): Promise<Buffer> => {
    const tile = tileAt(level, index, size);
    if (tile === undefined)
      throw new TlogFormatError(`A tree of ${size} entries has no tile ${index} at level ${level}.`);
    const key = `${level}/${index}`;
    const known = tiles.get(key) ?? readWhole(tile, readTile);
    tiles.set(key, known);
    return known;
  };
  return async (height, number) => {
    const within = 2 ** (height % TILE_HEIGHT);
    const first = number * within;
    const bytes = await read(Math.floor(height / TILE_HEIGHT), Math.floor(first / TILE_WIDTH));
    const start = (first % TILE_WIDTH) * HASH_BYTES;
    return perfectRoot(bytes.subarray(start, start + within * HASH_BYTES));
  };
}
