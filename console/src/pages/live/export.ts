import type { EventPage, EventsQuery } from "nomad-changefeed-client";
import type { EventFacts } from "../../feed/event-facts.ts";
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
const PAGE = 1000;

/** The lines that are shown, as a table: one event a line, newest first. */
export function csvOf(events: readonly EventFacts[]): string[] {
  return [
    csvLine(COLUMNS),
    ...events.map((event) =>
      csvLine(
        COLUMNS.map((column) => (column === "signals" ? event.signals.join(" ") : String(event[column]))),
      ),
    ),
  ];
}

/** Where whole events are read from. */
export interface ExportSource {
  readonly readPage: (query: EventsQuery) => Promise<EventPage>;
  /** An event as the feed sent it. */
  readonly textOf: (event: object) => string;
}

/** Events are recorded in about the order that the log has them in, ms. */
const DISORDER_MS = 60_000;

/**
 * The events that are shown, whole, as the feed sent them: read from the log once more, newest first. Those that it has no
 * longer are missing.
 * @param onProgress told how many there are so far.
 * @throws RequestFailed
 */
export async function ndjsonOf(
  events: readonly EventFacts[],
  { readPage, textOf }: ExportSource,
  selection: EventsQuery,
  onProgress: (count: number) => void,
): Promise<string[]> {
  const wanted = new Set(events.map(({ cursor }) => cursor));
  const times = events.map(({ recordedMs }) => recordedMs);
  const newestMs = times.reduce((latest, ms) => Math.max(latest, ms), 0);
  const oldestMs = times.reduce((first, ms) => Math.min(first, ms), newestMs);
  const lines: string[] = [];
  let query: EventsQuery | undefined = {
    ...selection,
    order: "newest-first",
    limit: PAGE,
    until: new Date(newestMs + DISORDER_MS).toISOString(),
  };
  while (query !== undefined && wanted.size > 0) {
    const page: EventPage = await readPage(query);
    for (const event of page.events) {
      if (wanted.delete(event.cursor)) lines.push(`${textOf(event)}\n`);
    }
    onProgress(lines.length);
    const last = page.events.at(-1);
    const isPast = last !== undefined && Date.parse(last.recordedtime) < oldestMs - DISORDER_MS;
    query = isPast ? undefined : page.next;
  }
  return lines;
}
