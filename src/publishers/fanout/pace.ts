import { StepLimitReached } from "../../filters/evaluation.ts";
import type { FilterCost } from "../../schemas/subscription-schema.ts";
import type { Clock } from "../../shared/clock.ts";
import type { EventFilter } from "../selection/event-filter.ts";

type TestedEvent = Parameters<EventFilter>[0];

/** What asking of one event may cost in a turn that others wait for, some tenths of a millisecond. */
const PROMPT_STEPS = 5000;
/** After so many events in a row that cost no more, a subscriber need not go last any longer. */
const FORGIVEN_AFTER_EVENTS = 100;
const TURN_MS = 1;
/** The clock is looked at after so many steps, of which a character that was parsed is a part. */
const LOOK_EVERY_STEPS = 2000;
const STEPS_OF_A_CHARACTER = 0.2;

/**
 * Holds one subscriber's turns short, whatever its filters cost. An event of which asking is dear is not asked of
 * in a turn that others wait for; the subscriber's turns then go last, until its filters have been cheap for a while.
 */
export class Pace {
  readonly #clock: Pick<Clock, "elapsed">;
  readonly #cost: FilterCost = { steps: 0, parsed: 0 };
  #isDear = false;
  #cheapEvents = 0;
  #isTurnOver = false;
  #turnEndsAt = 0;
  #lookAt = 0;

  constructor(clock: Pick<Clock, "elapsed">) {
    this.#clock = clock;
  }

  /** Whether the next turn goes last. */
  get goesLast(): boolean {
    return this.#isDear;
  }

  get isTurnOver(): boolean {
    return this.#isTurnOver;
  }

  beginTurn(): void {
    this.#isTurnOver = false;
    this.#turnEndsAt = this.#clock.elapsed() + TURN_MS;
    this.#lookAt = this.#work + LOOK_EVERY_STEPS;
  }

  /** Whether the event passes; undefined where the turn is over, and the question one for the next. */
  ask(filter: EventFilter, event: TestedEvent): boolean | undefined {
    if (this.#isTurnOver || this.#isTimeOver()) return undefined;
    const before = this.#cost.steps;
    this.#cost.limit = this.#isDear ? Number.POSITIVE_INFINITY : before + PROMPT_STEPS;
    try {
      const passes = filter(event, this.#cost);
      this.#learn(this.#cost.steps - before);
      return passes;
    } catch (error) {
      if (!(error instanceof StepLimitReached)) throw error;
      this.#isDear = true;
      this.#cheapEvents = 0;
      this.#isTurnOver = true;
      return undefined;
    }
  }

  #learn(steps: number): void {
    if (!this.#isDear) return;
    this.#cheapEvents = steps > PROMPT_STEPS ? 0 : this.#cheapEvents + 1;
    if (this.#cheapEvents >= FORGIVEN_AFTER_EVENTS) this.#isDear = false;
  }

  #isTimeOver(): boolean {
    if (this.#work < this.#lookAt) return false;
    this.#lookAt = this.#work + LOOK_EVERY_STEPS;
    this.#isTurnOver = this.#clock.elapsed() >= this.#turnEndsAt;
    return this.#isTurnOver;
  }

  get #work(): number {
    return this.#cost.steps + this.#cost.parsed * STEPS_OF_A_CHARACTER;
  }
}
