import type { DocumentStore } from "../../feed/log.ts";
import { formatCursor } from "../../schemas/cursor.ts";
import type { Clock } from "../../shared/clock.ts";
import { inTimeSlices } from "../../shared/time-slices.ts";
import { FOLD_DOCUMENT, foldText, parseFold, type SavedFold } from "./fold-text.ts";
import { PartedText } from "./parted-text.ts";

const SAVE_EVERY_MS = 30_000;

/** Keeps what the fold knows in the log, now and then: what came since is folded again by whoever goes on from it. */
export class FoldKeeper {
  readonly #text: PartedText;
  readonly #clock: Clock;
  #savedAtMs: number;
  /** Undefined: what was saved is no longer what there is to save, wherever it has come to. */
  #savedCursor: string | undefined;
  #isOutdated = false;

  private constructor(text: PartedText, clock: Clock) {
    this.#text = text;
    this.#clock = clock;
    this.#savedAtMs = clock.elapsed();
  }

  /** Whoever kept it before does so no more. */
  static async claim(owner: string, documents: DocumentStore, clock: Clock): Promise<FoldKeeper> {
    return new FoldKeeper(await PartedText.claim(FOLD_DOCUMENT, owner, documents), clock);
  }

  /** As it was when it was claimed; undefined where there is nothing to go on from. */
  get known(): SavedFold | undefined {
    return this.#text.text === undefined ? undefined : parseFold(this.#text.text);
  }

  /** Whether it is, and nothing was saved since. */
  get isOutdated(): boolean {
    return this.#isOutdated;
  }

  get isDue(): boolean {
    return this.#clock.elapsed() - this.#savedAtMs >= SAVE_EVERY_MS;
  }

  /** The fold is another, at whatever place: whoever goes on from what was saved would come to something else. */
  outdate(): void {
    this.#isOutdated = true;
    this.#savedCursor = undefined;
    this.#savedAtMs = Number.NEGATIVE_INFINITY;
  }

  /** @throws Fenced where another keeps it since */
  async save(fold: SavedFold): Promise<void> {
    this.#savedAtMs = this.#clock.elapsed();
    const cursor = formatCursor(fold.cursor);
    if (this.#savedCursor === cursor) return;
    const wasOutdated = this.#isOutdated;
    this.#isOutdated = false;
    try {
      await this.#text.save(await inTimeSlices(foldText(fold), this.#clock));
    } catch (error) {
      if (wasOutdated) this.outdate();
      throw error;
    }
    // It may have become another meanwhile.
    if (!this.#isOutdated) this.#savedCursor = cursor;
  }
}
