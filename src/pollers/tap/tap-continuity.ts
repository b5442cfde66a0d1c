import type { FrameHead } from "./frame-head.ts";

/**
 * What a frame tells of those between it and the last one recorded. "repeated": it was recorded. "late": it was not, and
 * later ones were. "behind": the server has not got as far as the one before. "lost": frames in between may be missing.
 */
type Verdict = "next" | "repeated" | "late" | "behind" | "lost";

/** What is repeated at most; beyond it any frame may be the one to go on from. */
const MAX_RECENT = 2000;

/**
 * Whether anything was lost between two subscriptions. The second asks for a frame that it must hear if it is still
 * there, the newest that is about something which no deleted namespace can hide, and for all after it again.
 */
export class TapContinuity {
  /** From the frame to go on from, oldest first. */
  #recent: FrameHead[] = [];
  #repeats = new Map<string, number>();
  #isProven = true;

  /** The index to subscribe from, in decimal; undefined where there is nothing to go on from. */
  get resumeFrom(): string | undefined {
    return this.#recent[0]?.index.toString();
  }

  /** It was recorded. */
  note(head: FrameHead): void {
    const isAnchor = head.isLasting || this.#recent.length >= MAX_RECENT;
    const sameIndex = isAnchor ? this.#recent.filter(({ index }) => index === head.index) : this.#recent;
    this.#recent = [...sameIndex, head];
  }

  /** A subscription began that asked for `resumeFrom`. */
  resubscribed(): void {
    this.#isProven = this.#recent.length === 0;
    this.#repeats = new Map();
    for (const head of this.#recent)
      this.#repeats.set(keyOf(head), (this.#repeats.get(keyOf(head)) ?? 0) + 1);
  }

  /** Nothing is known of what came before from here on. */
  forget(): void {
    this.#recent = [];
    this.#repeats.clear();
    this.#isProven = true;
  }

  /** Of each frame, before it is noted. */
  check(head: FrameHead): Verdict {
    const [first] = this.#recent;
    const last = this.#recent.at(-1);
    if (first === undefined || last === undefined) return "next";
    const repeats = this.#repeats.get(keyOf(head)) ?? 0;
    if (repeats > 0) {
      this.#repeats.set(keyOf(head), repeats - 1);
      if (head.index === first.index) this.#isProven = true;
      return "repeated";
    }
    if (!this.#isProven && head.index < first.index) return "behind";
    const wasProven = this.#isProven;
    this.#isProven = true;
    if (!wasProven && head.index > first.index) return head.index > last.index ? "lost" : "late";
    if (head.index < last.index && this.#repeats.size > 0 && head.index >= first.index) return "late";
    return "next";
  }
}

function keyOf({ index, identity }: FrameHead): string {
  return `${index} ${identity}`;
}
