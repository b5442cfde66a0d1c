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
    const told = entries.map(dayIn);
    this.#last ||= told.find((day) => day !== "") ?? UNKNOWN_DAY;
    return told.map((day) => (this.#last = day > this.#last ? day : this.#last));
  }
}

/** Empty of what is no event. */
function dayIn(entry: Buffer): string {
  const at = placeIn(entry);
  if (at === -1) return "";
  const start = at + RECORDED.length;
  const day = entry.toString("latin1", start, start + DAY_LENGTH);
  return /^\d{4}-\d\d-\d\d$/.test(day) ? day : "";
}

function placeIn(entry: Buffer): number {
  const at = entry.indexOf(RECORDED, LEAST_BEFORE.recordedTime);
  return at === -1 ? entry.indexOf(RECORDED) : at;
}
