import type { Clock } from "../../shared/clock.ts";
import type { DailyFiles } from "./daily-files.ts";
import { DayLines } from "./day-lines.ts";
import { RecordedDays } from "./recorded-days.ts";

/** How long an entry waits for more, so that a quiet feed has no gzip member for each. */
const WAIT_MS = 2000;
/** MiB that may wait at most: who adds more waits himself. */
const MOST_WAITING = 16;
/** Memory for so many more is kept while nothing waits. */
const MOST_FREE = 2;

/**
 * Writes a trail's daily files behind the trail, which does not wait for them: the lines are deflated and forced to the
 * disk meanwhile. A killed process leaves them behind the tree, from which the next one writes what they lack.
 */
export class DailyQueue implements AsyncDisposable {
  readonly #files: DailyFiles;
  readonly #clock: Clock;
  readonly #days: RecordedDays;
  /** The last one is in the making: it waits until it is full, or due. What is staged may be in it too. */
  readonly #waiting: DayLines[] = [];
  /** With nothing but what is staged. */
  readonly #staged: DayLines[] = [];
  #isStaging = false;
  #isOverdue = false;
  #due: DayLines | undefined;
  readonly #free: Buffer[] = [];
  /** Index after the last entry that was staged. */
  #next: number;
  #cancel: (() => void) | undefined;
  #writing: Promise<void> | undefined;
  #failure: unknown;

  constructor(files: DailyFiles, clock: Clock) {
    this.#files = files;
    this.#clock = clock;
    this.#days = new RecordedDays(files.day);
    this.#next = files.next;
  }

  /** Index of the first entry that they do not have, nor will have of what was staged. */
  get next(): number {
    return this.#next;
  }

  /** The entries from index `next` on, of which copies are held; they are written only once `commit` says so. */
  stage(entries: readonly Buffer[]): void {
    this.#isStaging = true;
    const days = this.#days.of(entries);
    this.#next += entries.length;
    for (const [at, entry] of entries.entries()) this.#linesOf(days[at] ?? "").add(entry);
  }

  /**
   * What was staged is of the trail, and is written when it is worth it. Resolves once there is room for more; rejects with
   * why something of before could not be written: then make it anew.
   */
  async commit(): Promise<void> {
    if (this.#failure !== undefined) throw this.#failure;
    this.#waiting.push(...this.#staged.splice(0));
    for (const lines of this.#waiting) lines.keep();
    this.#isStaging = false;
    if (this.#isOverdue) this.#writeAll();
    else this.#cancel ??= this.#clock.after(WAIT_MS, () => this.#onTime());
    this.#write();
    while (this.#waiting.length > MOST_WAITING) await this.#writing;
  }

  /** Writes what waits; what is staged is forgotten. Rejects where it cannot. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#writeAll();
    await this.#writing;
    this.#files[Symbol.dispose]();
    if (this.#failure !== undefined) throw this.#failure;
  }

  #linesOf(day: string): DayLines {
    const last = this.#staged.at(-1) ?? this.#waiting.at(-1);
    if (last?.day === day && !last.isFull && last !== this.#due) return last;
    const next = new DayLines(day, this.#free.pop());
    this.#staged.push(next);
    return next;
  }

  /** Not while something is staged, which may be in what would be written: its commit does it. */
  #onTime(): void {
    if (this.#isStaging) this.#isOverdue = true;
    else this.#writeAll();
  }

  #writeAll(): void {
    this.#cancel?.();
    this.#cancel = undefined;
    this.#isOverdue = false;
    this.#due = this.#waiting.at(-1);
    this.#write();
  }

  #write(): void {
    if (this.#isReady) this.#writing ??= this.#writeReady();
  }

  get #isReady(): boolean {
    return this.#waiting.length > 1 || (this.#due !== undefined && this.#waiting.at(0) === this.#due);
  }

  async #writeReady(): Promise<void> {
    try {
      while (this.#isReady) await this.#writeOne(this.#waiting.shift());
    } catch (error) {
      this.#failure = error;
      this.#waiting.splice(0);
    }
    this.#writing = undefined;
  }

  async #writeOne(lines: DayLines | undefined): Promise<void> {
    if (lines === undefined) return;
    await this.#files.add(lines);
    if (this.#free.length < MOST_FREE) this.#free.push(lines.memory);
  }
}
