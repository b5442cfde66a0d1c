import { originalText, type EventPage, type EventsQuery } from "nomad-changefeed-client";
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

/**
 * The events that are shown, whole, as the feed sent them: read from the log once more, newest first.
 * @param onProgress told how many there are so far.
 * @throws RequestFailed
 */
export async function ndjsonOf(
  events: readonly EventFacts[],
  readPage: (query: EventsQuery) => Promise<EventPage>,
  selection: EventsQuery,
  onProgress: (count: number) => void,
): Promise<string[]> {
  const wanted = new Set(events.map(({ cursor }) => cursor));
  const newestMs = events[0]?.recordedMs;
  if (newestMs === undefined) return [];
  const lines: string[] = [];
  let query: EventsQuery | undefined = {
    ...selection,
    order: "newest-first",
    limit: PAGE,
    // Recorded before: the newest is to be among them, whatever is beyond a millisecond.
    until: new Date(newestMs + 1).toISOString(),
  };
  while (query !== undefined && wanted.size > 0) {
    const page: EventPage = await readPage(query);
    for (const event of page.events) {
      if (wanted.delete(event.cursor)) lines.push(`${originalText(event)}\n`);
    }
    onProgress(lines.length);
    query = page.next;
  }
  return lines;
}
