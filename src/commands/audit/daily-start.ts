import { open } from "node:fs/promises";
import { HEADER_BYTES, readHeader } from "../../publishers/audit/gzip-member.ts";

/** Index of the first entry in a daily file, as its writer noted it; undefined where it does not say. */
export async function dailyStart(path: string): Promise<number | undefined> {
  await using file = await open(path, "r");
  const { buffer, bytesRead } = await file.read(Buffer.alloc(HEADER_BYTES), 0, HEADER_BYTES, 0);
  return readHeader(buffer.subarray(0, bytesRead))?.from;
}
