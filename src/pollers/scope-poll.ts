import { NomadError } from "../nomad/errors.ts";
import type { ListResponse } from "../nomad/api.ts";
import { ChangefeedError } from "../schemas/errors.ts";
import type { Scope } from "../schemas/scope.ts";
import type { Logger } from "../telemetry/logger.ts";
import { Flapping } from "./flapping.ts";
import { examine, listOf, type Known, type Observation } from "./observe.ts";
import { OddNumbers } from "./odd-numbers.ts";
import { Pacer } from "./pacer.ts";
import type { PollerDeps, PollerOptions } from "./poller.ts";
import type { Interruption } from "./scope-machine.ts";

/** So many queries in a row may end early: it takes two to learn how long one may wait. */
const MOST_ENDED_EARLY = 2;

export type PollResult =
  | { readonly kind: "polled"; readonly observation: Observation }
  | { readonly kind: "interrupted"; readonly why: Interruption }
  /** `endedEarly`: by something between, while Nomad had nothing to say. */
  | { readonly kind: "failed"; readonly error: ChangefeedError; readonly endedEarly: boolean };

export interface ScopePollParts {
  readonly scope: Scope;
  readonly deps: PollerDeps;
  readonly options: PollerOptions;
  readonly logger: Logger;
  /** Called whenever a poll gets on, for the watchdog. */
  readonly onMove: () => void;
}

/** Polls one scope: one query at a time, which may be interrupted from outside. */
export class ScopePoll {
  readonly #parts: ScopePollParts;
  readonly #pacer: Pacer;
  readonly #flapping: Flapping;
  readonly #oddNumbers: OddNumbers;
  /** How many in a row were ended by something between. */
  #endedEarly = 0;
  #interruptions: Interruption[] = [];
  #interrupt = new AbortController();

  constructor(parts: ScopePollParts) {
    const { deps, options, logger } = parts;
    this.#parts = parts;
    this.#pacer = new Pacer(deps.clock, options.pace);
    this.#flapping = new Flapping(deps.clock, logger);
    this.#oddNumbers = new OddNumbers(logger);
  }

  /** Ends the poll in flight, or the next one. */
  interrupt(why: Interruption): void {
    if (!this.#interruptions.includes(why)) this.#interruptions.push(why);
    this.#interrupt.abort();
  }

  /** Answers whether an interruption was pending, in whose place another one is now. */
  replace(pending: Interruption, why: Interruption): boolean {
    if (!this.#interruptions.includes(pending)) return false;
    this.#interruptions = this.#interruptions.map((each) => (each === pending ? why : each));
    return true;
  }

  /** Resolves when the next poll may begin. */
  ready(signal: AbortSignal): Promise<void> {
    return this.#pacer.ready(signal);
  }

  /**
   * Reads the list, at once or when something changes (`hold`), and answers what to make of it. Rejects with the
   * signal's reason, and with defects.
   */
  async run(known: Known, hold: boolean, signal: AbortSignal): Promise<PollResult> {
    try {
      const result = await this.#poll(known, hold, AbortSignal.any([signal, this.#interrupt.signal]));
      this.#endedEarly = result.kind === "failed" ? this.#endedEarly + 1 : 0;
      return result;
    } catch (error) {
      signal.throwIfAborted();
      if (this.#interrupt.signal.aborted) return { kind: "interrupted", why: this.#takeInterruption() };
      if (error instanceof ChangefeedError) return { kind: "failed", error, endedEarly: false };
      throw error;
    }
  }

  async #poll(known: Known, hold: boolean, signal: AbortSignal): Promise<PollResult> {
    const { scope, deps, onMove } = this.#parts;
    const response = await this.#ask(known, hold, signal);
    if (response instanceof NomadError) return { kind: "failed", error: response, endedEarly: true };
    const found = await examine(deps.nomad, deps.clock, { scope, known, signal, onMove }, response);
    this.#pacer.spend(found.response.body.length);
    this.#oddNumbers.say(found.nonNumbers);
    const { snapshot } = known.last;
    return { kind: "polled", observation: await this.#flapping.sift(found, snapshot, { onMove, signal }) };
  }

  /** The list; or why a query that was held ended early, which says nothing of Nomad. */
  async #ask(known: Known, hold: boolean, signal: AbortSignal): Promise<ListResponse | NomadError> {
    const { scope, deps, options } = this.#parts;
    const { snapshot, index } = known.last;
    const list = listOf(scope, snapshot, signal);
    const { waitMs } = deps.queryWait;
    const holds = hold && index !== null;
    try {
      // What a claim begins with must not lag behind the state it is held to.
      const consistency = hold ? options.consistency : "default";
      return await deps.nomad.list({ ...list, ...(holds && { index, waitMs }), consistency });
    } catch (error) {
      if (!(error instanceof NomadError)) throw error;
      if (holds && this.#isEndedEarly(error, waitMs)) return error;
      // A server out of touch has nothing to say; the leader has, or another address.
      if (error.code !== "NOMAD_STALE_RESPONSE") throw error;
      return deps.nomad.list({ ...list, consistency: "default" });
    }
  }

  /** Where one after another ends so, it is no longer a matter of waiting. */
  #isEndedEarly(error: NomadError, waitMs: number): boolean {
    return this.#parts.deps.queryWait.endedEarly(error, waitMs) && this.#endedEarly < MOST_ENDED_EARLY;
  }

  #takeInterruption(): Interruption {
    const why = this.#interruptions.shift() ?? "begin-anew";
    if (this.#interruptions.length === 0) this.#interrupt = new AbortController();
    return why;
  }
}
