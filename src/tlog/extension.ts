import { fromBase64 } from "./base64.ts";
import { TlogFormatError } from "./errors.ts";
import { HASH_BYTES } from "./hash.ts";

/** A proof that a log grew from a known size to a checkpoint: what a C2SP tlog-witness is asked to cosign. */
export interface Extension {
  readonly oldSize: number;
  readonly proof: readonly Buffer[];
  /** The signed note, as the log wrote it. */
  readonly checkpoint: string;
}

export function formatExtension({ oldSize, proof, checkpoint }: Extension): string {
  return [`old ${oldSize}`, ...proof.map((hash) => hash.toString("base64")), "", checkpoint].join("\n");
}

/** Throws `TlogFormatError`. */
export function parseExtension(text: string): Extension {
  const end = text.indexOf("\n\n");
  const [first = "", ...lines] = text.slice(0, Math.max(0, end)).split("\n");
  const [, size] = /^old (0|[1-9]\d{0,15})$/.exec(first) ?? [];
  const proof = lines.map(fromBase64).filter((hash) => hash?.length === HASH_BYTES);
  if (!Number.isSafeInteger(Number(size)) || proof.length < lines.length)
    throw new TlogFormatError(
      "This is no proof of consistency: its first line is no size, or a hash is none.",
    );
  return {
    oldSize: Number(size),
    proof: proof.filter((hash) => hash !== undefined),
    checkpoint: text.slice(end + 2),
  };
}
