import { signal } from "@preact/signals";
import { originalText, type EventsQuery } from "nomad-changefeed-client";
import { api } from "../../feed/api.ts";
import { download } from "../../ui/download.ts";
import { count } from "../../words/names.ts";
import { exportEvents, MOST_EVENTS, type Exported, type ExportFormat, type ExportQuery } from "./export.ts";

/** An export goes on while one looks at other pages. */
export type ExportRun =
  | {
      readonly kind: "running";
      readonly read: number;
      readonly total: number | undefined;
      readonly cancel: () => void;
    }
  | { readonly kind: "ended"; readonly words: string; readonly isWrong: boolean };

export const exportRun = signal<ExportRun | undefined>(undefined);

const TYPES = { ndjson: "application/x-ndjson", csv: "text/csv" } as const;

/** Reads the events of a query from the log and gives the reader a file of them. One at a time. */
export async function startExport(asked: ExportQuery, format: ExportFormat): Promise<void> {
  if (exportRun.value?.kind === "running") return;
  const stop = new AbortController();
  let total: number | undefined;
  const show = (read: number) => {
    exportRun.value = { kind: "running", read, total, cancel: () => stop.abort() };
  };
  show(0);
  void countOf(asked.query, stop.signal).then((counted) => {
    total = counted;
    if (exportRun.value?.kind === "running") exportRun.value = { ...exportRun.value, total };
  });
  // Browsers keep what is a Blob on disk where it is large: the page's own memory does not grow.
  const parts: Blob[] = [];
  const source = {
    readPage: (query: EventsQuery, gone: AbortSignal) => api(gone).events(query),
    textOf: originalText,
    pause: (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms)),
  };
  const target = { write: (text: string) => void parts.push(new Blob([text])), onProgress: show };
  try {
    const exported = await exportEvents(asked, format, source, target, stop.signal);
    const name = `events-${new Date().toISOString().slice(0, 19).replaceAll(":", "")}.${format}`;
    if (exported.count > 0) download(name, parts, TYPES[format]);
    exportRun.value = { kind: "ended", isWrong: exported.isCut || exported.hasGap, words: wordsOf(exported) };
  } catch (error) {
    exportRun.value = stop.signal.aborted
      ? { kind: "ended", words: "Cancelled: there is no file.", isWrong: false }
      : {
          kind: "ended",
          words: `Not exported: ${error instanceof Error ? error.message : String(error)}`,
          isWrong: true,
        };
  } finally {
    stop.abort();
  }
}

/** How many there are to come; undefined where nobody can say. */
async function countOf(query: EventsQuery, gone: AbortSignal): Promise<number | undefined> {
  const { cursor, payload: _payload, ...rest } = query;
  if (cursor !== undefined) return undefined;
  try {
    const { total, complete } = await api(gone).counts({ ...rest, buckets: 1 });
    return complete ? total : undefined;
  } catch {
    return undefined;
  }
}

function wordsOf({ count: number, isCut, hasGap }: Exported): string {
  if (number === 0) return "No event matches: there is no file.";
  return [
    `${count(number, "event")} in the file.`,
    ...(isCut ? [`There are more: a file has at most ${MOST_EVENTS.toLocaleString("en")}, the newest.`] : []),
    ...(hasGap ? ["Some were removed from the log before they could be read."] : []),
  ].join(" ");
}
