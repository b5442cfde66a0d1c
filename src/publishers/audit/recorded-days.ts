const RECORDED = Buffer.from('"recordedtime":"');
const DAY_LENGTH = 10;
const UNKNOWN_DAY = "0000-00-00";
/** Of what stands before it in an envelope of the feed there is always so much: it need not be searched. */
const LEAST_HEAD = 100;

/** On which day, in UTC, the feed recorded the entries of a trail, which come one after another. */
export class RecordedDays {
  /** Of the last entry; empty where there was none. */
  #last: string;
  #read = "";
  #readBytes = Buffer.alloc(0);

  constructor(last: string) {
    this.#last = last;
  }

  /** No day is before the one of an entry before. Of an entry that tells of none, that one, or the next one's. */
  of(entries: readonly Buffer[]): string[] {
    const told = entries.map((entry) => this.#dayIn(entry));
    this.#last ||= told.find((day) => day !== "") ?? UNKNOWN_DAY;
    return told.map((day) => (this.#last = day > this.#last ? day : this.#last));
  }

  /** Empty of what is no event. */
  #dayIn(entry: Buffer): string {
    const at = placeIn(entry);
    if (at === -1) return "";
    const start = at + RECORDED.length;
    // Most often the day of the entry before.
    if (this.#read !== "" && hasAt(entry, start, this.#readBytes)) return this.#read;
    const day = entry.toString("latin1", start, start + DAY_LENGTH);
    if (!/^\d{4}-\d\d-\d\d$/.test(day)) return "";
    this.#readBytes = Buffer.from(day);
    return (this.#read = day);
  }
}

function placeIn(entry: Buffer): number {
  const at = entry.indexOf(RECORDED, LEAST_HEAD);
  return at === -1 ? entry.indexOf(RECORDED) : at;
}

function hasAt(entry: Buffer, start: number, bytes: Buffer): boolean {
  return bytes.every((byte, at) => entry[start + at] === byte);
}
