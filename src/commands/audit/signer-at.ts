import { secretReader } from "../../config/secrets.ts";
import { isReference } from "../../schemas/destinations/fields.ts";
import { parseSigner, type NoteSigner } from "../../tlog/note-keys.ts";
import type { Io } from "../io.ts";
import { UsageError } from "../support/usage-error.ts";

/** `what`: the flag or argument that says where the private key is. @throws UsageError, NoteKeyError */
export function signerAt(reference: string, what: string, { env }: Io): NoteSigner {
  if (isReference(reference)) return parseSigner(secretReader(env)(reference));
  throw new UsageError(`${what} is not allowed; allowed: env:NAME or file:PATH, and behind it a private key`);
}
