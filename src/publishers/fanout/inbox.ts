import type { Appended } from "../../feed/log.ts";
import type { Cursor } from "../../schemas/cursor.ts";
import type { LogEntry } from "../../schemas/draft.ts";
import { Batch, BATCH_LIMITS } from "./batch.ts";

/** Who commits faster than the ring's members have their turns need not have it all in memory: it is in the log. */
const MOST = { events: 2048, bytes: 4 * 1024 * 1024 };

/** What commits of this process handed over and the ring has not put out yet: whole commits, one right behind the other. */
export class Inbox {
  #after: Cursor | undefined;
  #entries: LogEntry[] = [];
  #sizes: number[] = [];
  #bytes = 0;

  get isEmpty(): boolean {
    return this.#entries.length === 0;
  }

  /** What comes right behind `after` is taken. Lets go of all that it holds. */
  begin(after: Cursor | undefined): void {
    this.#after = after;
    this.#entries = [];
    this.#sizes = [];
    this.#bytes = 0;
  }

  /** False where it does not go on where the last one ended, or enough is waiting. */
  take({ after, entries, sizes }: Appended): boolean {
    if (this.#after === undefined || after.epoch !== this.#after.epoch) return false;
    if (after.sequence !== this.#after.sequence + this.#entries.length) return false;
    if (this.#entries.length >= MOST.events || this.#bytes >= MOST.bytes) return false;
    for (const entry of entries) this.#entries.push(entry);
    for (const size of sizes) {
      this.#sizes.push(size);
      this.#bytes += size;
    }
    return true;
  }

  /** The oldest of it, as much as the log would give at once; undefined where there is nothing. */
  next(onFramed: (bytes: number) => void): Batch | undefined {
    const after = this.#after;
    if (after === undefined || this.isEmpty) return undefined;
    const { count, bytes } = fitting(this.#sizes);
    const entries = this.#entries.splice(0, count);
    this.#sizes.splice(0, count);
    this.#bytes -= bytes;
    this.#after = { epoch: after.epoch, sequence: after.sequence + count };
    return new Batch(after, entries, onFramed, bytes);
  }
}

/** How many from the first on make a batch: one at least. */
function fitting(sizes: readonly number[]): { count: number; bytes: number } {
  let [count, bytes] = [0, 0];
  for (const size of sizes) {
    if (count === BATCH_LIMITS.limit || (count > 0 && bytes + size > BATCH_LIMITS.maxBytes)) break;
    count += 1;
    bytes += size;
  }
  return { count, bytes };
}
