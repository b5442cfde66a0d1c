import { parseCursor } from "../../../schemas/cursor.ts";
import { InvalidParameter } from "../../../schemas/subscription-schema.ts";

/** A place in each of several feeds, by name: its cursor, as it writes it, or a time. */
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
    const isPlace = parseCursor(cursor) !== undefined || timeIn(cursor) !== undefined;
    if (name === "" || more.length > 0 || !isPlace || cursors.has(name)) {
      throw new InvalidParameter("This is no cursor over several feeds", "cursor", ALLOWED);
    }
    cursors.set(name, cursor);
  }
  return cursors;
}

/** The place of a feed that has said nothing yet: what was recorded from then on. */
export function placeAt(timeMs: number): string {
  return `@${Math.max(0, timeMs)}`;
}

/** Ms since 1970; undefined where the place is a cursor. */
export function timeIn(place: string): number | undefined {
  return /^@\d{1,15}$/.test(place) ? Number(place.slice(1)) : undefined;
}
