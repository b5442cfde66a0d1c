import type { StreamFrame } from "./frame.ts";

/**
 * What a frame tells of those between it and the last one heard. "repeated": it was heard before. "behind": the server
 * that answers now has not got as far as the one before. "lost": frames in between may be missing. "restarted": the
 * index went back within a subscription, as another raft log does.
 */
type Verdict = "next" | "repeated" | "behind" | "lost" | "restarted";

/**
 * Whether anything was lost between two subscriptions. The second asks for the last frame of the first: a server that
 * still has it sends it first, one that has dropped it a later one, one that has not got it yet an earlier one.
 */
export class Continuity {
  #last: { readonly index: bigint; readonly identities: Set<string> } | undefined;
  /** Frames of the last index that the present subscription is yet to repeat. */
  #repeats = new Set<string>();
  /** Whether nothing was lost before the present subscription, or that is told. */
  #isProven = false;

  /** The index to subscribe from, in decimal; undefined where there is nothing to go on from. */
  get resumeFrom(): string | undefined {
    return this.#last?.index.toString();
  }

  /** A subscription began that asked for `resumeFrom`. */
  resubscribed(): void {
    this.#isProven = false;
    this.#repeats = new Set(this.#last?.identities);
  }

  /** Nothing is known of what came before from here on. */
  forget(): void {
    this.#last = undefined;
    this.#isProven = true;
  }

  check({ index, identity }: StreamFrame): Verdict {
    const last = this.#last;
    if (last === undefined) return this.#goOn(index, identity, "next");
    if (index > last.index) return this.#goOn(index, identity, this.#isProven ? "next" : "lost");
    if (index < last.index) return this.#isProven ? this.#goOn(index, identity, "restarted") : "behind";
    this.#isProven = true;
    last.identities.add(identity);
    return this.#repeats.delete(identity) ? "repeated" : "next";
  }

  #goOn(index: bigint, identity: string, verdict: Verdict): Verdict {
    this.#isProven = true;
    this.#last = { index, identities: new Set([identity]) };
    return verdict;
  }
}
