import { skipSpace } from "./json-text.ts";

const SPACE = 0x20;
const QUOTE = 0x22;
const PLUS = 0x2b;
const COMMA = 0x2c;
const COLON = 0x3a;
const OPEN_ARRAY = 0x5b;
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
   * Sums of two independent 32-bit hashes of every scalar and container of the element, each hash taken over the
   * whole path from the root and the text. Members in another order give the same sums; a value that moved to
   * another member, another object or another place of an array gives others, as does any changed index.
   */
  checksumLow = 0;
  checksumHigh = 0;
  /**
   * With `findsRepeats`: whether an object in it may have a name twice. The last one counts then, whatever the sums
   * say. A name with an escape is taken for a repeated one, since two spellings may be one name.
   */
  mayRepeatNames = false;
  findsRepeats = false;
  /** Where it has numbers that Go knows and JSON does not. */
  readonly nonNumbers: number[] = [];
  /** Where the body's last quote is: before it, a string cannot run out of the body unnoticed. */
  readonly lastQuote: number;
  /** Both lanes of the path and the index of the containers around the one being read, three entries each. */
  readonly stack: number[] = [];
  readonly words: DataView;
  /** Hashes of the names met, each with its path: two that are the same by chance count as one name. */
  readonly names = new Set<number>();

  constructor(body: Buffer) {
    this.lastQuote = body.lastIndexOf(QUOTE);
    this.words = new DataView(body.buffer, body.byteOffset, body.byteLength);
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
 * Reads the object that starts at `start`, making nothing of it but offsets and checksums. The structure is
 * checked; the insides of strings and numbers are left to whoever parses them.
 *
 * Text is hashed in words of four bytes, the last one filled up with zeros; a string's closing quote is hashed too,
 * so that no two texts give the same words. The two hashes differ in how they take in a word: what leaves no trace
 * in one does in the other.
 *
 * Every byte of a list may have to pass here, so this is one long function on purpose: split up, it took two to
 * four times as long.
 * @throws Unexpected
 */
export function scanElement(body: Buffer, start: number, keyName: Buffer, element: Element): void {
  const { stack, lastQuote, words, names, findsRepeats } = element;
  const lastWord = body.length - 4;
  element.start = start;
  element.keyAt = 0;
  element.namespaceAt = 0;
  element.checksumLow = 0;
  element.checksumHigh = 0;
  element.mayRepeatNames = false;
  element.nonNumbers.length = 0;
  if (body[start] !== OPEN_OBJECT) throw new Unexpected("expected an object", start);
  if (findsRepeats) names.clear();
  let depth = 0;
  /** Hashes of the path to the container we are in; our place in it: -1 in an object, in an array the index. */
  let pathLow = 0;
  let pathHigh = 0;
  let index = -1;
  let sumLow = 0;
  let sumHigh = 0;
  let at = skipSpace(body, start + 1);
  if (body[at] === CLOSE_OBJECT) {
    element.end = at + 1;
    return;
  }
  for (;;) {
    let low = pathLow;
    let high = pathHigh;
    let byte: number;
    if (index < 0) {
      if (body[at] !== QUOTE) at = expect(QUOTE, body, at);
      const nameAt = ++at;
      if (nameAt > lastQuote) throw endless(body);
      for (;;) {
        let word = at <= lastWord ? words.getInt32(at, true) : wordBeforeEnd(body, at);
        const quotes = word ^ QUOTES;
        const backslashes = word ^ BACKSLASHES;
        const found = (((quotes - ONES) & ~quotes) | ((backslashes - ONES) & ~backslashes)) & HIGH_BITS;
        if (found === 0) {
          at += 4;
          low = Math.imul(low ^ word, LOW_FACTOR);
          low ^= low >>> 15;
          high = Math.imul(high + word, HIGH_FACTOR);
          high ^= high >>> 11;
          continue;
        }
        const position = (31 - Math.clz32(found & -found)) >> 3;
        word &= -1 >>> (24 - (position << 3));
        at += position + 1;
        low = Math.imul(low ^ word, LOW_FACTOR);
        low ^= low >>> 15;
        high = Math.imul(high + word, HIGH_FACTOR);
        high ^= high >>> 11;
        if (body[at - 1] === QUOTE) break;
        element.mayRepeatNames = true;
        if (at >= lastQuote) throw endless(body);
        byte = body[at++] as number;
        low = Math.imul(low ^ byte, LOW_FACTOR);
        low ^= low >>> 15;
        high = Math.imul(high + byte, HIGH_FACTOR);
        high ^= high >>> 11;
      }
      if (findsRepeats) {
        if (names.has(low)) element.mayRepeatNames = true;
        names.add(low);
      }
      if (body[at] !== COLON) at = expect(COLON, body, at);
      at++;
      if ((body[at] as number) <= SPACE) at = skipSpace(body, at);
      if (depth === 0) noteIdentity(body, nameAt, at, keyName, element);
    } else {
      if ((body[at] as number) <= SPACE) at = skipSpace(body, at);
      low = Math.imul(low ^ index, INDEX_FACTOR);
      low ^= low >>> 15;
      high = Math.imul(high + index, INDEX_FACTOR);
      high ^= high >>> 11;
    }
    const first = body[at] as number;
    if (first === OPEN_OBJECT || first === OPEN_ARRAY) {
      stack[depth++] = pathLow;
      stack[depth++] = pathHigh;
      stack[depth++] = index;
      low = Math.imul(low ^ (low >>> 15) ^ first, LOW_END);
      high = Math.imul(high ^ (high >>> 16) ^ first, HIGH_END);
      pathLow = low ^ (low >>> 14);
      pathHigh = high ^ (high >>> 13);
      index = first === OPEN_OBJECT ? -1 : 0;
      sumLow = (sumLow + pathLow) | 0;
      sumHigh = (sumHigh + pathHigh) | 0;
      at++;
      if ((body[at] as number) <= SPACE) at = skipSpace(body, at);
      if (body[at] !== first + 2) continue;
    } else {
      if (first === QUOTE) {
        if (++at > lastQuote) throw endless(body);
        for (;;) {
          let word = at <= lastWord ? words.getInt32(at, true) : wordBeforeEnd(body, at);
          const quotes = word ^ QUOTES;
          const backslashes = word ^ BACKSLASHES;
          const found = (((quotes - ONES) & ~quotes) | ((backslashes - ONES) & ~backslashes)) & HIGH_BITS;
          if (found === 0) {
            at += 4;
            low = Math.imul(low ^ word, LOW_FACTOR);
            low ^= low >>> 15;
            high = Math.imul(high + word, HIGH_FACTOR);
            high ^= high >>> 11;
            continue;
          }
          const position = (31 - Math.clz32(found & -found)) >> 3;
          word &= -1 >>> (24 - (position << 3));
          at += position + 1;
          low = Math.imul(low ^ word, LOW_FACTOR);
          low ^= low >>> 15;
          high = Math.imul(high + word, HIGH_FACTOR);
          high ^= high >>> 11;
          if (body[at - 1] === QUOTE) break;
          if (at >= lastQuote) throw endless(body);
          byte = body[at++] as number;
          low = Math.imul(low ^ byte, LOW_FACTOR);
          low ^= low >>> 15;
          high = Math.imul(high + byte, HIGH_FACTOR);
          high ^= high >>> 11;
        }
      } else {
        const literalAt = at;
        while (
          ((byte = body[at] as number) > COMMA || byte === PLUS) &&
          byte !== CLOSE_OBJECT &&
          byte !== CLOSE_ARRAY
        ) {
          low = Math.imul(low ^ byte, LOW_FACTOR);
          low ^= low >>> 15;
          high = Math.imul(high + byte, HIGH_FACTOR);
          high ^= high >>> 11;
          at++;
        }
        if (!isLiteral(body, literalAt, at)) {
          if (at === literalAt || nonNumberAt(body, literalAt) !== at - literalAt)
            throw new Unexpected("expected a value", literalAt);
          element.nonNumbers.push(literalAt);
        }
      }
      low = Math.imul(low ^ (low >>> 15), LOW_END);
      high = Math.imul(high ^ (high >>> 16), HIGH_END);
      sumLow = (sumLow + (low ^ (low >>> 14))) | 0;
      sumHigh = (sumHigh + (high ^ (high >>> 13))) | 0;
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
        element.checksumLow = sumLow >>> 0;
        element.checksumHigh = sumHigh >>> 0;
        return;
      }
      index = stack[--depth] as number;
      pathHigh = stack[--depth] as number;
      pathLow = stack[--depth] as number;
    }
    if (index >= 0) index++;
  }
}

/**
 * Four equal bytes, to find one of them in a word: the lowest high bit of (x - ones) & ~x is at its first zero byte.
 */
const QUOTES = 0x22222222;
const BACKSLASHES = 0x5c5c5c5c;
const ONES = 0x01010101;
const HIGH_BITS = 0x80808080 | 0;
/** Odd numbers whose bits look like chance. */
const LOW_FACTOR = 0x9e3779b1 | 0;
const HIGH_FACTOR = 0x85ebca6b | 0;
const INDEX_FACTOR = 0xc2b2ae35 | 0;
const LOW_END = 0x27d4eb2f;
const HIGH_END = 0x846ca68b | 0;

/** The word at `at`, where the body ends within it: with zeros behind the end. */
function wordBeforeEnd(body: Buffer, at: number): number {
  let word = 0;
  for (let position = Math.min(body.length, at + 4) - 1; position >= at; position--)
    word = (word << 8) | (body[position] as number);
  return word;
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
  if (first >= 0x30 && first <= 0x39) return true;
  if (first === 0x2d) return body[start + 1] !== 0x49;
  for (const word of WORDS) {
    if (word[0] === first) return word.length === end - start && startsWith(body, start, word);
  }
  return false;
}

const NON_NUMBERS = ["-Inf", "+Inf", "NaN"].map((word) => Buffer.from(word));

/** Length of the number at `at` that Go knows and JSON does not; 0 where there is none. */
export function nonNumberAt(body: Buffer, at: number): number {
  return NON_NUMBERS.find((word) => startsWith(body, at, word))?.length ?? 0;
}

function startsWith(body: Buffer, at: number, word: Buffer): boolean {
  for (let offset = 0; offset < word.length; offset++) {
    if (body[at + offset] !== word[offset]) return false;
  }
  return true;
}
