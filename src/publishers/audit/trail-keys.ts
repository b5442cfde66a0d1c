import { formatCheckpoint, type Checkpoint } from "../../tlog/checkpoint.ts";
import { signNote } from "../../tlog/note.ts";
import { parseSigners, parseVerifier, type NoteSigner, type NoteVerifier } from "../../tlog/note-keys.ts";

/** What a trail's checkpoints are signed with: all of the keys sign, and what one of them signed is ours. */
export class TrailKeys {
  /** Their name, and the trail's. */
  readonly origin: string;
  readonly verifiers: readonly NoteVerifier[];
  readonly #signers: readonly NoteSigner[];

  /** `texts`: private keys as `audit keygen` writes them, one at least. @throws NoteKeyError */
  constructor(texts: readonly string[]) {
    const { name, signers } = parseSigners(texts);
    this.origin = name;
    this.#signers = signers;
    this.verifiers = signers.map(({ verifierKey }) => parseVerifier(verifierKey));
  }

  sign({ size, root }: Omit<Checkpoint, "origin">): string {
    return signNote(formatCheckpoint({ origin: this.origin, size, root }), this.#signers);
  }
}
