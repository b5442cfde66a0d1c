/**
 * Watches for events that are missing inside the log, while it is gone through from the newest on. Where a page begins
 * with a hole, it goes on behind it and says so; where it meets one later, it ends there.
 */
export class HoleWatch {
  /** The last event that was there. */
  lastSeen: number;
  hasGap = false;
  isMet = false;
  readonly #begin: number;

  /** @param before the page begins before this sequence. */
  constructor(before: number) {
    this.#begin = before;
    this.lastSeen = before;
  }

  /** Whether an event lies behind a hole that ends the page. Asked of each event of the log, in order. */
  isBehind(sequence: number): boolean {
    if (this.isMet) return true;
    if (sequence < this.lastSeen - 1) {
      if (this.lastSeen === this.#begin) this.hasGap = true;
      else this.isMet = true;
    }
    if (!this.isMet) this.lastSeen = sequence;
    return this.isMet;
  }
}
