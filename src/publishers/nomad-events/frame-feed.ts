import type { RecordedFrame } from "../../feed/frames/frame-log.ts";
import { SplitFrame } from "./split-frame.ts";

/** Where frames are read. See FrameLog. */
export interface FrameSource {
  readonly newest: number;
  readonly oldest: number;
  read(after: number, limits: { maxFrames: number; maxBytes: number }): RecordedFrame[];
  onAppended(listener: () => void): () => void;
}

/** The newest frames are taken apart once, for all who read them. */
const KEPT_FRAMES = 512;
const KEPT_BYTES = 32 * 2 ** 20;
const PAGE = { maxFrames: 128, maxBytes: 4 * 2 ** 20 };

/** Frames of a log for many readers, each at its own pace. */
export class FrameFeed implements Disposable {
  readonly #log: FrameSource;
  /** The newest ones, without a gap. */
  #kept: SplitFrame[] = [];
  #keptBytes = 0;
  readonly #waiting = new Set<() => void>();
  readonly #stopListening: () => void;

  constructor(log: FrameSource) {
    this.#log = log;
    this.#stopListening = log.onAppended(() => this.#wake());
  }

  /**
   * Those behind `after`, some at a time and one at least; empty where there is none yet. Undefined where retention took
   * what comes next.
   */
  read(after: number): readonly SplitFrame[] | undefined {
    if (after >= this.#log.newest) return [];
    if (after + 1 < this.#log.oldest) return undefined;
    const first = this.#kept[0]?.sequence;
    if (first === undefined || after + 1 < first)
      return this.#log.read(after, PAGE).map((frame) => new SplitFrame(frame));
    this.#keepUp();
    const from = after + 1 - (this.#kept[0]?.sequence ?? 0);
    return from < 0
      ? this.#log.read(after, PAGE).map((frame) => new SplitFrame(frame))
      : this.#kept.slice(from, from + PAGE.maxFrames);
  }

  /** Resolves when there is a frame behind `after`, or the signal aborts. */
  async appended(after: number, signal: AbortSignal): Promise<void> {
    if (this.#log.newest > after || signal.aborted) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    const leave = () => resolve();
    this.#waiting.add(leave);
    signal.addEventListener("abort", leave, { once: true });
    await promise;
    signal.removeEventListener("abort", leave);
    this.#waiting.delete(leave);
  }

  [Symbol.dispose](): void {
    this.#stopListening();
    this.#wake();
  }

  #wake(): void {
    if (this.#waiting.size > 0) this.#keepUp();
    for (const leave of this.#waiting) leave();
    this.#waiting.clear();
  }

  /** Begins with what is new when somebody waits for it. */
  #keepUp(): void {
    const last = this.#kept.at(-1)?.sequence;
    let after = last === undefined || this.#log.newest - last > KEPT_FRAMES ? this.#begin() : last;
    while (after < this.#log.newest) {
      const page = this.#log.read(after, PAGE);
      for (const frame of page) this.#keep(new SplitFrame(frame));
      after = page.at(-1)?.sequence ?? this.#log.newest;
    }
  }

  #begin(): number {
    this.#kept = [];
    this.#keptBytes = 0;
    return Math.max(this.#log.oldest, this.#log.newest) - 1;
  }

  #keep(frame: SplitFrame): void {
    this.#kept.push(frame);
    this.#keptBytes += frame.line.length;
    while (this.#kept.length > KEPT_FRAMES || (this.#keptBytes > KEPT_BYTES && this.#kept.length > 1))
      this.#keptBytes -= this.#kept.shift()?.line.length ?? 0;
  }
}
