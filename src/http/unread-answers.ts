import { LimitReached } from "./access/errors.ts";

/** Of pages and histories: as it fills, they get shorter. */
const PAGES_BYTES = 16 * 1024 * 1024;
/** One page gets so much of what is left. */
const PART_OF_FREE = 1 / 16;
/** Of answers that cannot be shorter than they are. */
const WHOLE_BYTES = 64 * 1024 * 1024;
const RETRY_AFTER_SECONDS = 5;

/** What one page may hold, until its reader has taken it. */
export interface PageBudget {
  readonly maxBytes: number;
  /** The page is made and holds so much. */
  settle(bytes: number): void;
}

interface Answer {
  readonly closed: boolean;
  once(event: "finish" | "close", listener: () => void): unknown;
}

/**
 * Bounds what answers hold that wait for their readers, of a whole server. Pages share one budget: each gets a part of
 * what is left, and beyond it one event, so that everybody is still served. What cannot be made shorter has a budget of
 * its own, and past that is refused.
 */
export class UnreadAnswers {
  readonly #pages = new ByteBudget(PAGES_BYTES);
  readonly #whole = new ByteBudget(WHOLE_BYTES);

  /** Call it where the page begins to be read: what it may hold counts from then on. */
  budgetForPage(answer: Answer): PageBudget {
    const maxBytes = Math.max(0, Math.floor(this.#pages.freeBytes * PART_OF_FREE));
    return { maxBytes, settle: this.#pages.hold(answer, maxBytes) };
  }

  /** @throws LimitReached */
  holdWhole(answer: Answer, bytes: number): void {
    // One alone is given however large it is.
    if (this.#whole.heldBytes > 0 && bytes > this.#whole.freeBytes) {
      throw new LimitReached("Too many answers wait for their readers", {
        retryAfterSeconds: RETRY_AFTER_SECONDS,
        hint: "Read what you have asked for, or ask again in a moment",
      });
    }
    this.#whole.hold(answer, bytes);
  }
}

class ByteBudget {
  readonly #maxBytes: number;
  #heldBytes = 0;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  get heldBytes(): number {
    return this.#heldBytes;
  }

  get freeBytes(): number {
    return this.#maxBytes - this.#heldBytes;
  }

  /**
   * Until the answer is taken, or nobody waits for it any more. The returned function says that it holds another
   * number.
   */
  hold(answer: Answer, bytes: number): (bytes: number) => void {
    let held = 0;
    let isOver = answer.closed;
    const set = (next: number): void => {
      if (isOver) return;
      this.#heldBytes += next - held;
      held = next;
    };
    const release = (): void => {
      set(0);
      isOver = true;
    };
    set(bytes);
    answer.once("finish", release);
    answer.once("close", release);
    return set;
  }
}
