import { leafHash } from "../../tlog/hash.ts";
import { isIncluded, proveInclusion } from "../../tlog/proof.ts";
import { hashesFromTiles } from "../../tlog/tile-hashes.ts";
import { formatTlogProof } from "../../tlog/tlog-proof.ts";
import { parseCursor } from "../../schemas/cursor.ts";
import type { Io } from "../io.ts";
import { UsageError } from "../support/usage-error.ts";
import { noCheckpoint, openCheckpoint, parseKeys, type OpenedCheckpoint } from "./checkpoints.ts";
import { NotProved } from "./errors.ts";
import { locate, prunedBefore, type Located, type Sought } from "./locate.ts";
import { StoredTree } from "./stored-tree.ts";
import { openTrailFiles } from "./open-trail-files.ts";
import type { TrailFiles } from "./trail-files.ts";
import type { TrailOptions } from "./trail-options.ts";

/** Prints a proof, as C2SP tlog-proof, that an event is in a trail; its `extra` is the entry. @throws NotProved */
export async function prove(event: string, trail: string, options: TrailOptions, io: Io): Promise<void> {
  const sought = parseSought(event);
  await using files = openTrailFiles(trail, options, io);
  const checkpoint = await currentCheckpoint(files, options);
  const tree = new StoredTree(files, checkpoint);
  const located = await locate(tree, sought);
  if (located === undefined) throw await notThere(tree, event, sought);
  io.stdout.write(await proofOf(tree, checkpoint, located));
}

/** Why an event was not found. */
export async function notThere(tree: StoredTree, event: string, sought: Sought): Promise<NotProved> {
  const first = await prunedBefore(tree, sought);
  if (first !== undefined)
    return new NotProved(
      `The event ${event} was pruned: of entries 0 to ${first - 1} only the hashes are here`,
      {
        hint: "Prove it from a copy of the trail that still has it. A proof that was made before holds as it did",
      },
    );
  return new NotProved(`The trail has no event ${event} among the ${tree.size} entries of its checkpoint`, {
    hint: "audit verify says which events are missing from it; the newest may not be signed yet",
  });
}

async function proofOf(tree: StoredTree, checkpoint: OpenedCheckpoint, located: Located): Promise<string> {
  const { index, entry } = located;
  const proof = await proveInclusion(index, tree.size, hashesFromTiles(tree.size, tree.readTile));
  const claim = { index, leaf: leafHash(entry), ...checkpoint, proof };
  if (isIncluded(claim)) return formatTlogProof({ index, proof, checkpoint: checkpoint.note, extra: entry });
  throw new NotProved(`Entry ${index} does not hash to the root of the trail's checkpoint`, {
    hint: "The trail is damaged or was changed: audit verify names where",
  });
}

/** @throws UsageError */
export function parseSought(event: string): Sought {
  const cursor = parseCursor(event);
  if (cursor !== undefined) return cursor;
  if (/^\d{1,16}$/.test(event) && Number.isSafeInteger(Number(event)))
    return { epoch: undefined, sequence: Number(event) };
  throw new UsageError(
    `${JSON.stringify(event)} names no event; allowed: a sequence, such as 4711, or a cursor`,
  );
}

/** @throws NotProved, TlogFormatError, NoteSignatureError, NoteKeyError */
export async function currentCheckpoint(
  files: TrailFiles,
  { keys }: Pick<TrailOptions, "keys">,
): Promise<OpenedCheckpoint> {
  const note = await files.read("checkpoint");
  if (note === undefined) throw new NotProved(noCheckpoint(files.name));
  return openCheckpoint(note, parseKeys(keys));
}
