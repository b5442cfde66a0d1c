import { parseCursor } from "../../../schemas/cursor.ts";
import { InvalidParameter } from "../../../schemas/subscription-schema.ts";

/** A place in each of several feeds: their cursors, as they write them, by name. */
export type VectorCursor = ReadonlyMap<string, string>;

const ALLOWED = ["<name>:<cursor>,… of an earlier answer", "earliest", "latest"];

/** `eu:k3x-12,us:p9a-7` */
export function formatVector(cursors: VectorCursor): string {
  return [...cursors]
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, cursor]) => `${name}:${cursor}`)
    .join(",");
}

/** @throws InvalidParameter where one like this was never written. */
export function parseVector(text: string): VectorCursor {
  const cursors = new Map<string, string>();
  for (const part of text.split(",")) {
    const [name = "", cursor = "", ...more] = part.split(":");
    if (name === "" || more.length > 0 || parseCursor(cursor) === undefined || cursors.has(name)) {
      throw new InvalidParameter("This is no cursor over several feeds", "cursor", ALLOWED);
    }
    cursors.set(name, cursor);
  }
  return cursors;
}
