import { scopeName, type Scope } from "../schemas/scope.ts";
import type { Logger } from "../telemetry/logger.ts";
import type { Metrics } from "../telemetry/metrics.ts";

export type Condition = "starting" | "ok" | "stale" | "access-lost";
type Trouble = "stale" | "access-lost";
export type ScopeState = Trouble | "recovered" | "access-restored";

export function isTrouble(state: ScopeState): state is Trouble {
  return state === "stale" || state === "access-lost";
}

/** Writes a `nomad.feed.scope` event; the condition changes only after it is in the log. */
export type Say = (state: ScopeState, reason: string) => Promise<void>;

const OVER = {
  stale: { state: "recovered", reason: "the scope is read again" },
  "access-lost": { state: "access-restored", reason: "the scope may be read again" },
} as const;

/**
 * How far a scope can be believed, and the one place that says so: an event in the log, a metric and a log line
 * each time it changes, nothing while it stays.
 */
export class ScopeCondition {
  readonly #scope: Scope;
  readonly #logger: Logger;
  readonly #metrics: Metrics;
  #current: Condition = "starting";
  #reason: string | null = null;

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

  /** Takes over what the feed said last, before this process or claim. */
  resume(trouble: Trouble | null): void {
    if (trouble === null || this.#current !== "starting") return;
    this.#current = trouble;
    this.#reason = "it has not been read since the feed spoke of it";
  }

  async enter(trouble: Trouble, reason: string, say: Say): Promise<void> {
    this.#reason = reason;
    if (this.#current === trouble) return;
    await say(trouble, reason);
    this.#current = trouble;
    this.#metrics.scopeStale.set(this.#labels(), 1);
    this.#logger.warn(
      { condition: trouble },
      `the feed says of ${scopeName(this.#scope)}: ${trouble}; ${reason}`,
    );
  }

  async clear(say: Say): Promise<void> {
    const before = this.#current;
    if (before === "stale" || before === "access-lost") {
      await say(OVER[before].state, OVER[before].reason);
      this.#logger.info(
        { condition: "ok" },
        `the feed says of ${scopeName(this.#scope)}: ${OVER[before].state}`,
      );
    }
    this.#current = "ok";
    this.#reason = null;
    this.#metrics.scopeStale.set(this.#labels(), 0);
  }

  #labels(): { resource: string; namespace: string } {
    return { resource: this.#scope.resource, namespace: this.#scope.namespace };
  }
}
