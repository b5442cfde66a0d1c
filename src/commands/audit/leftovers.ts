import { HASH_BYTES } from "../../tlog/hash.ts";
import { writeBundle } from "../../tlog/bundle.ts";
import { parseTilePath, TILE_WIDTH, tileAt, hashesAt } from "../../tlog/tiles.ts";
import type { Finding } from "./finding.ts";
import type { StoredTree } from "./stored-tree.ts";
import type { TrailFiles } from "./trail-files.ts";

/** Tiles and bundles that the checkpoint needs no more, or not yet. */
interface Leftovers {
  /** The first that is not the beginning of what took its place. */
  readonly damaged: readonly Finding[];
  /** What a killed writer had written before it could sign it, or a writer that is at work now. */
  readonly unsigned: readonly string[];
}

type ParsedPath = NonNullable<ReturnType<typeof parseTilePath>>;

/** Looks at every file that the tree of the checkpoint does not have. Nothing where they cannot be listed. */
export async function leftovers(files: TrailFiles, tree: StoredTree): Promise<Leftovers> {
  const damaged: Finding[] = [];
  const unsigned: string[] = [];
  for await (const path of files.tilePaths?.() ?? []) {
    const parsed = parseTilePath(path);
    if (parsed === undefined) continue;
    if (isBeyond(parsed, tree.size)) unsigned.push(path);
    else if (damaged.length === 0 && !(await isBeginning(files, tree, { ...parsed, path })))
      damaged.push({ kind: "tile", path, message: `${path}, of an older checkpoint, was changed` });
  }
  return { damaged, unsigned };
}

function isBeyond(parsed: ParsedPath, size: number): boolean {
  return parsed.index * TILE_WIDTH + parsed.width > hashesAt(levelOf(parsed), size);
}

async function isBeginning(
  files: TrailFiles,
  tree: StoredTree,
  parsed: ParsedPath & { readonly path: string },
): Promise<boolean> {
  const { level, index, width, path } = parsed;
  const now = tileAt(levelOf(parsed), index, tree.size);
  // Of the tree itself: the walk looked at it.
  if (now === undefined || now.width === width) return true;
  const bytes = await files.read(path);
  // Gone meanwhile: its tile became full.
  if (bytes === undefined) return true;
  if (level === "entries") {
    const { entries } = await tree.bundle(index);
    return writeBundle(entries.slice(0, width)).equals(bytes);
  }
  const tile = await tree.tile(now);
  return tile?.subarray(0, width * HASH_BYTES).equals(bytes) === true;
}

function levelOf({ level }: ParsedPath): number {
  return level === "entries" ? 0 : level;
}
