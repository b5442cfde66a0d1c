import { LEAST_BEFORE } from "../../schemas/envelope-schema.ts";

const RECORDED = Buffer.from('"recordedtime":"');
const DAY_LENGTH = 10;
const UNKNOWN_DAY = "0000-00-00";

/** On which day, in UTC, the feed recorded the entries of a trail, which come one after another. */
export class RecordedDays {
  /** Of the last entry; empty where there was none. */
  #last: string;

  constructor(last: string) {
    this.#last = last;
  }

  /** No day is before the one of an entry before. Of an entry that tells of none, that one, or the next one's. */
  of(entries: readonly Buffer[]): string[] {
    this.#last ||=
      entries.map((entry) => dayAt(entry, placeIn(entry))).find((day) => day !== "") ?? UNKNOWN_DAY;
    return entries.map((entry) => (this.#last = this.#laterIn(entry)));
  }

  /** The last day; where the entry tells of a later one, that. */
  #laterIn(entry: Buffer): string {
    const place = placeIn(entry);
    // As good as always: to look at its bytes is cheaper than to make a text of them.
    if (stands(this.#last, entry, place)) return this.#last;
    const day = dayAt(entry, place);
    return day > this.#last ? day : this.#last;
  }
}

/** Empty of what is no event. */
function dayAt(entry: Buffer, place: number): string {
  const day = place === -1 ? "" : entry.toString("latin1", place, place + DAY_LENGTH);
  return /^\d{4}-\d\d-\d\d$/.test(day) ? day : "";
}

function stands(text: string, entry: Buffer, place: number): boolean {
  for (let at = 0; at < text.length; at += 1) if (entry[place + at] !== text.charCodeAt(at)) return false;
  return true;
}

/** Where the day is; -1 of what is no event. */
function placeIn(entry: Buffer): number {
  const after = entry.indexOf(RECORDED, LEAST_BEFORE.recordedTime);
  const at = after === -1 ? entry.indexOf(RECORDED) : after;
  return at === -1 ? -1 : at + RECORDED.length;
}
