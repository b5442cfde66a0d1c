import type { EventFacts } from "../schemas/draft.ts";
import type { Json, JsonObject } from "../schemas/json.ts";

/** What an expression may cost for one event. */
export const MAX_STEPS = 500_000;

/** Thrown where an event is so large, and the expression such, that it would cost more. */
export class OutOfSteps extends Error {}

/** What an expression is asked of: an event's facts, and the rest of it, which is parsed when it is asked for. */
export interface FilterSubject {
  readonly facts: EventFacts;
  /** The event's `data`. */
  data(): JsonObject | undefined;
}

/** One expression asked of one event. */
export class Evaluation {
  readonly facts: EventFacts;
  /** Values of the names that loops around the current term gave. */
  readonly slots: Json[] = [];
  readonly #subject: FilterSubject;
  #steps = MAX_STEPS;

  constructor(subject: FilterSubject) {
    this.facts = subject.facts;
    this.#subject = subject;
  }

  data(): JsonObject | undefined {
    return this.#subject.data();
  }

  /** @throws OutOfSteps */
  readonly spend = (steps: number): void => {
    this.#steps -= steps;
    if (this.#steps < 0) throw new OutOfSteps();
  };
}
