import { EventsMissing } from "../../feed/errors.ts";
import type { FeedLog } from "../../feed/log.ts";
import type { Cursor } from "../../schemas/cursor.ts";
import type { LogEntry } from "../../schemas/draft.ts";

/** Undefined where it is missing inside the log. @throws CursorExpired, FutureCursor, EpochChanged */
export async function eventAt(log: FeedLog, { epoch, sequence }: Cursor): Promise<LogEntry | undefined> {
  try {
    const [entry] = await log.read({ epoch, sequence: sequence - 1 }, { limit: 1 });
    return entry?.sequence === sequence ? entry : undefined;
  } catch (error) {
    if (error instanceof EventsMissing) return undefined;
    throw error;
  }
}
