import { readFile } from "node:fs/promises";
import { parseCheckpoint, type Checkpoint } from "../../tlog/checkpoint.ts";
import { NoteKeyError, NoteSignatureError, TlogFormatError } from "../../tlog/errors.ts";
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

/** Of a place that was given for a trail. */
export function noCheckpoint(place: string): string {
  return `${place} has no checkpoint: nothing is entered yet, or it was removed, or the trail is elsewhere (a feed serves its own at /v1/audit/)`;
}

/** A file that the user names. @throws UsageError, TlogFormatError, NoteSignatureError */
export async function readCheckpoint(path: string, keys: readonly NoteVerifier[]): Promise<OpenedCheckpoint> {
  const note = await readGiven(path);
  try {
    return openCheckpoint(note, keys);
  } catch (error) {
    if (error instanceof TlogFormatError) throw new TlogFormatError(`${path}: ${error.message}`);
    if (error instanceof NoteSignatureError) throw new NoteSignatureError(`${path}: ${error.message}`);
    throw error;
  }
}

/** @throws UsageError */
export async function readGiven(path: string): Promise<Buffer> {
  return readFile(path).catch((error: unknown) => {
    throw new UsageError(`${path} cannot be read: ${error instanceof Error ? error.message : String(error)}`);
  });
}

/** @throws NoteKeyError */
export function parseKeys(texts: readonly string[]): NoteVerifier[] {
  return texts.map((text) => {
    try {
      return parseVerifier(text);
    } catch (error) {
      if (!(error instanceof NoteKeyError)) throw error;
      const hint =
        'The key itself is given, as audit keygen prints it, and no file: --key "$(cat audit.vkey)"';
      throw new NoteKeyError(error.message, { hint });
    }
  });
}
