import { decode, encode } from "../../alerts/document.ts";
import type { FoldState } from "../../alerts/fold.ts";
import { formatCursor, parseCursor, type Cursor } from "../../schemas/cursor.ts";

/** The document, in parts: what the fold knew, and the cursor at which it is true. */
export const FOLD_DOCUMENT = "alerts/fold";

const MAX_BYTES = 16 * 2 ** 20;

export interface SavedFold {
  /** All events up to there are in the state. */
  readonly cursor: Cursor;
  readonly state: FoldState;
}

export function foldText({ cursor, state }: SavedFold): string {
  return `${formatCursor(cursor)}\n${encode(state, MAX_BYTES)}`;
}

/** Undefined where this program can make nothing of it. */
export function parseFold(text: string): SavedFold | undefined {
  const end = text.indexOf("\n");
  const cursor = parseCursor(text.slice(0, end));
  try {
    const state = decode(text.slice(end + 1));
    return cursor && state && { cursor, state };
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}
