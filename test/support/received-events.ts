import { parseVector } from "../../src/http/feeds/merged/vector-cursor.ts";
import { parseCursor } from "../../src/schemas/cursor.ts";

/** What of a subscriber's events is not as in the logs, a line each. */
export interface ReceivedVerdict {
  /** Events that were taken, the same again included. */
  readonly delivered: number;
  readonly lost: readonly string[];
  readonly duplicated: readonly string[];
  readonly outOfOrder: readonly string[];
}

/** Where an event of a log stands, and its id. */
interface Logged {
  readonly sequence: number;
  readonly id: string;
}

/**
 * What a subscriber got of one feed or of several, over all its connections. From the cursor that a connection begins
 * with, it must get every event of each feed, once and in order.
 */
export class ReceivedEvents {
  readonly #name: string;
  /** By feed, by sequence. */
  readonly #ids = new Map<string, Map<number, string>>();
  #places = new Map<string, number>();
  #delivered = 0;
  readonly #lost: string[] = [];
  readonly #duplicated: string[] = [];
  readonly #outOfOrder: string[] = [];

  /** `name`: of the subscriber, for people. */
  constructor(name: string) {
    this.#name = name;
  }

  /** A connection begins at this cursor, of one feed or of several; from the beginning of all where there is none. */
  connected(cursor: string | undefined, feed?: string): void {
    this.#places = cursor === undefined ? new Map() : placesIn(cursor, feed);
  }

  /** The server says that all up to this cursor was sent, and just that, so that whoever comes back gets the rest. */
  told(cursor: string, feed?: string): void {
    for (const [name, sequence] of placesIn(cursor, feed)) {
      const place = this.#places.get(name) ?? 0;
      const what = `${this.#name}: ${name}: told to go on after ${sequence}, and ${place} was sent`;
      if (sequence > place) this.#lost.push(what);
      else if (sequence < place) this.#duplicated.push(what);
    }
  }

  take(feed: string, { sequence, id }: Logged): void {
    this.#delivered += 1;
    const place = this.#places.get(feed) ?? 0;
    const what = `${this.#name}: ${feed}: event ${sequence} came after ${place}`;
    if (sequence <= place) this.#duplicated.push(what);
    else if (sequence > place + 1) this.#outOfOrder.push(what);
    this.#places.set(feed, sequence);
    const ids = this.#ids.get(feed) ?? new Map<number, string>();
    this.#ids.set(feed, ids);
    const known = ids.get(sequence);
    if (known !== undefined && known !== id)
      this.#outOfOrder.push(`${this.#name}: ${feed}: event ${sequence} was ${known}, and then ${id}`);
    ids.set(sequence, id);
  }

  /** The server told of something that must not be. */
  wrong(what: string): void {
    this.#lost.push(`${this.#name}: ${what}`);
  }

  /** Whether it has the event at the end of each log. */
  hasAll(logs: ReadonlyMap<string, readonly Logged[]>): boolean {
    return [...logs].every(([feed, log]) => {
      const end = log.at(-1)?.sequence;
      return end === undefined || this.#ids.get(feed)?.has(end) === true;
    });
  }

  /** Held to the logs, each from its beginning to the event that it is known to. */
  verdict(logs: ReadonlyMap<string, readonly Logged[]>): ReceivedVerdict {
    const missing = [...logs].flatMap(([feed, log]) =>
      log
        .filter(({ sequence, id }) => this.#ids.get(feed)?.get(sequence) !== id)
        .map(({ sequence, id }) => `${this.#name}: ${feed}: event ${sequence}, ${id}, never came`),
    );
    return {
      delivered: this.#delivered,
      lost: [...this.#lost, ...missing],
      duplicated: this.#duplicated,
      outOfOrder: this.#outOfOrder,
    };
  }
}

/** Of a cursor of one feed, or of several. */
function placesIn(cursor: string, feed: string | undefined): Map<string, number> {
  const cursors = feed === undefined ? parseVector(cursor) : [[feed, cursor] as const];
  return new Map([...cursors].map(([name, text]) => [name, parseCursor(text)?.sequence ?? 0]));
}
