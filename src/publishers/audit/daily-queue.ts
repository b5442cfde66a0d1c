import type { Clock } from "../../shared/clock.ts";
import type { DailyFiles } from "./daily-files.ts";

/** How long an entry waits for more, so that a quiet feed has no gzip member for each. */
const WAIT_MS = 2000;
/** What is worth a member without waiting, and about as much as one holds; UTF-16 units. */
const MEMBER_LENGTH = 1_048_576;
/** What may wait at most: who adds more waits himself. */
const MAX_WAITING_LENGTH = 16 * MEMBER_LENGTH;

/**
 * Writes a trail's daily files behind the trail, which does not wait for them: the lines are deflated and forced to the
 * disk meanwhile. A killed process leaves them behind the tree, from which the next one writes what they lack.
 */
export class DailyQueue implements AsyncDisposable {
  readonly #files: DailyFiles;
  readonly #clock: Clock;
  #waiting: string[] = [];
  #waitingLength = 0;
  /** Index after the last entry that was added. */
  #next: number;
  #cancel: (() => void) | undefined;
  #writing: Promise<void> | undefined;
  #failure: unknown;

  constructor(files: DailyFiles, clock: Clock) {
    this.#files = files;
    this.#clock = clock;
    this.#next = files.next;
  }

  /** Index of the first entry that they do not have, nor will have of what was added. */
  get next(): number {
    return this.#next;
  }

  /** The entries from index `next` on. Rejects with why those of before could not be written: then make it anew. */
  async add(entries: readonly string[]): Promise<void> {
    if (this.#failure !== undefined) throw this.#failure;
    this.#waiting.push(...entries);
    this.#waitingLength += lengthOf(entries);
    this.#next += entries.length;
    if (this.#waitingLength >= MEMBER_LENGTH) this.#write();
    else this.#cancel ??= this.#clock.after(WAIT_MS, () => this.#write());
    while (this.#waitingLength > MAX_WAITING_LENGTH) await this.#writing;
  }

  /** Writes what waits. Rejects where it cannot. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#write();
    await this.#writing;
    if (this.#failure !== undefined) throw this.#failure;
  }

  #write(): void {
    this.#cancel?.();
    this.#cancel = undefined;
    this.#writing ??= this.#writeAll().finally(() => (this.#writing = undefined));
  }

  async #writeAll(): Promise<void> {
    try {
      while (this.#waiting.length > 0) await this.#files.add(this.#take());
    } catch (error) {
      this.#failure = error;
      this.#waiting = [];
      this.#waitingLength = 0;
    }
  }

  /** One at least. */
  #take(): string[] {
    let length = 0;
    const end = this.#waiting.findIndex((entry) => (length += entry.length) >= MEMBER_LENGTH);
    const taken = this.#waiting.splice(0, end === -1 ? this.#waiting.length : end + 1);
    this.#waitingLength -= length;
    return taken;
  }
}

function lengthOf(entries: readonly string[]): number {
  return entries.reduce((sum, entry) => sum + entry.length, 0);
}
