import { hash } from "node:crypto";

/** Of SHA-256. */
export const HASH_BYTES = 32;

const LEAF_PREFIX = 0x00;
const NODE_PREFIX = 0x01;

/** Root of the tree without leaves: the hash of nothing, RFC 6962 section 2.1. */
export const EMPTY_ROOT = sha256(Buffer.alloc(0));

/** Hashing in one call needs the prefix before the bytes; these are written over by every call. */
const leafScratch = Buffer.alloc(1 + 65_535, LEAF_PREFIX);
const nodeScratch = Buffer.alloc(1 + 2 * HASH_BYTES, NODE_PREFIX);

/** RFC 6962: SHA-256 of 0x00 and the entry's bytes. */
export function leafHash(entry: Uint8Array): Buffer {
  if (entry.length >= leafScratch.length) return sha256(Buffer.concat([Buffer.of(LEAF_PREFIX), entry]));
  leafScratch.set(entry, 1);
  return sha256(leafScratch.subarray(0, 1 + entry.length));
}

/** Of the entry from `start` to `end`. The byte before it is written over. */
export function leafHashIn(memory: Buffer, start: number, end: number): Buffer {
  memory[start - 1] = LEAF_PREFIX;
  return sha256(memory.subarray(start - 1, end));
}

/** RFC 6962: SHA-256 of 0x01 and both children. */
export function nodeHash(left: Uint8Array, right: Uint8Array): Buffer {
  nodeScratch.set(left, 1);
  nodeScratch.set(right, 1 + HASH_BYTES);
  return sha256(nodeScratch);
}

/**
 * Root of the perfect tree over `hashes`, a power of two of them one after another. What a full tile becomes in the
 * level above.
 */
export function perfectRoot(hashes: Uint8Array): Buffer {
  const level = Buffer.from(hashes);
  for (let bytes = level.length; bytes > HASH_BYTES; bytes /= 2) hashPairs(level, bytes);
  return Buffer.from(level.subarray(0, HASH_BYTES));
}

/** Each pair's hash in place of what stood there: a parent never reaches beyond its children. */
function hashPairs(level: Buffer, bytes: number): void {
  for (let at = 0; at < bytes; at += 2 * HASH_BYTES) {
    level.copy(nodeScratch, 1, at, at + 2 * HASH_BYTES);
    level.write(hash("sha256", nodeScratch, "binary"), at / 2, "latin1");
  }
}

/** By way of a string, which Node makes three times as fast as a buffer. */
export function sha256(bytes: Uint8Array): Buffer {
  return Buffer.from(hash("sha256", bytes, "binary"), "latin1");
}
