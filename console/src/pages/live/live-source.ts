import type { EventPage, EventsQuery } from "nomad-changefeed-client";
import type { Following, FollowOptions } from "../../feed/followed.ts";
import type { SelectionQuery } from "./selection.ts";

/** Where events come from, and how updates are paced. */
export interface LiveSource {
  readonly page: (query: EventsQuery, signal: AbortSignal) => Promise<EventPage>;
  readonly follow: (options: FollowOptions & { cursor: string }, following: Following) => () => void;
  /** Calls back soon: at the next frame, where there are frames. */
  readonly soon: (work: () => void) => void;
  readonly later: (work: () => void, waitMs: number) => void;
  readonly nowMs: () => number;
}

export interface LiveOptions {
  readonly selection: SelectionQuery;
  /** RFC 3339 or age: nothing before is shown. */
  readonly since?: string;
  /** RFC 3339: nothing after is shown, so that what comes now is not either. */
  readonly until?: string;
  /** A cursor: of what was recorded at the same time as its event, nothing after it is shown. */
  readonly through?: string;
  /** A cursor: neither it nor what came after is shown. */
  readonly before?: string;
  /** Rows that are held, and as many that wait. Default 100,000. */
  readonly maxRows?: number;
}

/** What is beyond an end of the rows. */
export type Beyond =
  | { readonly kind: "more" | "loading" | "end" }
  | { readonly kind: "failed"; readonly error: unknown };

/** Events of one page. */
const PAGE = 400;

/** What is asked for, whichever part of it. */
export function selectedBy({ selection }: LiveOptions): EventsQuery {
  return { ...selection, payload: "patch", limit: PAGE };
}

/** The page of what was before a cursor; without one, before the time that is shown, or now. */
export function backFrom(options: LiveOptions, cursor = options.before): EventsQuery {
  const { since, until } = options;
  return {
    ...selectedBy(options),
    order: "newest-first",
    ...(since !== undefined && { since }),
    ...(until !== undefined && { until }),
    ...(cursor !== undefined && { cursor }),
  };
}

/** Why a place in the log is lost, for people: reading begins anew. */
const LOST: Readonly<Record<string, string>> = {
  CURSOR_EXPIRED: "Retention has removed events that were not shown yet. Read again from the log",
  EPOCH_CHANGED: "The log lost its newest events and began a new history. Read again from the log",
  FUTURE_CURSOR: "The log was put back to an older copy. Read again from the log",
};

/** Undefined where the stream ended for another reason than that its place is lost. */
export function lossIn(error: Error): string | undefined {
  return "reason" in error ? LOST[String(error.reason)] : undefined;
}

/** It does not know what it is asked for: it is of a version before pages went backwards. */
export function isOldBridge(error: unknown): boolean {
  return error instanceof Error && "field" in error && error.field === "order";
}
