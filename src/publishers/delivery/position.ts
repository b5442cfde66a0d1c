import { z } from "zod";
import { parseCursor, formatCursor, type Cursor } from "../../schemas/cursor.ts";

const time = z.iso.datetime({ offset: true });

/** What is kept of a delivery in the log, as the document `delivery/<name>`. */
const positionSchema = z.object({
  cursor: z.string().transform((text, context): Cursor => {
    const cursor = parseCursor(text);
    if (cursor !== undefined) return cursor;
    context.addIssue("not a cursor");
    return z.NEVER;
  }),
  recordedAt: time.nullable(),
  paused: z.object({ at: time, reason: z.string().nullable() }).nullable(),
  circuit: z.object({ at: time, reason: z.string() }).nullable(),
  replays: z.int().nonnegative(),
});

/** How far a reading of the log has come. */
export interface Place {
  /** Everything up to here is dealt with. */
  readonly cursor: Cursor;
  /** When the newest event up to there was recorded, RFC 3339; null where none is known. */
  readonly recordedAt: string | null;
}

export interface Position extends Place {
  /** By people. */
  readonly paused: { readonly at: string; readonly reason: string | null } | null;
  readonly circuit: { readonly at: string; readonly reason: string } | null;
  /** How often people set the cursor: the only way in which it goes back. */
  readonly replays: number;
}

export function positionText({ cursor, ...position }: Position): string {
  return JSON.stringify({ cursor: formatCursor(cursor), ...position });
}

/** @throws Error where the text is not one that `positionText` made */
export function parsePosition(name: string, text: string): Position {
  const parsed = positionSchema.safeParse(JSON.parse(text));
  if (parsed.success) return parsed.data;
  throw new Error(`the position of the delivery ${name} cannot be read: ${z.prettifyError(parsed.error)}`);
}

/** The document that holds the position. */
export function documentOf(name: string): string {
  return `${DOCUMENTS}${name}`;
}

export const DOCUMENTS = "delivery/";

/** Whose dead letters they are: no consumer of users may have such a name. */
export function consumerOf(name: string): string {
  return `delivery/${name}`;
}
