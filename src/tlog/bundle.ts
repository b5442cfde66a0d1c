import { MAX_UNIT_BYTES } from "../shared/utf8.ts";
import { TlogFormatError } from "./errors.ts";
import { leafHashInPlace, type HashText } from "./hash.ts";

/** Of one entry: its length is written in two bytes. */
export const MAX_ENTRY_BYTES = 65_535;

const LENGTH_BYTES = 2;
const FIRST_BYTES = 65_536;

/** Bundles in the making, one behind the other in a memory that is used again. What `bytes` gave stays until `startOver`. */
export class BundleWriter {
  #memory = Buffer.allocUnsafeSlow(FIRST_BYTES);
  /** Where the bundle begins that is not full. */
  #begin = 0;
  #end = 0;

  /** Goes on with a bundle that has these. */
  constructor(entries: readonly Buffer[]) {
    for (const entry of entries) {
      const start = this.#reserve(entry.length);
      this.#close(start, entry.copy(this.#memory, start));
    }
  }

  /** Of the bundle that is not full: each entry after its length. */
  get bytes(): Buffer {
    return this.#memory.subarray(this.#begin, this.#end);
  }

  /** The hash of its leaf, taken while the caches have the bytes. @throws TlogFormatError of more than MAX_ENTRY_BYTES */
  add(text: string): HashText {
    const start = this.#reserve(text.length * MAX_UNIT_BYTES);
    const bytes = this.#memory.write(text, start);
    const leaf = leafHashInPlace(this.#memory, start, start + bytes);
    this.#close(start, bytes);
    return leaf;
  }

  /** The bundle is full: what is added from now on is of the next one. */
  next(): void {
    this.#begin = this.#end;
  }

  /** Nobody needs what was full any more: its memory is used again. So many bytes and more may follow. */
  startOver(expected: number): void {
    this.#memory.copyWithin(0, this.#begin, this.#end);
    this.#end -= this.#begin;
    this.#begin = 0;
    this.#reserve(expected);
  }

  /** Where an entry of so many bytes may be written. What was given out before keeps the memory that it has. */
  #reserve(bytes: number): number {
    const start = this.#end + LENGTH_BYTES;
    if (start + bytes > this.#memory.length) {
      const larger = Buffer.allocUnsafeSlow(2 * (start + bytes));
      this.#memory.copy(larger, 0, 0, this.#end);
      this.#memory = larger;
    }
    return start;
  }

  #close(start: number, bytes: number): void {
    if (bytes > MAX_ENTRY_BYTES)
      throw new TlogFormatError(`An entry has ${bytes} bytes. Allowed: at most ${MAX_ENTRY_BYTES}.`);
    this.#memory.writeUInt16BE(bytes, start - LENGTH_BYTES);
    this.#end = start + bytes;
  }
}

/** Entries one after another, each after its length in two bytes, the larger first: C2SP tlog-tiles. */
export function writeBundle(entries: readonly Buffer[]): Buffer {
  return new BundleWriter(entries).bytes;
}

/** `entries` are views of `bytes`. `tornBytes`: how many at the end are no whole entry; 0 in a bundle that is whole. */
export function readBundle(bytes: Buffer): { entries: Buffer[]; tornBytes: number } {
  const entries: Buffer[] = [];
  let at = 0;
  while (at + LENGTH_BYTES <= bytes.length) {
    const start = at + LENGTH_BYTES;
    const end = start + bytes.readUInt16BE(at);
    if (end > bytes.length) break;
    entries.push(bytes.subarray(start, end));
    at = end;
  }
  return { entries, tornBytes: bytes.length - at };
}
