/** The bytes of JSON's punctuation. */
export const BYTE = {
  quote: 0x22,
  comma: 0x2c,
  colon: 0x3a,
  backslash: 0x5c,
  openArray: 0x5b,
  closeArray: 0x5d,
  openObject: 0x7b,
  closeObject: 0x7d,
} as const;

/** First position from `at` on that is not white space. */
export function skipSpace(body: Buffer, at: number): number {
  while (at < body.length && isSpace(body[at] as number)) at++;
  return at;
}

function isSpace(byte: number): boolean {
  return byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09;
}

/** Position of the closing quote of the string whose text begins at `at`. The string is known to be whole. */
function closingQuote(body: Buffer, at: number): number {
  for (; body[at] !== BYTE.quote; at++) if (body[at] === BYTE.backslash) at++;
  return at;
}

/** Decodes the string whose text begins at `at`. Throws SyntaxError on an escape JSON does not know. */
export function stringAt(body: Buffer, at: number): string {
  return JSON.parse(body.toString("utf8", at - 1, closingQuote(body, at) + 1)) as string;
}

/** Whether two strings, whose texts begin at these places, are the same once decoded. */
export function sameString(a: Buffer, aAt: number, b: Buffer, bAt: number): boolean {
  for (let offset = 0; ; offset++) {
    const byte = a[aAt + offset];
    if (byte === BYTE.backslash || b[bAt + offset] === BYTE.backslash)
      return stringAt(a, aAt) === stringAt(b, bAt);
    if (byte !== b[bAt + offset]) return false;
    if (byte === BYTE.quote) return true;
  }
}

const HASH_SEED = 0x811c9dc5;

/** 32-bit hash of a text, to be continued with another one. */
export function hashText(text: string, seed: number = HASH_SEED): number {
  let hash = seed;
  for (let at = 0; at < text.length; at++) hash = Math.imul(hash ^ text.charCodeAt(at), 0x01000193);
  return Math.imul(hash ^ 0xffff, 0x01000193) >>> 0;
}

/** `hashText` of the string whose text begins at `at`, without making a string of it where it is plain ASCII. */
export function hashStringAt(body: Buffer, at: number, seed: number = HASH_SEED): number {
  let hash = seed;
  for (let position = at; ; position++) {
    const byte = body[position] as number;
    if (byte === BYTE.quote) return Math.imul(hash ^ 0xffff, 0x01000193) >>> 0;
    if (byte === BYTE.backslash || byte > 0x7f) return hashText(stringAt(body, at), seed);
    hash = Math.imul(hash ^ byte, 0x01000193);
  }
}
