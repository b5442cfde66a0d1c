import type { Budget } from "./budget.ts";
import type { EventFacts } from "../schemas/draft.ts";
import type { Json, JsonObject } from "../schemas/json.ts";
import type { FilterCost } from "../schemas/subscription-schema.ts";

/**
 * What the expressions of a subscription may cost for one event, in steps: a term, a member of a list or map that is
 * looked at or listed, 64 characters that are compared, or half a state of a regular expression at one character. A
 * step takes some tens of nanoseconds, so that all of them are a few milliseconds.
 */
export const MAX_STEPS = 100_000;

/** Thrown where an event is so large, and the expression such, that it would cost more. */
export class OutOfSteps extends Error {}

/** Thrown where whoever asks has no more steps left for the moment. */
export class StepLimitReached extends Error {}

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

/** The steps for one event, of the expression and of who asks, whichever ends first. */
export class Allowance implements Budget {
  readonly #cost: FilterCost | undefined;
  readonly #maxSteps: number;
  readonly #atMost: number;
  #spent = 0;

  constructor(maxSteps: number, cost?: FilterCost) {
    this.#cost = cost;
    this.#maxSteps = maxSteps;
    const { limit = Number.POSITIVE_INFINITY, steps = 0 } = cost ?? {};
    this.#atMost = Math.min(maxSteps, limit - steps);
  }

  /** @throws OutOfSteps, StepLimitReached */
  spend(steps: number): void {
    this.#spent += steps;
    if (this.#spent <= this.#atMost) return;
    throw this.#spent > this.#maxSteps ? new OutOfSteps() : new StepLimitReached();
  }

  /** Puts what was spent on the bill of who asks. */
  close(): void {
    if (this.#cost !== undefined) this.#cost.steps += this.#spent;
  }
}

/** One expression asked of one event. */
export class Evaluation implements Budget {
  readonly facts: EventFacts;
  /** Values of the names that loops around the current term gave. */
  readonly slots: Json[] = [];
  readonly #subject: FilterSubject;
  readonly #exact: boolean;
  readonly #allowance: Allowance;
  #data: JsonObject | undefined;

  constructor(subject: FilterSubject, exact: boolean, allowance: Allowance) {
    this.facts = subject.facts;
    this.#subject = subject;
    this.#exact = exact;
    this.#allowance = allowance;
  }

  data(): JsonObject {
    return (this.#data ??= this.#exact ? this.#subject.exactData() : this.#subject.data());
  }

  /** @throws NeedsExactNumbers where numbers are not held exactly. */
  assertExact(): void {
    if (!this.#exact) throw new NeedsExactNumbers();
  }

  /** @throws OutOfSteps, StepLimitReached */
  spend(steps: number): void {
    this.#allowance.spend(steps);
  }
}
