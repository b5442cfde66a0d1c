import type { Cursor } from "../schemas/cursor.ts";
import { formatCursor } from "../schemas/cursor.ts";
import { ChangefeedError } from "../schemas/errors.ts";
import { subjectOf, type ObjectRef } from "../schemas/resources.ts";

/** Not there, never seen, or not for this reader: it is the same to them. */
export class NoObject extends ChangefeedError {
  readonly code = "NO_OBJECT";
  constructor(ref: ObjectRef) {
    super(`Nothing is known of ${subjectOf(ref)}`, {
      hint: "Neither the log nor the state has it, or this token may not see it",
    });
  }
}

/** The state at a time or cursor before the oldest that the log can still tell. */
export class StateExpired extends ChangefeedError {
  readonly code = "CURSOR_EXPIRED";
  /** The oldest cursor whose state can be told. */
  readonly floor: Cursor;
  /** RFC 3339: when the oldest event of the log was recorded; null where there is none. */
  readonly oldestTime: string | null;

  /** `asked`: as it was asked for, "2026-08-22T10:15:30.000Z". */
  constructor(asked: string, floor: Cursor, oldestMs: number | null) {
    const oldestTime = oldestMs === null ? null : new Date(oldestMs).toISOString();
    const oldest = formatCursor(floor);
    super(
      oldestTime === null
        ? `The log holds no event, so it cannot tell the state at ${asked}: only the present one, at cursor ${oldest}`
        : `The log cannot tell the state at ${asked}: its oldest event was recorded at ${oldestTime}, and the oldest state it can tell is that right before, at cursor ${oldest}`,
      {
        hint:
          oldestTime === null
            ? "Leave out at="
            : `Ask for at=${oldestTime} or later, or for at=${oldest}; a longer retention keeps more`,
      },
    );
    this.floor = floor;
    this.oldestTime = oldestTime;
  }
}
