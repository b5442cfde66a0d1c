import { detachedDataSchema } from "../../schemas/audit.ts";
import { sha256 } from "../../tlog/hash.ts";
import { parsedEntry } from "./entry-order.ts";
import type { TrailFiles } from "./trail-files.ts";

const OBJECT_END = 0x7d;

/** Whether it may have: its attributes are texts and numbers, so that an event that ends with an object has its data. */
export function hasDetachedData(entry: Buffer): boolean {
  return entry.at(-2) !== OBJECT_END;
}

/** What is wrong with the data beside an entry; undefined where all is well, or there is none. */
export async function damageOfData(
  entry: Buffer,
  files: TrailFiles,
): Promise<{ readonly path: string; readonly what: string } | undefined> {
  const detached = detachedDataSchema.safeParse(parsedEntry(entry));
  if (!detached.success) return undefined;
  const { dataref: path, datasha256, datasize } = detached.data;
  const data = await files.read(path);
  if (data === undefined) return { path, what: "is not there" };
  if (data.length !== datasize) return { path, what: `has ${data.length} bytes of ${datasize}` };
  return sha256(data).toString("hex") === datasha256 ? undefined : { path, what: "was changed" };
}
