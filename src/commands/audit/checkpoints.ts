import { readFile } from "node:fs/promises";
import { parseCheckpoint, type Checkpoint } from "../../tlog/checkpoint.ts";
import { keyText, parseVerifier, type NoteVerifier } from "../../tlog/note-keys.ts";
import { openNote, parseNote } from "../../tlog/note.ts";
import { UsageError } from "../support/usage-error.ts";

/** A checkpoint and who is known to have signed it. */
export interface OpenedCheckpoint extends Checkpoint {
  /** The note as it was written. */
  readonly note: string;
  /** `name+id` of the keys; empty where no key was given to check with. */
  readonly signedBy: readonly string[];
}

/** Without keys nobody asks who signed. @throws TlogFormatError, NoteSignatureError */
export function openCheckpoint(note: Buffer | string, keys: readonly NoteVerifier[]): OpenedCheckpoint {
  const { text, signers } = keys.length === 0 ? { ...parseNote(note), signers: [] } : openNote(note, keys);
  return { ...parseCheckpoint(text), note: note.toString(), signedBy: signers.map(keyText) };
}

/** A file that the user names. @throws UsageError, TlogFormatError, NoteSignatureError */
export async function readCheckpoint(path: string, keys: readonly NoteVerifier[]): Promise<OpenedCheckpoint> {
  return openCheckpoint(await readGiven(path), keys);
}

/** @throws UsageError */
export async function readGiven(path: string): Promise<Buffer> {
  return readFile(path).catch((error: unknown) => {
    throw new UsageError(`${path} cannot be read: ${error instanceof Error ? error.message : String(error)}`);
  });
}

/** @throws NoteKeyError */
export function parseKeys(texts: readonly string[]): NoteVerifier[] {
  return texts.map(parseVerifier);
}
