import { TlogFormatError } from "./errors.ts";

/** Of one entry: its length is written in two bytes. */
export const MAX_ENTRY_BYTES = 65_535;

const LENGTH_BYTES = 2;

/** Entries one after another, each after its length in two bytes, the larger first: C2SP tlog-tiles. */
export function writeBundle(entries: readonly Uint8Array[]): Buffer {
  return Buffer.concat(entries.flatMap((entry) => [lengthOf(entry), entry]));
}

function lengthOf(entry: Uint8Array): Buffer {
  if (entry.length > MAX_ENTRY_BYTES)
    throw new TlogFormatError(`An entry has ${entry.length} bytes. Allowed: at most ${MAX_ENTRY_BYTES}.`);
  const length = Buffer.allocUnsafe(LENGTH_BYTES);
  length.writeUInt16BE(entry.length);
  return length;
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
