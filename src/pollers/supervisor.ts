import { RESOURCES, type ResourceType } from "../schemas/resources.ts";
import { scopeName, scopesOverlap, type Scope } from "../schemas/scope.ts";
import type { Change } from "../schemas/change.ts";
import type { Snapshot } from "../snapshots/snapshot.ts";
import { OutageReporter } from "./outage-reporter.ts";
import { planScopes } from "./plan.ts";
import type { Outcome, PollerDeps, PollerOptions, ScopeHooks, ScopeReport } from "./poller.ts";
import { ScopeLoop } from "./scope-loop.ts";

export interface SupervisorOptions extends PollerOptions {
  readonly resources: readonly ResourceType[];
  /** Names of the namespaces to watch; null: all there are, followed as they come and go. */
  readonly namespaces: readonly string[] | null;
  /** Most scopes to watch at once; each holds one connection to Nomad. */
  readonly maxScopes: number;
}

interface Running {
  readonly loop: ScopeLoop;
  readonly abort: AbortController;
  done: Promise<void>;
  /** Whether nothing should start it again when it ends. */
  dismissed: boolean;
}

const WATCHDOG_EVERY_MS = 5_000;
const RESTART_AFTER_MS = 5_000;
const RETRY_PLAN_MS = 1_000;
/** Longest that a query may take beyond its wait: connecting, a slow body, several addresses, a look at rights. */
const BEYOND_WAIT_MS = 5 * 60_000;

/**
 * Keeps one loop running for every scope there should be: plans them from the namespaces Nomad has and the
 * connection budget, starts and ends loops as namespaces come and go, and replaces a loop that stopped moving.
 */
export class Supervisor {
  readonly #deps: PollerDeps;
  readonly #options: SupervisorOptions;
  readonly #running = new Map<string, Running>();
  #namespaces: readonly string[] | null;
  #wanted: ReadonlySet<string> = new Set();
  /** Scopes that another process took over. */
  readonly #taken = new Set<string>();
  #plans: Promise<void> = Promise.resolve();
  #planned = false;
  #folded: ReadonlySet<ResourceType> = new Set();
  #signal: AbortSignal | undefined;

  constructor(deps: Omit<PollerDeps, "outages">, options: SupervisorOptions) {
    this.#deps = { ...deps, outages: new OutageReporter(deps.logger, deps.clock) };
    this.#options = options;
    this.#namespaces = options.namespaces;
  }

  /** Runs until `signal` aborts and every loop has ended. */
  async run(signal: AbortSignal): Promise<void> {
    this.#signal = signal;
    await this.#replan();
    while (!signal.aborted) {
      await this.#deps.clock.sleep(WATCHDOG_EVERY_MS, signal);
      if (!signal.aborted) this.#replaceStuck();
    }
    await Promise.all([...this.#running.values()].map((running) => running.done));
  }

  /** What is watched and how it goes. */
  reports(): ScopeReport[] {
    return [...this.#running.values()].map((running) => running.loop.report());
  }

  /** Scopes that there should be and that have no loop at the moment, and why. */
  missing(): { scope: string; why: string }[] {
    return [...this.#wanted]
      .filter((name) => !this.#running.has(name))
      .map((scope) => ({
        scope,
        why: this.#taken.has(scope)
          ? "another process took it over"
          : "its loop is about to be started again",
      }));
  }

  /** Whether the token sees no namespace at all, though there always is one. */
  get blind(): boolean {
    return this.#namespaces?.length === 0;
  }

  /** Whether the namespaces are known and planned for, so that `reports` holds every scope there should be. */
  get planned(): boolean {
    return this.#planned;
  }

  /** A loop that has not moved for this long is stuck: every wait of it is shorter. */
  get stuckAfterMs(): number {
    return this.#options.waitMs + this.#options.waitMs / 16 + BEYOND_WAIT_MS;
  }

  /** Brings the running loops to what there should be; one plan after another, each until it succeeds. */
  #replan(): Promise<void> {
    this.#plans = this.#plans.then(() => this.#planUntilDone());
    return this.#plans;
  }

  async #planUntilDone(): Promise<void> {
    const signal = this.#signal;
    if (signal === undefined) return;
    const { clock, logger } = this.#deps;
    while (!signal.aborted) {
      const namespaces = this.#namespaces;
      try {
        const wanted = this.#plan();
        this.#wanted = new Set(wanted.map(scopeName));
        this.#apply(wanted);
        for (const scope of await this.#leftovers(wanted)) this.#start(scope, true);
        this.#planned = namespaces !== null;
        return;
      } catch (error) {
        logger.error({ err: error }, "could not plan which scopes to watch; trying again");
        await clock.sleep(RETRY_PLAN_MS, signal);
      }
    }
  }

  #apply(wanted: readonly Scope[]): void {
    for (const [name, running] of this.#running) {
      if (this.#wanted.has(name)) this.#readmit(running);
      else if (!running.dismissed) this.#dismiss(running);
    }
    for (const scope of wanted) if (!this.#taken.has(scopeName(scope))) this.#start(scope, false);
  }

  #plan(): readonly Scope[] {
    const { resources, maxScopes, namespaces } = this.#options;
    const discover = namespaces === null && !resources.includes("namespaces");
    const plan = planScopes({
      resources: discover ? ["namespaces", ...resources] : resources,
      namespaces: this.#namespaces ?? [],
      budget: maxScopes,
      mayFold: namespaces === null,
      folded: this.#folded,
    });
    const folded = [...plan.folded];
    if (folded.some((type) => !this.#folded.has(type))) {
      this.#deps.logger.info(
        { resources: folded, maxScopes },
        `more scopes than connections: ${folded.join(", ")} are watched with namespace=* from now on`,
      );
    }
    if (plan.overBudget > 0) {
      this.#deps.logger.warn(
        { scopes: plan.scopes.length, maxScopes },
        "more scopes than connections: some will wait for a free one; raise --max-connections and Nomad's limits.http_max_conns_per_client",
      );
    }
    this.#folded = plan.folded;
    return plan.scopes;
  }

  /** Scopes whose namespace vanished while objects of it were still in the log: they end when it is empty. */
  async #leftovers(wanted: readonly Scope[]): Promise<Scope[]> {
    const { namespaces, resources } = this.#options;
    if (namespaces !== null || this.#namespaces === null) return [];
    const known = new Set(this.#namespaces);
    const statuses = await this.#deps.log.scopes();
    return statuses
      .filter((status) => status.baselined && (status.checkpoint?.count ?? 0) > 0)
      .map((status) => status.scope)
      .filter((scope) => RESOURCES[scope.resource].namespaced && resources.includes(scope.resource))
      .filter((scope) => scope.namespace !== "*" && !known.has(scope.namespace))
      .filter((scope) => !wanted.some((other) => scopesOverlap(scope, other)));
  }

  /** Ends a loop that should not be there: at once, or, where its namespace vanished, when it is empty. */
  #dismiss(running: Running): void {
    running.dismissed = true;
    const { namespace, resource } = running.loop.scope;
    const vanished =
      namespace !== "*" && this.#namespaces?.includes(namespace) === false && !this.#folded.has(resource);
    if (vanished) running.loop.drain();
    else running.abort.abort(new Error("not planned any more"));
  }

  /** A namespace may come back while its old scope still drains. */
  #readmit(running: Running): void {
    if (!running.dismissed || running.abort.signal.aborted) return;
    running.dismissed = false;
    running.loop.drain(false);
  }

  #start(scope: Scope, draining: boolean): void {
    const signal = this.#signal;
    if (signal === undefined || signal.aborted || this.#running.has(scopeName(scope))) return;
    const abort = new AbortController();
    const loop = new ScopeLoop(scope, this.#deps, this.#options, this.#hooks(scope));
    if (draining) loop.drain();
    const running: Running = { loop, abort, dismissed: draining, done: Promise.resolve() };
    this.#running.set(scopeName(scope), running);
    running.done = this.#supervise(scope, running, signal);
  }

  async #supervise(scope: Scope, running: Running, signal: AbortSignal): Promise<void> {
    const onAbort = (): void => running.abort.abort(signal.reason);
    signal.addEventListener("abort", onAbort, { once: true });
    let outcome: Outcome | "failed" = "failed";
    try {
      outcome = await running.loop.run(running.abort.signal);
    } catch (error) {
      this.#deps.logger.error(
        { err: error, scope: scopeName(scope) },
        "a scope's loop failed; starting it again",
      );
    } finally {
      signal.removeEventListener("abort", onAbort);
      if (outcome === "fenced" && !running.abort.signal.aborted) this.#giveUp(scope, running);
      if (this.#running.get(scopeName(scope)) === running) this.#ended(scope);
    }
    if (signal.aborted) return;
    const wanted = this.#wanted.has(scopeName(scope));
    if (outcome === "drained") {
      this.#deps.logger.info({ scope: scopeName(scope) }, "nothing is left of its namespace: scope ended");
    }
    // Wanted, but its namespace is gone: trying at once would be a race without end.
    if (wanted && outcome !== "stopped") await this.#deps.clock.sleep(RESTART_AFTER_MS, signal);
    await this.#replan();
  }

  /** Claiming it back would be claimed back in turn, without end: whoever started the other one wanted it so. */
  #giveUp(scope: Scope, running: Running): void {
    if (running.dismissed || this.#running.get(scopeName(scope)) !== running) return;
    this.#taken.add(scopeName(scope));
    this.#deps.logger.error(
      {
        scope: scopeName(scope),
        hint: "Stop one of the two; what this one watches no more, it takes up at its next start",
      },
      "another process writes this feed and took the scope over; it is not watched here any more",
    );
  }

  #ended(scope: Scope): void {
    const { metrics, outages } = this.#deps;
    this.#running.delete(scopeName(scope));
    outages.forget(scope);
    const labels = { resource: scope.resource, namespace: scope.namespace };
    for (const gauge of [metrics.scopeIndex, metrics.scopeObjects, metrics.scopeLastOk, metrics.scopeStale]) {
      gauge.remove(labels);
    }
  }

  #hooks(scope: Scope): ScopeHooks {
    if (scope.resource !== "namespaces" || this.#options.namespaces !== null) return {};
    return {
      birthsOf: (change) => this.#birthsOf(change),
      onSnapshot: (snapshot) => this.#followNamespaces(snapshot),
    };
  }

  /** A namespace that was just created began empty, so the first poll of its scopes is all news. */
  #birthsOf(change: Change): readonly Scope[] {
    if (change.op !== "create") return [];
    return this.#options.resources
      .filter((type) => RESOURCES[type].namespaced)
      .map((resource) => ({ resource, namespace: change.ref.key }));
  }

  #followNamespaces(snapshot: Snapshot): void {
    const names = [...snapshot.refs()].map((ref) => ref.key).toSorted();
    if (this.#namespaces !== null && names.join() === this.#namespaces.join()) return;
    this.#namespaces = names;
    if (names.length > 0) {
      this.#deps.logger.info({ namespaces: names.length }, `watching namespaces: ${shortList(names)}`);
    } else {
      const hint =
        "Give the token list-jobs and read-job in the namespaces to watch; doctor shows what it may do";
      this.#deps.logger.warn({ hint }, "the token sees no namespace: nothing in any is watched");
    }
    void this.#replan();
  }

  #replaceStuck(): void {
    const now = this.#deps.clock.elapsed();
    for (const running of this.#running.values()) {
      const { scope, lastMoveAtMs } = running.loop.report();
      const stillMs = now - lastMoveAtMs;
      if (stillMs <= this.stuckAfterMs || running.abort.signal.aborted) continue;
      this.#deps.logger.error(
        { scope: scopeName(scope), stillMs },
        "a scope's loop stopped moving; replacing it",
      );
      running.abort.abort(new Error("stopped moving"));
      // Its claim is fenced off by the next one, so it may be left behind.
      if (this.#running.get(scopeName(scope)) === running) this.#running.delete(scopeName(scope));
      if (!running.dismissed) this.#start(scope, false);
    }
  }
}

function shortList(names: readonly string[]): string {
  return names.length <= 8
    ? names.join(", ")
    : `${names.slice(0, 8).join(", ")} and ${names.length - 8} more`;
}
