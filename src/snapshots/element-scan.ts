import { skipSpace } from "./json-text.ts";

const SPACE = 0x20;
const QUOTE = 0x22;
const PLUS = 0x2b;
const COMMA = 0x2c;
const COLON = 0x3a;
const OPEN_ARRAY = 0x5b;
const BACKSLASH = 0x5c;
const CLOSE_ARRAY = 0x5d;
const OPEN_OBJECT = 0x7b;
const CLOSE_OBJECT = 0x7d;

/** What one pass over an element's bytes finds out. One such record is filled again for every element. */
export class Element {
  /** Offsets in the body: the element's first byte, and the one behind its last. */
  start = 0;
  end = 0;
  /** Where the texts of the key and of the namespace begin, within their quotes. 0 where there is none. */
  keyAt = 0;
  namespaceAt = 0;
  /** Hash of namespace and key; the reader fills it in. */
  identity = 0;
  /**
   * Sum of one 32-bit hash for every scalar and container of the element, each taken over its whole path from
   * the root and its text. Members in another order give the same sum; a value that moved to another member,
   * another object or another place of an array gives another one, as does any changed index.
   */
  checksum = 0;
  /** Where the body's last quote is: before it, a string cannot run out of the body unnoticed. */
  readonly lastQuote: number;
  /** Path and index of the containers around the one being read, two entries each. */
  readonly stack: number[] = [];

  constructor(body: Buffer) {
    this.lastQuote = body.lastIndexOf(QUOTE);
  }
}

/** The body does not go on as JSON does. */
export class Unexpected extends Error {
  readonly at: number;
  constructor(expected: string, at: number) {
    super(expected);
    this.at = at;
  }
}

/**
 * Reads the object that starts at `start`, making nothing of it but offsets and a checksum. The structure is
 * checked; the insides of strings and numbers are left to whoever parses them.
 *
 * Every byte of a list may have to pass here, so this is one long function on purpose: split up, it took two to
 * four times as long.
 * @throws Unexpected
 */
export function scanElement(body: Buffer, start: number, keyName: Buffer, element: Element): void {
  const { stack, lastQuote } = element;
  element.start = start;
  element.keyAt = 0;
  element.namespaceAt = 0;
  element.checksum = 0;
  if (body[start] !== OPEN_OBJECT) throw new Unexpected("expected an object", start);
  let depth = 0;
  /** Hash of the path to the container we are in; our place in it: -1 in an object, in an array the index. */
  let path = 0;
  let index = -1;
  let sum = 0;
  let at = skipSpace(body, start + 1);
  if (body[at] === CLOSE_OBJECT) {
    element.end = at + 1;
    return;
  }
  for (;;) {
    let hash = path;
    let byte: number;
    if (index < 0) {
      if (body[at] !== QUOTE) at = expect(QUOTE, body, at);
      const nameAt = ++at;
      if (nameAt > lastQuote) throw endless(body);
      while ((byte = body[at] as number) !== QUOTE) {
        if (byte === BACKSLASH) {
          hash = ((hash << 5) + hash + byte) | 0;
          if (++at >= lastQuote) throw endless(body);
          byte = body[at] as number;
        }
        hash = ((hash << 5) + hash + byte) | 0;
        at++;
      }
      at++;
      if (body[at] !== COLON) at = expect(COLON, body, at);
      at++;
      if ((body[at] as number) <= SPACE) at = skipSpace(body, at);
      if (depth === 0) noteIdentity(body, nameAt, at, keyName, element);
      hash = ((hash << 5) + hash + COLON) | 0;
    } else {
      if ((body[at] as number) <= SPACE) at = skipSpace(body, at);
      hash = (hash + Math.imul(index, 0x9e3779b1)) | 0;
    }
    const first = body[at] as number;
    if (first === OPEN_OBJECT || first === OPEN_ARRAY) {
      stack[depth++] = path;
      stack[depth++] = index;
      path = finish(hash + first);
      index = first === OPEN_OBJECT ? -1 : 0;
      sum = (sum + path) | 0;
      at++;
      if ((body[at] as number) <= SPACE) at = skipSpace(body, at);
      if (body[at] !== first + 2) continue;
    } else if (first === QUOTE) {
      hash = ((hash << 5) + hash + QUOTE) | 0;
      if (++at > lastQuote) throw endless(body);
      while ((byte = body[at] as number) !== QUOTE) {
        if (byte === BACKSLASH) {
          hash = ((hash << 5) + hash + byte) | 0;
          if (++at >= lastQuote) throw endless(body);
          byte = body[at] as number;
        }
        hash = ((hash << 5) + hash + byte) | 0;
        at++;
      }
      at++;
      sum = (sum + finish(hash)) | 0;
    } else {
      const literalAt = at;
      while (
        ((byte = body[at] as number) > COMMA || byte === PLUS) &&
        byte !== CLOSE_OBJECT &&
        byte !== CLOSE_ARRAY
      ) {
        hash = ((hash << 5) + hash + byte) | 0;
        at++;
      }
      if (!isLiteral(body, literalAt, at)) throw new Unexpected("expected a value", literalAt);
      sum = (sum + finish(hash)) | 0;
    }
    for (;;) {
      byte = body[at] as number;
      if (byte <= SPACE) {
        at = skipSpace(body, at);
        byte = body[at] as number;
      }
      at++;
      if (byte === COMMA) break;
      if (byte !== (index < 0 ? CLOSE_OBJECT : CLOSE_ARRAY))
        throw new Unexpected("expected , or the end of a value", at - 1);
      if (depth === 0) {
        element.end = at;
        element.checksum = sum >>> 0;
        return;
      }
      index = stack[--depth] as number;
      path = stack[--depth] as number;
    }
    if (index >= 0) index++;
  }
}

/** The position of the byte, which may stand behind white space only. */
function expect(byte: number, body: Buffer, at: number): number {
  const position = skipSpace(body, at);
  if (body[position] !== byte) throw new Unexpected(`expected ${String.fromCharCode(byte)}`, position);
  return position;
}

function endless(body: Buffer): Unexpected {
  return new Unexpected("a string does not end", body.length);
}

const NAMESPACE = Buffer.from("Namespace");

/** Notes where the value is, if the name is that of a member that identifies the object. */
function noteIdentity(
  body: Buffer,
  nameAt: number,
  valueAt: number,
  keyName: Buffer,
  element: Element,
): void {
  const textAt = body[valueAt] === QUOTE ? valueAt + 1 : 0;
  if (isName(body, nameAt, keyName)) element.keyAt = textAt;
  else if (isName(body, nameAt, NAMESPACE)) element.namespaceAt = textAt;
}

function isName(body: Buffer, at: number, name: Buffer): boolean {
  return body[at + name.length] === QUOTE && startsWith(body, at, name);
}

const WORDS = ["null", "false", "true"].map((word) => Buffer.from(word));

/** Whether [start, end) is null, false, true, or begins as a number does. */
function isLiteral(body: Buffer, start: number, end: number): boolean {
  const first = body[start] as number;
  if ((first >= 0x30 && first <= 0x39) || first === 0x2d) return true;
  for (const word of WORDS) {
    if (word[0] === first) return word.length === end - start && startsWith(body, start, word);
  }
  return false;
}

function startsWith(body: Buffer, at: number, word: Buffer): boolean {
  for (let offset = 0; offset < word.length; offset++) {
    if (body[at + offset] !== word[offset]) return false;
  }
  return true;
}

/** Spreads every bit over all others (the last steps of murmur3), so that sums of hashes do not cancel out. */
function finish(hash: number): number {
  let mixed = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35);
  return mixed ^ (mixed >>> 16);
}
