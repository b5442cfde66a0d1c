import { isConsistent, proveConsistency } from "../../tlog/proof.ts";
import { hashesFromTiles } from "../../tlog/tile-hashes.ts";
import { formatExtension } from "../../tlog/extension.ts";
import type { Io } from "../io.ts";
import { parseKeys, readCheckpoint } from "./checkpoints.ts";
import { NotProved } from "./errors.ts";
import { currentCheckpoint } from "./prove.ts";
import { StoredTree } from "./stored-tree.ts";
import { openTrailFiles } from "./open-trail-files.ts";
import type { TrailOptions } from "./trail-options.ts";

/** Prints a proof that a trail still begins as a checkpoint says that was kept. @throws NotProved where it does not */
export async function consistency(kept: string, trail: string, options: TrailOptions, io: Io): Promise<void> {
  const old = await readCheckpoint(kept, parseKeys(options.keys));
  await using files = openTrailFiles(trail, options, io);
  const now = await currentCheckpoint(files, options);
  if (old.origin !== now.origin)
    throw new NotProved(`This is the trail ${now.origin}, and the kept checkpoint is of ${old.origin}`);
  if (old.size > now.size)
    throw new NotProved(
      `The trail was set back: it has ${now.size} entries, the kept checkpoint ${old.size}`,
    );
  const tree = new StoredTree(files, now);
  const proof = await proveConsistency(old.size, now.size, hashesFromTiles(now.size, tree.readTile));
  const claim = { oldSize: old.size, oldRoot: old.root, size: now.size, root: now.root, proof };
  if (!isConsistent(claim))
    throw new NotProved(`The trail does not begin with the ${old.size} entries of the kept checkpoint`, {
      hint: "It is damaged, or two histories were told: audit verify --against tells which",
    });
  io.stdout.write(formatExtension({ oldSize: old.size, proof, checkpoint: now.note }));
}
