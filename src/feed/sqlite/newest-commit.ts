import type { Cursor } from "../../schemas/cursor.ts";
import type { LogEntry } from "../../schemas/draft.ts";
import type { Connection } from "./connection.ts";

/** The events that a commit appended, in order and without gaps, and the cursor before them. */
export interface Appended {
  readonly after: Cursor;
  readonly entries: readonly LogEntry[];
}

/**
 * The events of the newest commit. Who waited for them reads them a moment after they were written, and is handed what
 * was written instead of asking the file for it. Holds no more than one commit, and knows nothing once another program
 * has written to the file: it may have removed events.
 */
export class NewestCommit {
  readonly #connection: Connection;
  #newest: (Appended & { readonly version: number }) | undefined;

  constructor(connection: Connection) {
    this.#connection = connection;
  }

  /** Call it once the events are on the disk. */
  keep(appended: Appended): void {
    if (appended.entries.length > 0)
      this.#newest = { ...appended, version: this.#connection.foreignVersion() };
  }

  /** Call it when events may have been removed. */
  forget(): void {
    this.#newest = undefined;
  }

  /** As `FeedLog.read`; undefined where the event after the cursor is not of this commit. */
  read({ epoch, sequence }: Cursor, limit: number, maxBytes: number): LogEntry[] | undefined {
    if (this.#newest === undefined || limit <= 0) return undefined;
    const { after, entries, version } = this.#newest;
    const from = sequence - after.sequence;
    if (epoch !== after.epoch || from < 0 || from >= entries.length) return undefined;
    if (version !== this.#connection.foreignVersion()) return undefined;
    let to = from;
    for (let bytes = 0; to < entries.length && to - from < limit && bytes < maxBytes; to += 1) {
      bytes += Buffer.byteLength(entries[to]?.json ?? "");
      if (bytes > maxBytes && to > from) break;
    }
    return entries.slice(from, to);
  }
}
