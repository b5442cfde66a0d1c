import { readdir, rm, stat } from "node:fs/promises";
import { dirname, join } from "node:path";
import { bundlePath, hashesAt, levelsOf, TILE_WIDTH, tilePath } from "../../tlog/tiles.ts";
import { syncFolder, unlessMissing } from "./disk.ts";

/** More than the tiles that one batch can reach into. */
const TILES_BEYOND = 64;

/**
 * Removes what a killed writer had written beyond the signed tree: a partial tile or bundle of it may be torn, and would
 * count as one of an older checkpoint once the tree has grown past it.
 */
export async function removeUnsigned(directory: string, size: number): Promise<void> {
  for (let level = 0; level < levelsOf(size + TILES_BEYOND * TILE_WIDTH); level += 1) {
    const hashes = hashesAt(level, size);
    const edge = Math.floor(hashes / TILE_WIDTH);
    for (let index = edge; index <= edge + TILES_BEYOND; index += 1) {
      const signed = Math.max(0, hashes - index * TILE_WIDTH);
      for (const path of fullPaths(level, index)) await removeBeyond(join(directory, path), signed);
    }
  }
}

function fullPaths(level: number, index: number): string[] {
  const tile = tilePath({ level, index, width: TILE_WIDTH });
  return level === 0 ? [tile, bundlePath({ index, width: TILE_WIDTH })] : [tile];
}

/** Of a tile or bundle of which so many are signed: the full one, and wider partial ones. */
async function removeBeyond(path: string, signed: number): Promise<void> {
  const partial = `${path}.p`;
  const widths = (await readdir(partial).catch(unlessMissing)) ?? [];
  const unsigned = widths.filter((width) => Number(width) > signed).map((width) => join(partial, width));
  if ((await stat(path).catch(unlessMissing)) !== undefined) unsigned.push(path);
  for (const each of unsigned) await rm(each);
  for (const folder of new Set(unsigned.map((each) => dirname(each)))) await syncFolder(folder);
}
