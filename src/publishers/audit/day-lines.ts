import { MAX_ENTRY_BYTES } from "../../tlog/bundle.ts";

/** What is worth a gzip member. */
const FULL_BYTES = 1_048_576;
const LINE_END = 0x0a;

/**
 * Entries of one day as lines, for one gzip member, in a memory that can be used again once they are written. What was
 * added counts once it is kept.
 */
export class DayLines {
  /** "2026-11-29" */
  readonly day: string;
  readonly memory: Buffer;
  #count = 0;
  #end = 0;
  #kept = { count: 0, end: 0 };

  /** `memory`: of lines that were written. */
  constructor(day: string, memory: Buffer = Buffer.allocUnsafeSlow(FULL_BYTES + MAX_ENTRY_BYTES + 1)) {
    this.day = day;
    this.memory = memory;
  }

  /** Of those that are kept. */
  get count(): number {
    return this.#kept.count;
  }

  /** Of those that are kept. */
  get bytes(): Buffer {
    return this.memory.subarray(0, this.#kept.end);
  }

  /** Then nothing may be added. */
  get isFull(): boolean {
    return this.#end >= FULL_BYTES;
  }

  add(entry: Buffer): void {
    this.memory.set(entry, this.#end);
    this.#end += entry.length;
    this.memory[this.#end++] = LINE_END;
    this.#count += 1;
  }

  /** All that was added until now. */
  keep(): void {
    this.#kept = { count: this.#count, end: this.#end };
  }
}
