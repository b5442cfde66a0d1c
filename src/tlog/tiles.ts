/** Hashes of a full tile, and entries of a full bundle. */
export const TILE_WIDTH = 256;

/** `width` hashes, each over 256**level entries, from number `index * 256` of them on. */
export interface Tile {
  readonly level: number;
  readonly index: number;
  /** 1 to 256; below 256 the tile is partial: the last of its level. */
  readonly width: number;
}

/** `width` entries from number `index * 256` on. */
export type Bundle = Omit<Tile, "level">;

/** `tile/<level>/<index>[.p/<width>]`, as C2SP tlog-tiles has it. */
export function tilePath({ level, index, width }: Tile): string {
  return `tile/${level}/${indexPath(index)}${partialSuffix(width)}`;
}

/** `tile/entries/<index>[.p/<width>]` */
export function bundlePath({ index, width }: Bundle): string {
  return `tile/entries/${indexPath(index)}${partialSuffix(width)}`;
}

/** 1234067 → x001/x234/067: no folder grows large. */
function indexPath(index: number): string {
  const digits = String(index);
  const groups = digits.padStart(Math.ceil(digits.length / 3) * 3, "0").match(/\d{3}/g) ?? [];
  return groups.map((group, at) => (at < groups.length - 1 ? `x${group}` : group)).join("/");
}

function partialSuffix(width: number): string {
  return width === TILE_WIDTH ? "" : `.p/${width}`;
}

const PATH = /^tile\/(entries|\d|[1-5]\d|6[0-3])\/((?:x\d{3}\/)*\d{3})(?:\.p\/([1-9]\d{0,2}))?$/;

/** What a path names; a bundle has level "entries". Undefined where the standard has no such path. */
export function parseTilePath(path: string): (Tile | (Bundle & { readonly level: "entries" })) | undefined {
  const [, level, groups, partial] = PATH.exec(path) ?? [];
  if (level === undefined || groups === undefined) return undefined;
  const index = Number(groups.replace(/[x/]/g, ""));
  const width = partial === undefined ? TILE_WIDTH : Number(partial);
  const isCanonical = Number.isSafeInteger(index) && indexPath(index) === groups;
  if (!isCanonical || (partial !== undefined && width >= TILE_WIDTH)) return undefined;
  return level === "entries" ? { level, index, width } : { level: Number(level), index, width };
}

/** Hashes of a level, in all its tiles, of a tree with so many entries. */
export function hashesAt(level: number, size: number): number {
  return Math.floor(size / TILE_WIDTH ** level);
}

/** Levels that a tree with so many entries has tiles of. */
export function levelsOf(size: number): number {
  let levels = 0;
  while (hashesAt(levels, size) > 0) levels++;
  return levels;
}

/** The tile as wide as a tree of that size has it; undefined where it has none of it. */
export function tileAt(level: number, index: number, size: number): Tile | undefined {
  const width = Math.min(TILE_WIDTH, hashesAt(level, size) - index * TILE_WIDTH);
  return width > 0 ? { level, index, width } : undefined;
}

/** Tiles to write when a tree grows: what became full, and of each level that grew the partial one, if any. */
export function* newTiles(oldSize: number, newSize: number): Generator<Tile> {
  for (let level = 0; level < levelsOf(newSize); level++) yield* newTilesAt(level, oldSize, newSize);
}

function* newTilesAt(level: number, oldSize: number, newSize: number): Generator<Tile> {
  const hashes = hashesAt(level, newSize);
  const before = hashesAt(level, oldSize);
  if (hashes === before) return;
  for (let index = Math.floor(before / TILE_WIDTH); index * TILE_WIDTH < hashes; index++)
    yield { level, index, width: Math.min(TILE_WIDTH, hashes - index * TILE_WIDTH) };
}
