import { decode, encoding } from "../../alerts/document.ts";
import type { FoldState } from "../../alerts/fold.ts";
import { jobMetricsText, parseJobMetrics } from "../../alerts/job-metrics/document.ts";
import type { JobMetricsState } from "../../alerts/job-metrics/fold.ts";
import { formatCursor, parseCursor, type Cursor } from "../../schemas/cursor.ts";

/** The document, in parts: what the folds knew, and the cursor at which that is true; one line each. */
export const FOLD_DOCUMENT = "alerts/fold";

const MAX_BYTES = 16 * 2 ** 20;

export interface SavedFold {
  /** All events up to there are in the state. */
  readonly cursor: Cursor;
  readonly state: FoldState;
  /** Undefined: jobs are not counted, or were not yet. */
  readonly jobs: JobMetricsState | undefined;
}

/** In steps: it is what the folds knew at the first. */
export function* foldText({ cursor, state, jobs }: SavedFold): Generator<void, string> {
  const counted = jobs === undefined ? [] : [jobMetricsText(jobs)];
  return [formatCursor(cursor), yield* encoding(state, MAX_BYTES), ...counted].join("\n");
}

/** Undefined where this program can make nothing of it. */
export function parseFold(text: string): SavedFold | undefined {
  const [place = "", alerts = "", jobs] = text.split("\n");
  const cursor = parseCursor(place);
  try {
    const state = decode(alerts);
    return cursor && state && { cursor, state, jobs: jobs === undefined ? undefined : parseJobMetrics(jobs) };
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}
