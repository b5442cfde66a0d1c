import {
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  sign,
  verify,
  type KeyObject,
} from "node:crypto";
import { fromBase64 } from "./base64.ts";
import { NoteKeyError } from "./errors.ts";
import { sha256 } from "./hash.ts";

/** Signature type of a key: Ed25519 over the note's text. */
const ED25519 = 0x01;
const KEY_BYTES = 32;
/** What DER has before the 32 bytes: RFC 8410. */
const PRIVATE_DER = Buffer.from("302e020100300506032b657004220420", "hex");
const PUBLIC_DER = Buffer.from("302a300506032b6570032100", "hex");

/** Who signed: the name and the 32 bits by which a key is told from others. */
export interface KeyIdentity {
  readonly name: string;
  readonly keyId: number;
}

/** A private key for notes: `PRIVATE+KEY+<name>+<key id in hex>+<base64>`. */
export interface NoteSigner extends KeyIdentity {
  /** The public half, to give away. */
  readonly verifierKey: string;
  sign(text: Uint8Array): Buffer;
}

/** A public key for notes: `<name>+<key id in hex>+<base64>`, in short a vkey. */
export interface NoteVerifier extends KeyIdentity {
  verify(text: Uint8Array, signature: Uint8Array): boolean;
}

/** Throws `NoteKeyError`. */
export function parseSigner(text: string): NoteSigner {
  const [, name = "", id = "", base64 = ""] = /^PRIVATE\+KEY\+([^+]+)\+([0-9a-f]{8})\+(.+)$/.exec(text) ?? [];
  const key = createPrivateKey({
    key: Buffer.concat([PRIVATE_DER, keyBytes(name, base64, "private")]),
    format: "der",
    type: "pkcs8",
  });
  const publicKey = publicBytes(key);
  const keyId = keyIdOf(name, publicKey);
  if (hex(keyId) !== id) throw keyError("private", "its id is not that of its name and key");
  return { name, keyId, verifierKey: verifierKey(name, publicKey), sign: (note) => sign(null, note, key) };
}

/** The keys that sign one log together: one at least, and all of one name. Throws `NoteKeyError`. */
export function parseSigners(texts: readonly string[]): { name: string; signers: readonly NoteSigner[] } {
  const signers = texts.map(parseSigner);
  const [name, ...others] = new Set(signers.map((signer) => signer.name));
  if (name !== undefined && others.length === 0) return { name, signers };
  const given = [name, ...others].join(", ");
  throw new NoteKeyError(`The keys of one audit trail have one name, which is the trail's. Given: ${given}.`);
}

/** Throws `NoteKeyError`. */
export function parseVerifier(text: string): NoteVerifier {
  const [, name = "", id = "", base64 = ""] = /^([^+]+)\+([0-9a-f]{8})\+(.+)$/.exec(text) ?? [];
  const publicKey = keyBytes(name, base64, "public");
  const keyId = keyIdOf(name, publicKey);
  if (hex(keyId) !== id) throw keyError("public", "its id is not that of its name and key");
  const key = createPublicKey({
    key: Buffer.concat([PUBLIC_DER, publicKey]),
    format: "der",
    type: "spki",
  });
  return { name, keyId, verify: (note, signature) => verify(null, note, key, signature) };
}

/** A new key. The name tells logs apart, as example.com/nomad does. */
export function generateNoteKey(name: string): { privateKey: string; verifierKey: string } {
  if (!isKeyName(name))
    throw new NoteKeyError(`"${name}" cannot name a key. Allowed: text without spaces and "+".`);
  const { privateKey } = generateKeyPairSync("ed25519");
  const publicKey = publicBytes(privateKey);
  const seed = privateKey.export({ format: "der", type: "pkcs8" }).subarray(PRIVATE_DER.length);
  const secret = Buffer.concat([Buffer.of(ED25519), seed]).toString("base64");
  return {
    privateKey: `PRIVATE+KEY+${name}+${hex(keyIdOf(name, publicKey))}+${secret}`,
    verifierKey: verifierKey(name, publicKey),
  };
}

export function isKeyName(name: string): boolean {
  return name !== "" && name.isWellFormed() && !/[\p{White_Space}\p{Cc}+]/u.test(name);
}

/** For people: `example.com/nomad+530d903a`. */
export function keyText({ name, keyId }: KeyIdentity): string {
  return `${name}+${hex(keyId)}`;
}

/** The 32 bytes behind the signature type. */
function keyBytes(name: string, base64: string, kind: "private" | "public"): Buffer {
  const bytes = fromBase64(base64);
  if (!isKeyName(name) || bytes === undefined || bytes.length === 0)
    throw keyError(kind, "it is not of the form that `audit keygen` writes");
  if (bytes[0] !== ED25519) throw keyError(kind, "it is of another kind than Ed25519");
  if (bytes.length !== 1 + KEY_BYTES) throw keyError(kind, "it has not the length of an Ed25519 key");
  return bytes.subarray(1);
}

function publicBytes(privateKey: KeyObject): Buffer {
  const der = createPublicKey(privateKey).export({ format: "der", type: "spki" });
  return der.subarray(PUBLIC_DER.length);
}

function verifierKey(name: string, publicKey: Buffer): string {
  const base64 = Buffer.concat([Buffer.of(ED25519), publicKey]).toString("base64");
  return `${name}+${hex(keyIdOf(name, publicKey))}+${base64}`;
}

function keyIdOf(name: string, publicKey: Buffer): number {
  return sha256(Buffer.concat([Buffer.from(`${name}\n`), Buffer.of(ED25519), publicKey])).readUInt32BE();
}

function hex(keyId: number): string {
  return keyId.toString(16).padStart(8, "0");
}

function keyError(kind: "private" | "public", why: string): NoteKeyError {
  return new NoteKeyError(`The ${kind} key for the audit trail cannot be used: ${why}.`);
}
