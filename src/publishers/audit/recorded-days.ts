const RECORDED = '"recordedtime":"';
const DAY_LENGTH = 10;
const UNKNOWN_DAY = "0000-00-00";

/** On which day, in UTC, the feed recorded the entries of a trail, which come one after another. */
export class RecordedDays {
  /** Of the last entry; empty where there was none. */
  #last: string;
  #read = "";
  /** How the entry that was read last tells it, and where. */
  #told = Buffer.from(RECORDED);
  #at = 0;

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
    // Most often as in the last one, at the same place: then nothing is searched for.
    if (this.#read !== "" && standsAt(entry, this.#at, this.#told)) return this.#read;
    const at = entry.indexOf(RECORDED);
    if (at === -1) return "";
    const start = at + RECORDED.length;
    const day = entry.toString("latin1", start, start + DAY_LENGTH);
    if (!/^\d{4}-\d\d-\d\d$/.test(day)) return "";
    [this.#read, this.#told, this.#at] = [day, Buffer.from(RECORDED + day), at];
    return day;
  }
}

function standsAt(entry: Buffer, at: number, bytes: Buffer): boolean {
  for (let offset = 0; offset < bytes.length; offset += 1)
    if (entry[at + offset] !== bytes[offset]) return false;
  return true;
}
