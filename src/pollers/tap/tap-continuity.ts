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
  /** By index, frames of before that the present subscription has not repeated yet. */
  #repeats = new Map<bigint, FrameHead[]>();
  #isProven = true;
  /** Of these, events may be missing: that was told. */
  readonly #partial = new WeakSet<FrameHead>();

  /** The index to subscribe from, in decimal; undefined where there is nothing to go on from. */
  get resumeFrom(): string | undefined {
    return this.#recent[0]?.index.toString();
  }

  /** Of the frame that was noted last; undefined where none was. */
  get lastIndex(): number | undefined {
    const last = this.#recent.at(-1);
    return last === undefined ? undefined : Number(last.index);
  }

  /** It was recorded. */
  note(head: FrameHead): void {
    const last = this.#recent.at(-1);
    const isBack = last !== undefined && head.index < last.index;
    // What was recorded of another history tells nothing of this one.
    if (isBack) this.#repeats.clear();
    if (isBack || head.isLasting || this.#recent.length >= MAX_RECENT)
      this.#recent = this.#recent.filter(({ index }) => !isBack && index === head.index);
    this.#recent.push(head);
  }

  /** Of what was noted behind that index, events are missing, as those of topics that may be heard only now. */
  missed(after: number): void {
    for (const head of this.#recent) if (head.index > after) this.#partial.add(head);
  }

  /** A subscription begins that asks for `resumeFrom`. */
  resubscribed(): void {
    this.#isProven = this.#recent.length === 0;
    this.#repeats = Map.groupBy(this.#recent, ({ index }) => index);
  }

  /** It does not come, or not soon: that is told. What does come again is known all the same. */
  giveUp(): void {
    this.#isProven = true;
  }

  /** Of each frame, before it is noted. */
  check(head: FrameHead): Verdict {
    const [first] = this.#recent;
    const last = this.#recent.at(-1);
    if (first === undefined || last === undefined) return "next";
    if (this.#comesAgain(head)) {
      this.#isProven = true;
      return "repeated";
    }
    if (!this.#isProven && head.index < first.index) return "behind";
    const wasProven = this.#isProven;
    this.#isProven = true;
    if (head.index < last.index) return head.index >= first.index && this.#repeats.size > 0 ? "late" : "next";
    if (head.index > last.index) this.#repeats.clear();
    return wasProven || head.index === last.index ? "next" : "lost";
  }

  #comesAgain(head: FrameHead): boolean {
    const expected = this.#repeats.get(head.index) ?? [];
    // Of two frames of one index, the one that is the same is meant.
    const same = expected.findIndex(({ events }) => events.join() === head.events.join());
    const place = same === -1 ? expected.findIndex((before) => this.#isSame(head, before)) : same;
    if (place === -1) return false;
    expected.splice(place, 1);
    return true;
  }

  /** Whether it may be the same frame, after a namespace of some of its events was deleted, or with events that it lacked. */
  #isSame(head: FrameHead, before: FrameHead): boolean {
    return isPart(head, before) || (this.#partial.has(before) && isPart(before, head));
  }
}

function isPart({ events }: FrameHead, whole: FrameHead): boolean {
  return events.every((event) => whole.events.includes(event));
}
