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
 * How far a scope can be trusted, and the one place that says so: a metric and a log line each time it changes, and an
 * event in the log as soon as the log takes one; nothing while it stays.
 */
export class ScopeCondition {
  readonly #scope: Scope;
  readonly #logger: Logger;
  readonly #metrics: Metrics;
  #current: Condition = "starting";
  #reason: string | null = null;
  /** The trouble that the feed spoke of last and has not called over. */
  #told: Trouble | null = null;

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
    this.#told = trouble;
    this.#reason = "it has not been read since the feed spoke of it";
  }

  async enter(trouble: Trouble, reason: string, say: Say): Promise<void> {
    this.mark(trouble, reason);
    await this.tell(say);
  }

  /** The scope is in trouble, and the log may not take an event about it now. */
  mark(trouble: Trouble, reason: string): void {
    this.#reason = reason;
    if (this.#current === trouble) return;
    this.#current = trouble;
    this.#metrics.scopeStale.set(this.#labels(), 1);
    this.#logger.warn({ condition: trouble }, `${scopeName(this.#scope)} is ${trouble}: ${reason}`);
  }

  /** Has the feed speak of the trouble where it has not yet. */
  async tell(say: Say): Promise<void> {
    const { trouble } = this;
    if (trouble === null || trouble === this.#told) return;
    await say(trouble, this.#reason ?? "");
    this.#told = trouble;
  }

  get trouble(): Trouble | null {
    return this.#current === "stale" || this.#current === "access-lost" ? this.#current : null;
  }

  async clear(say: Say): Promise<void> {
    const before = this.trouble;
    if (this.#told !== null) await say(OVER[this.#told].state, OVER[this.#told].reason);
    this.#told = null;
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
