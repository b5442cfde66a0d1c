import type { Place } from "./commit.ts";

/** After a wrong prediction so many must be right before one is acted upon: several writers seldom seal in vain. */
const TRUSTED_AFTER = 8;

/**
 * Where the events of the next commit will lie, if nobody else writes: behind what is known to be there and behind the
 * commits that are under way, because one connection has them done in the order in which they were sent.
 */
export class SequencePredictor {
  #right = TRUSTED_AFTER;
  #underWay = 0;
  #end: Place = { epoch: "", sequence: 0 };

  get isGood(): boolean {
    return this.#right >= TRUSTED_AFTER && this.#end.epoch !== "";
  }

  /** A commit of so many events is about to be sent: answers the place of the event before its first. */
  predict(events: number, seen: Place): Place {
    if (this.#underWay === 0 || seen.epoch !== this.#end.epoch) this.#end = seen;
    const before = this.#end;
    this.#underWay += 1;
    this.#end = { epoch: before.epoch, sequence: before.sequence + events };
    return before;
  }

  /** The commit was answered; whether the prediction had been right, where that can be told. */
  settle(right?: boolean): void {
    this.#underWay -= 1;
    if (right !== undefined) this.#right = right ? this.#right + 1 : 0;
  }
}
