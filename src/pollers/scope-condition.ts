import type { ScopeNotes } from "../feed/log.ts";
import { scopeName, type Scope } from "../schemas/scope.ts";
import type { Logger } from "../telemetry/logger.ts";
import type { Metrics } from "../telemetry/metrics.ts";

export type Condition = "starting" | "ok" | Trouble;
/** `unsupported`: Nomad does not have it. */
export type Trouble = "stale" | "access-lost" | "unsupported";
export type ScopeState = Trouble | "recovered" | "access-restored" | "supported";

export function isTrouble(state: ScopeState | Condition): state is Trouble {
  return state === "stale" || state === "access-lost" || state === "unsupported";
}

/**
 * Writes a `nomad.feed.scope` event, or only remembers the state where the feed as a whole tells of it (`covered`); the
 * condition changes only after it is in the log.
 */
export type Say = (state: ScopeState, reason: string, covered: boolean) => Promise<void>;

/** A trouble that the log holds, and that is not over. */
export type Told = Pick<ScopeNotes, "trouble" | "covered">;

const NOTHING: Told = { trouble: null };

const OVER = {
  stale: { state: "recovered", reason: "the scope is read again" },
  "access-lost": { state: "access-restored", reason: "the scope may be read again" },
  unsupported: { state: "supported", reason: "Nomad has it now" },
} as const;

/**
 * How far a scope can be trusted, and the one place that says so: a metric and a log line each time it changes, and an
 * event in the log as soon as the log takes one; nothing while it stays.
 */
export class ScopeCondition {
  readonly #scope: Scope;
  readonly #logger: Logger;
  readonly #metrics: Metrics;
  #current: Condition = "starting";
  #reason: string | null = null;
  /** What the log holds. */
  #told = NOTHING;

  constructor(scope: Scope, logger: Logger, metrics: Metrics) {
    this.#scope = scope;
    this.#logger = logger;
    this.#metrics = metrics;
  }

  get current(): Condition {
    return this.#current;
  }

  /** Why the condition is not ok. */
  get reason(): string | null {
    return this.#reason;
  }

  /** Takes over what the log holds, as a new claim finds it. */
  resume(told: Told): void {
    this.#told = told;
    if (told.trouble === null || this.#current !== "starting") return;
    this.#current = told.trouble;
    this.#reason = "it has not been read since the feed spoke of it";
  }

  async enter(trouble: Trouble, reason: string, say: Say, covered = false): Promise<void> {
    this.mark(trouble, reason);
    // What was covered so far speaks for itself from now on.
    if (this.#told.covered === true && !covered) this.#told = NOTHING;
    await this.tell(say, covered);
  }

  /** The scope is in trouble, and the log may not take an event about it now. */
  mark(trouble: Trouble, reason: string): void {
    this.#reason = reason;
    if (this.#current === trouble) return;
    this.#current = trouble;
    // Said once for all scopes of the resource, elsewhere; and there is nothing to be stale.
    if (trouble === "unsupported") return;
    this.#metrics.scopeStale.set(this.#labels(), 1);
    this.#logger.warn({ condition: trouble }, `${scopeName(this.#scope)} is ${trouble}: ${reason}`);
  }

  /** Brings the trouble into the log where it is not yet. */
  async tell(say: Say, covered: boolean): Promise<void> {
    const { trouble } = this;
    if (trouble === null || trouble === this.#told.trouble) return;
    await say(trouble, this.#reason ?? "", covered);
    this.#told = { trouble, covered };
  }

  get trouble(): Trouble | null {
    return isTrouble(this.#current) ? this.#current : null;
  }

  async clear(say: Say): Promise<void> {
    const before = this.trouble;
    const { trouble, covered = false } = this.#told;
    if (trouble !== null) await say(OVER[trouble].state, OVER[trouble].reason, covered);
    this.#told = NOTHING;
    if (before !== null) {
      this.#logger.info({ condition: "ok" }, `${scopeName(this.#scope)}: ${OVER[before].reason}`);
    }
    this.#current = "ok";
    this.#reason = null;
    this.#metrics.scopeStale.set(this.#labels(), 0);
  }

  #labels(): { resource: string; namespace: string } {
    return { resource: this.#scope.resource, namespace: this.#scope.namespace };
  }
}
