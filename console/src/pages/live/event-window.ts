import type { EventFacts } from "../../feed/event-facts.ts";

/** What is said between two events: that some are missing, that the connection was away. */
export interface Mark {
  readonly mark: "gap" | "history" | "connection";
  readonly key: string;
  readonly words: string;
  /** Ms since 1970. */
  readonly atMs: number;
}

export type Row = EventFacts | Mark;

export function isMark(row: Row): row is Mark {
  return "mark" in row;
}

/**
 * A stretch of the log, without a hole in it: newer rows are added at one end, older ones at the other. Beyond `maxRows` the end
 * that was not added to loses rows, and says from which cursor they can be read again.
 */
export class EventWindow {
  readonly #maxRows: number;
  /** Oldest first: what comes while one watches is put at the end of an array, which costs least. */
  #rows: Row[] = [];

  constructor({ maxRows }: { maxRows: number }) {
    this.#maxRows = maxRows;
  }

  get count(): number {
    return this.#rows.length;
  }

  /** @param index from the newest, which is 0. */
  at(index: number): Row | undefined {
    return this.#rows[this.#rows.length - 1 - index];
  }

  /** Index from the newest; -1 where it is not held. */
  indexOf(key: string): number {
    const at = this.#rows.findLastIndex((row) => keyOf(row) === key);
    return at === -1 ? -1 : this.#rows.length - 1 - at;
  }

  /** Cursor of the newest event that is held. */
  get newest(): string | undefined {
    return cursorIn(this.#rows.findLast((row) => !isMark(row)));
  }

  get oldest(): string | undefined {
    return cursorIn(this.#rows.find((row) => !isMark(row)));
  }

  /** @param rows oldest first. Answers how many were let go at the old end. */
  addNewer(rows: readonly Row[]): number {
    for (const row of rows) this.#rows.push(row);
    const over = Math.max(0, this.#rows.length - this.#maxRows);
    if (over > 0) this.#rows.splice(0, over);
    return over;
  }

  /** @param rows newest first, as a page has them. Answers how many were let go at the new end. */
  addOlder(rows: readonly Row[]): number {
    this.#rows = [...rows.toReversed(), ...this.#rows];
    const over = Math.max(0, this.#rows.length - this.#maxRows);
    if (over > 0) this.#rows.length = this.#maxRows;
    return over;
  }

  clear(): void {
    this.#rows = [];
  }

  /** All rows, newest first. */
  *newestFirst(): Generator<Row, void, undefined> {
    for (let at = this.#rows.length - 1; at >= 0; at -= 1) {
      const row = this.#rows[at];
      if (row !== undefined) yield row;
    }
  }
}

export function keyOf(row: Row): string {
  return isMark(row) ? row.key : row.cursor;
}

function cursorIn(row: Row | undefined): string | undefined {
  return row === undefined || isMark(row) ? undefined : row.cursor;
}
