import type { FeedLog } from "../../feed/log.ts";
import type { Cursor } from "../../schemas/cursor.ts";
import { documentOf, parsePosition } from "./position.ts";

/** The sequence through which a destination has had all that it is to have; 0 where that is not known in this epoch. */
export async function deliveredThrough(
  name: string,
  log: Pick<FeedLog, "documents" | "head">,
): Promise<number> {
  const text = (await log.documents.get(documentOf(name)))?.text;
  const cursor = typeof text === "string" ? cursorIn(name, text) : undefined;
  return cursor !== undefined && cursor.epoch === (await log.head()).epoch ? cursor.sequence : 0;
}

/** Undefined where it cannot be read: its delivery says so. */
function cursorIn(name: string, text: string): Cursor | undefined {
  try {
    return parsePosition(name, text).cursor;
  } catch {
    return undefined;
  }
}
