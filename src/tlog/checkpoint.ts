import { fromBase64 } from "./base64.ts";
import { TlogFormatError } from "./errors.ts";
import { HASH_BYTES } from "./hash.ts";

/** A tree's head: C2SP tlog-checkpoint. */
export interface Checkpoint {
  /** Which log this is. */
  readonly origin: string;
  /** Leaves of the tree. */
  readonly size: number;
  readonly root: Buffer;
}

/** The text to sign. */
export function formatCheckpoint({ origin, size, root }: Checkpoint): string {
  return `${origin}\n${size}\n${root.toString("base64")}\n`;
}

/** Of a note's text. Extension lines are allowed and passed over. Throws `TlogFormatError`. */
export function parseCheckpoint(text: string): Checkpoint {
  const [origin = "", sizeText = "", rootText = "", ...rest] = text.split("\n");
  const root = fromBase64(rootText);
  const size = /^(?:0|[1-9]\d{0,15})$/.test(sizeText) ? Number(sizeText) : Number.NaN;
  if (origin === "") throw malformed("its first line, the origin, is empty");
  if (!Number.isSafeInteger(size)) throw malformed("its second line is no count of entries");
  if (root?.length !== HASH_BYTES) throw malformed("its third line is no SHA-256 in base64");
  if (rest.pop() !== "" || rest.includes(""))
    throw malformed("it has an empty line, or no newline at its end");
  return { origin, size, root };
}

function malformed(why: string): TlogFormatError {
  return new TlogFormatError(`This is no checkpoint: ${why}.`);
}
