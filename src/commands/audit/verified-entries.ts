import type { Checkpoint } from "../../tlog/checkpoint.ts";
import { TlogFormatError } from "../../tlog/errors.ts";
import { leafHash } from "../../tlog/hash.ts";
import { TILE_WIDTH, tileAt } from "../../tlog/tiles.ts";
import { TreeEdge } from "../../tlog/tree.ts";
import { StoredTree } from "./stored-tree.ts";
import type { TrailFiles } from "./trail-files.ts";

export interface TrailEntry {
  readonly index: number;
  readonly bytes: Buffer;
}

const VERIFY = { hint: "audit verify names the first entry that is wrong" };

/**
 * The entries of a trail, in order, from the first that was not pruned on. Once all were taken, they have hashed to the
 * checkpoint's root. @throws TlogFormatError where they do not, or some are not there
 */
export async function* verifiedEntries(
  files: TrailFiles,
  checkpoint: Checkpoint,
): AsyncGenerator<TrailEntry> {
  const tree = new StoredTree(files, checkpoint);
  const first = await tree.firstBundle();
  const edge = await edgeBefore(tree, first);
  for (let bundle = first; bundle < tree.bundles; bundle += 1) {
    for (const bytes of await entriesIn(tree, bundle)) {
      edge.append(leafHash(bytes));
      yield { index: edge.size - 1, bytes };
    }
    // What became a tile is not needed.
    edge.takeTiles();
  }
  if (edge.root().equals(checkpoint.root)) return;
  throw new TlogFormatError(
    `The entries of ${files.name} do not hash to the root of its checkpoint.`,
    VERIFY,
  );
}

/** Of what was pruned, whose hashes stay. */
async function edgeBefore(tree: StoredTree, bundle: number): Promise<TreeEdge> {
  return TreeEdge.read(bundle * TILE_WIDTH, ({ level, index, width }) =>
    tree.readTile(tileAt(level, index, tree.size) ?? { level, index, width }),
  );
}

async function entriesIn(tree: StoredTree, index: number): Promise<readonly Buffer[]> {
  const { path, entries, damage } = await tree.bundle(index);
  const { width = 0 } = tileAt(0, index, tree.size) ?? {};
  if (damage === undefined) return entries.slice(0, width);
  throw new TlogFormatError(`${path} ${damage}.`, VERIFY);
}
