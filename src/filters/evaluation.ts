import type { Budget } from "./budget.ts";
import type { EventFacts } from "../schemas/draft.ts";
import type { Json, JsonObject } from "../schemas/json.ts";

/**
 * What an expression may cost for one event, in steps: a term, an element of a list, or a state of a regular
 * expression at one character, some tens of nanoseconds each.
 */
export const MAX_STEPS = 100_000;

/** Thrown where an event is so large, and the expression such, that it would cost more. */
export class OutOfSteps extends Error {}

/** Thrown where the answer depends on digits that JavaScript's numbers do not hold. */
export class NeedsExactNumbers extends Error {}

/** What an expression is asked of: an event's facts, and the rest of it, which is parsed when it is asked for. */
export interface FilterSubject {
  readonly facts: EventFacts;
  /** The event's `data` as JSON.parse has it, which is several times faster than with all digits. */
  data(): JsonObject;
  /** The same without the loss of a digit. */
  exactData(): JsonObject;
}

/** One expression asked of one event. */
export class Evaluation implements Budget {
  readonly facts: EventFacts;
  /** Values of the names that loops around the current term gave. */
  readonly slots: Json[] = [];
  readonly #subject: FilterSubject;
  readonly #exact: boolean;
  #steps = MAX_STEPS;

  constructor(subject: FilterSubject, exact: boolean) {
    this.facts = subject.facts;
    this.#subject = subject;
    this.#exact = exact;
  }

  data(): JsonObject {
    return this.#exact ? this.#subject.exactData() : this.#subject.data();
  }

  /** @throws NeedsExactNumbers where numbers are not held exactly. */
  assertExact(): void {
    if (!this.#exact) throw new NeedsExactNumbers();
  }

  /** @throws OutOfSteps */
  spend(steps: number): void {
    this.#steps -= steps;
    if (this.#steps < 0) throw new OutOfSteps();
  }
}
