import { fromBase64 } from "./base64.ts";
import { TlogFormatError } from "./errors.ts";
import { HASH_BYTES } from "./hash.ts";

const HEADER = "c2sp.org/tlog-proof@v1";

/** A proof that one entry is in a log, in one file: C2SP tlog-proof. */
export interface TlogProof {
  readonly index: number;
  readonly proof: readonly Buffer[];
  /** The signed note, as the log wrote it. */
  readonly checkpoint: string;
  /** Anything; nothing vouches for it. */
  readonly extra?: Buffer;
}

export function formatTlogProof({ index, proof, checkpoint, extra }: TlogProof): string {
  const lines = [
    HEADER,
    ...(extra === undefined ? [] : [`extra ${extra.toString("base64")}`]),
    `index ${index}`,
    ...proof.map((hash) => hash.toString("base64")),
  ];
  return `${lines.join("\n")}\n\n${checkpoint}`;
}

/** Throws `TlogFormatError`. */
export function parseTlogProof(text: string): TlogProof {
  const end = text.indexOf("\n\n");
  const [header, ...lines] = text.slice(0, Math.max(0, end)).split("\n");
  if (header !== HEADER) throw malformed(`its first line is not ${HEADER}`);
  const extra = parseExtra(lines);
  const [, indexText] = /^index (0|[1-9]\d{0,15})$/.exec(lines.shift() ?? "") ?? [];
  const index = Number(indexText);
  if (!Number.isSafeInteger(index)) throw malformed("it has no line with the entry's index");
  const proof = lines.map(parseHash);
  return { index, proof, checkpoint: text.slice(end + 2), ...(extra === undefined ? {} : { extra }) };
}

/** Takes the line from `lines`, where there is one. */
function parseExtra(lines: string[]): Buffer | undefined {
  if (lines[0]?.startsWith("extra ") !== true) return undefined;
  const extra = fromBase64(lines.shift()?.slice("extra ".length) ?? "");
  if (extra === undefined) throw malformed("its extra data is no base64");
  return extra;
}

function parseHash(line: string): Buffer {
  const hash = fromBase64(line);
  if (hash?.length !== HASH_BYTES) throw malformed("a line of its path is no SHA-256 in base64");
  return hash;
}

function malformed(why: string): TlogFormatError {
  return new TlogFormatError(`This is no proof: ${why}.`);
}
