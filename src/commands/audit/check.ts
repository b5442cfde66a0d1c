import { leafHash } from "../../tlog/hash.ts";
import { isConsistent, isIncluded } from "../../tlog/proof.ts";
import { parseExtension } from "../../tlog/extension.ts";
import type { NoteVerifier } from "../../tlog/note-keys.ts";
import { parseTlogProof } from "../../tlog/tlog-proof.ts";
import type { Io } from "../io.ts";
import { UsageError } from "../support/usage-error.ts";
import {
  openCheckpoint,
  parseKeys,
  readCheckpoint,
  readGiven,
  type OpenedCheckpoint,
} from "./checkpoints.ts";
import { NotProved } from "./errors.ts";

export interface CheckOptions {
  /** Public keys, one of which has to have signed: one at least. */
  readonly keys: readonly string[];
  /** The kept checkpoint, of a proof of consistency. */
  readonly against?: string | undefined;
}

/** Checks what `audit prove` and `audit consistency` print, without the trail. @throws NotProved */
export async function check(file: string, { keys, against }: CheckOptions, io: Io): Promise<void> {
  if (keys.length === 0)
    throw new UsageError("--key is missing: without the trail's public key nothing is proved");
  const verifiers = parseKeys(keys);
  const text = (await readGiven(file)).toString("utf8");
  if (text.startsWith("old ")) await checkExtension(text, { verifiers, against }, io);
  else checkInclusion(text, verifiers, io);
}

function checkInclusion(text: string, verifiers: readonly NoteVerifier[], io: Io): void {
  const { index, proof, checkpoint, extra: entry } = parseTlogProof(text);
  const opened = openCheckpoint(checkpoint, verifiers);
  if (entry === undefined) throw new UsageError("The proof does not hold the entry that it is of");
  const leaf = leafHash(entry);
  if (!isIncluded({ index, leaf, size: opened.size, root: opened.root, proof }))
    throw new NotProved(`This entry is not number ${index} of the tree that was signed`);
  io.stderr.write(`proved: entry ${index} of ${ofTree(opened)}\n`);
  io.stdout.write(`${entry.toString("utf8")}\n`);
}

async function checkExtension(
  text: string,
  { verifiers, against }: { verifiers: readonly NoteVerifier[]; against: string | undefined },
  io: Io,
): Promise<void> {
  if (against === undefined)
    throw new UsageError(
      "--against is missing: a proof of consistency is checked against the kept checkpoint",
    );
  const { oldSize, proof, checkpoint } = parseExtension(text);
  const [old, now] = [await readCheckpoint(against, verifiers), openCheckpoint(checkpoint, verifiers)];
  const claim = { oldSize, oldRoot: old.root, size: now.size, root: now.root, proof };
  if (old.origin !== now.origin || old.size !== oldSize || !isConsistent(claim))
    throw new NotProved(`The tree that was signed is not the one of ${against}, grown`);
  io.stdout.write(`proved: the ${oldSize} entries of ${against} are the beginning of ${ofTree(now)}\n`);
}

function ofTree({ origin, size, signedBy }: OpenedCheckpoint): string {
  return `the ${size} entries of ${origin}, signed by ${signedBy.join(", ")}`;
}
