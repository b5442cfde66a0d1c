import { fromBase64 } from "./base64.ts";
import { NoteSignatureError, TlogFormatError } from "./errors.ts";
import { isKeyName, keyText, type NoteSigner, type NoteVerifier } from "./note-keys.ts";

const KEY_ID_BYTES = 4;
/** The standard asks for 16 at least. */
const MAX_SIGNATURES = 100;
const SEPARATOR = "\n\n";

interface NoteSignature {
  readonly name: string;
  /** The key's, of 32 bits. */
  readonly keyId: number;
  readonly signature: Buffer;
}

/** A C2SP signed note whose signatures nobody has looked at. */
interface Note {
  /** Ends with a newline. */
  readonly text: string;
  readonly signatures: readonly NoteSignature[];
}

/** A note that one of the known keys signed, and no known key wrongly. */
interface OpenedNote {
  readonly text: string;
  readonly signers: readonly NoteVerifier[];
}

/** `text` ends with a newline. Each key signs; give both while one takes over from the other. */
export function signNote(text: string, signers: readonly NoteSigner[]): string {
  if (!isNoteText(text) || !text.endsWith("\n"))
    throw new TlogFormatError("A note's text ends with a newline and has no other control characters.");
  return `${text}\n${signers.map((signer) => signatureLine(signer, text)).join("")}`;
}

function signatureLine(signer: NoteSigner, text: string): string {
  const keyId = Buffer.alloc(KEY_ID_BYTES);
  keyId.writeUInt32BE(signer.keyId);
  const signature = Buffer.concat([keyId, signer.sign(Buffer.from(text))]).toString("base64");
  return `— ${signer.name} ${signature}\n`;
}

/** Throws `TlogFormatError` where it is none. */
export function parseNote(message: Uint8Array | string): Note {
  const whole = typeof message === "string" ? message : decoded(message);
  const end = whole.lastIndexOf(SEPARATOR);
  if (end < 0 || !isNoteText(whole) || !whole.endsWith("\n")) throw malformed("no signatures after its text");
  const lines = whole.slice(end + SEPARATOR.length, -1).split("\n");
  if (lines.length > MAX_SIGNATURES) throw malformed(`more than ${MAX_SIGNATURES} signatures`);
  return { text: whole.slice(0, end + 1), signatures: lines.map(parseSignature) };
}

function parseSignature(line: string): NoteSignature {
  const [, name = "", base64 = ""] = /^— ([^ ]+) ([^ ]+)$/.exec(line) ?? [];
  const bytes = fromBase64(base64);
  if (bytes === undefined || bytes.length <= KEY_ID_BYTES || !isKeyName(name))
    throw malformed("a line that is no signature");
  return { name, keyId: bytes.readUInt32BE(), signature: bytes.subarray(KEY_ID_BYTES) };
}

/** Throws `TlogFormatError` where it is no note, `NoteSignatureError` where no known key signed it, or one wrongly. */
export function openNote(message: Uint8Array | string, known: readonly NoteVerifier[]): OpenedNote {
  const { text, signatures } = parseNote(message);
  const bytes = Buffer.from(text);
  const signers = known.filter((key) => {
    const signature = signatures.find(({ name, keyId }) => name === key.name && keyId === key.keyId);
    if (signature !== undefined && !key.verify(bytes, signature.signature))
      throw new NoteSignatureError(`The signature of ${keyText(key)} is wrong.`);
    return signature !== undefined;
  });
  if (signers.length > 0) return { text, signers };
  const found = signatures.map(keyText).join(", ");
  throw new NoteSignatureError(`Signed by ${found}. Known: ${known.map(keyText).join(", ") || "no key"}.`);
}

function decoded(message: Uint8Array): string {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(message);
  } catch (cause) {
    throw malformed("bytes that are no UTF-8", cause);
  }
}

/** Well-formed, without ASCII control characters but newlines. */
function isNoteText(text: string): boolean {
  return !/[^\P{Cc}\n\x7f-\x9f]/u.test(text) && text.isWellFormed();
}

function malformed(what: string, cause?: unknown): TlogFormatError {
  return new TlogFormatError(`This is no signed note: it has ${what}.`, { cause });
}
