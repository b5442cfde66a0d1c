import { formatCheckpoint, type Checkpoint } from "../../tlog/checkpoint.ts";
import { NoteKeyError } from "../../tlog/errors.ts";
import { signNote } from "../../tlog/note.ts";
import { parseSigner, parseVerifier, type NoteSigner, type NoteVerifier } from "../../tlog/note-keys.ts";

/** What a trail's checkpoints are signed with: all of the keys sign, and what one of them signed is ours. */
export class TrailKeys {
  /** Their name, and the trail's. */
  readonly origin: string;
  readonly verifiers: readonly NoteVerifier[];
  readonly #signers: readonly NoteSigner[];

  /** `texts`: private keys as `audit keygen` writes them, one at least. @throws NoteKeyError */
  constructor(texts: readonly string[]) {
    this.#signers = texts.map(parseSigner);
    this.verifiers = this.#signers.map(({ verifierKey }) => parseVerifier(verifierKey));
    const names = [...new Set(this.#signers.map(({ name }) => name))];
    if (names.length !== 1)
      throw new NoteKeyError(
        `The keys of one audit trail have one name, which is the trail's. Given: ${names.join(", ")}.`,
      );
    this.origin = names.join();
  }

  sign({ size, root }: Omit<Checkpoint, "origin">): string {
    return signNote(formatCheckpoint({ origin: this.origin, size, root }), this.#signers);
  }
}
