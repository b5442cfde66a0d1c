import { writeFile } from "node:fs/promises";
import { generateNoteKey } from "../../tlog/note-keys.ts";
import type { Io } from "../io.ts";
import { UsageError } from "../support/usage-error.ts";
import { signerAt } from "./signer-at.ts";

const OWNER_ONLY = 0o600;

/** Writes a new private key to a file of its own and prints the public one. @throws NoteKeyError, UsageError */
export async function keygen(name: string, file: string, io: Io): Promise<void> {
  const { privateKey, verifierKey } = generateNoteKey(name);
  await writeFile(file, `${privateKey}\n`, { mode: OWNER_ONLY, flag: "wx" }).catch((error: unknown) => {
    if (error instanceof Error && "code" in error && error.code === "EEXIST")
      throw new UsageError(`${file} is there already, and no key is written over another`, {
        hint: `nomad-changefeed audit vkey file:${file} prints its public key`,
      });
    throw new UsageError(
      `${file} cannot be written: ${error instanceof Error ? error.message : String(error)}`,
    );
  });
  io.stderr.write(`the private key is in ${file}; this is the public one, for whoever verifies the trail:\n`);
  io.stdout.write(`${verifierKey}\n`);
}

/** Prints the public key of a private one: env:NAME or file:PATH. @throws NoteKeyError, UsageError */
export function vkey(reference: string, io: Io): void {
  io.stdout.write(`${signerAt(reference, "the private key", io).verifierKey}\n`);
}
