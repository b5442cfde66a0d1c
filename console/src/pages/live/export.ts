import type { EventPage, EventsQuery, FeedEvent } from "nomad-changefeed-client";
import { factsOf, type EventFacts } from "../../feed/event-facts.ts";
import { mayPass } from "../../feed/may-pass.ts";
import { isAfter } from "../../words/cursor.ts";
import { csvLine } from "../../words/csv.ts";

const COLUMNS: readonly (keyof EventFacts)[] = [
  "cursor",
  "time",
  "severity",
  "type",
  "op",
  "aspect",
  "namespace",
  "resource",
  "name",
  "job",
  "node",
  "what",
  "detail",
  "signals",
  "subject",
  "id",
];

/** A file has at most so many events. */
export const MOST_EVENTS = 500_000;
const PAGE = 1000;
const TRIES = 5;
const AGAIN_MS = 2000;

/** `ndjson`: whole, as the feed sent them; `csv`: a line each, for a spreadsheet. */
export type ExportFormat = "ndjson" | "csv";

/** Where events are read from. */
export interface ExportSource {
  readonly readPage: (query: EventsQuery, gone: AbortSignal) => Promise<EventPage>;
  /** An event as the feed sent it. */
  readonly textOf: (event: object) => string;
  readonly pause: (ms: number) => Promise<void>;
}

/** Where a file goes, part by part. */
export interface ExportTarget {
  readonly write: (text: string) => void;
  /** Told how many events there are so far. */
  readonly onProgress: (count: number) => void;
}

export interface Exported {
  readonly count: number;
  /** There are more events than a file has. */
  readonly isCut: boolean;
  /** Retention removed some while they were read. */
  readonly hasGap: boolean;
}

/** Which events. */
export interface ExportQuery {
  /** Selection, `since`, `until`, `cursor`. */
  readonly query: EventsQuery;
  /** A cursor: nothing after its event. */
  readonly through: string | undefined;
}

/**
 * Reads all events of a query page by page, newest first, and writes each page as it comes: none is held. A bridge that
 * does not answer is asked again for a while.
 * @throws RequestFailed; the reason of `gone`
 */
export async function exportEvents(
  { query, through }: ExportQuery,
  format: ExportFormat,
  source: ExportSource,
  { write, onProgress }: ExportTarget,
  gone: AbortSignal,
  mostEvents = MOST_EVENTS,
): Promise<Exported> {
  let count = 0;
  let hasGap = false;
  if (format === "csv") write(csvLine(COLUMNS));
  let next: EventsQuery | undefined = {
    ...query,
    order: "newest-first",
    limit: PAGE,
    ...(format === "csv" && { payload: "patch" }),
  };
  while (next !== undefined && count < mostEvents) {
    const page: EventPage = await readSurely(next, source, gone);
    const wanted = page.events.filter(({ cursor }) => !isAfter(cursor, through));
    const events = wanted.slice(0, mostEvents - count);
    if (events.length > 0) write(events.map((event) => lineOf(event, format, source)).join(""));
    count += events.length;
    hasGap ||= page.hasGap;
    onProgress(count);
    if (events.length < wanted.length) break;
    next = page.next;
  }
  return { count, isCut: next !== undefined, hasGap };
}

async function readSurely(
  query: EventsQuery,
  { readPage, pause }: ExportSource,
  gone: AbortSignal,
): Promise<EventPage> {
  for (let tries = 1; ; tries += 1) {
    try {
      return await readPage(query, gone);
    } catch (error) {
      gone.throwIfAborted();
      if (!mayPass(error) || tries === TRIES) throw error;
      await pause(AGAIN_MS * tries);
      gone.throwIfAborted();
    }
  }
}

function lineOf(event: FeedEvent, format: ExportFormat, { textOf }: ExportSource): string {
  if (format === "ndjson") return `${textOf(event)}\n`;
  const facts = factsOf(event);
  return csvLine(
    COLUMNS.map((column) => (column === "signals" ? facts.signals.join(" ") : String(facts[column]))),
  );
}
