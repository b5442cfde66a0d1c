import { hash } from "node:crypto";
import { TILE_WIDTH } from "./tiles.ts";

/** Of SHA-256. */
export const HASH_BYTES = 32;

const PAIR_BYTES = 2 * HASH_BYTES;
const LEAF_PREFIX = 0x00;
const NODE_PREFIX = 0x01;

/** Root of the tree without leaves: the hash of nothing, RFC 6962 section 2.1. */
export const EMPTY_ROOT = sha256(Buffer.alloc(0));

/** Hashing in one call needs the prefix before the bytes; these are written over by every call. */
const nodeScratch = Buffer.alloc(1 + PAIR_BYTES, NODE_PREFIX);
const levelScratch = Buffer.alloc(1 + TILE_WIDTH * HASH_BYTES);
/** Each pair of hashes in it, the prefix before them: to make a view takes a fifth as long as to hash what it shows. */
const levelPairs = Array.from({ length: TILE_WIDTH / 2 }, (_, pair) =>
  levelScratch.subarray(pair * PAIR_BYTES, 1 + (pair + 1) * PAIR_BYTES),
);

/** RFC 6962: SHA-256 of 0x00 and the entry's bytes. */
export function leafHash(entry: Uint8Array): Buffer {
  return sha256(Buffer.concat([Buffer.of(LEAF_PREFIX), entry]));
}

/** The same of the entry that stands at `start`, without a copy of it: the byte before it is written over. */
export function leafHashInPlace(memory: Buffer, start: number, end: number): HashText {
  memory[start - 1] = LEAF_PREFIX;
  // A plain view is made faster than a buffer.
  return hashText(new Uint8Array(memory.buffer, memory.byteOffset + start - 1, end - start + 1));
}

/** RFC 6962: SHA-256 of 0x01 and both children. */
export function nodeHash(left: Uint8Array, right: Uint8Array): Buffer {
  nodeScratch.set(left, 1);
  nodeScratch.set(right, 1 + HASH_BYTES);
  return sha256(nodeScratch);
}

/**
 * Root of the perfect tree over `hashes`, a power of two of them, at most a tile's, one after another. What a full tile
 * becomes in the level above.
 */
export function perfectRoot(hashes: Uint8Array): Buffer {
  levelScratch.set(hashes, 1);
  for (let pairs = hashes.length / PAIR_BYTES; pairs >= 1; pairs /= 2) hashPairs(levelPairs.slice(0, pairs));
  return Buffer.from(levelScratch.subarray(1, 1 + HASH_BYTES));
}

/**
 * Each pair's hash in place of what stood there, from the second byte on. The prefix takes the last byte of the pair
 * before, which is done with; no parent reaches as far.
 */
function hashPairs(pairs: readonly Buffer[]): void {
  for (const [at, pair] of pairs.entries()) {
    pair[0] = NODE_PREFIX;
    writeHash(hashText(pair), levelScratch, 1 + at * HASH_BYTES);
  }
}

export function sha256(bytes: Uint8Array): Buffer {
  return Buffer.from(hashText(bytes), "latin1");
}

/** A hash with a character for each byte: Node makes it three times as fast as a buffer. */
export type HashText = string;

function hashText(bytes: Uint8Array): HashText {
  return hash("sha256", bytes, "binary");
}

export function writeHash(text: HashText, memory: Buffer, at: number): void {
  memory.write(text, at, "latin1");
}
