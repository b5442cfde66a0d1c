import type { AssignmentPlan, Ending } from "../coordination/coordination.ts";
import { LogUnavailable } from "../feed/errors.ts";
import type { NomadApi } from "../nomad/api.ts";
import type { Change } from "../schemas/change.ts";
import { RESOURCES, type ResourceType } from "../schemas/resources.ts";
import { parseScopeName, scopeName, scopesOverlap, type Scope } from "../schemas/scope.ts";
import type { Snapshot } from "../snapshots/snapshot.ts";
import { Leftovers, type LeftoversDeps, type Watched } from "./leftovers.ts";
import { planScopes, type Plan } from "./plan.ts";
import type { ScopeHooks } from "./poller.ts";

export interface PlannerOptions {
  readonly resources: readonly ResourceType[];
  /** Names of the namespaces to watch; null: all there are, followed as they come and go. */
  readonly namespaces: readonly string[] | null;
  /** Most scopes to watch at once; each holds one connection to Nomad. */
  readonly maxScopes: number;
}

export interface PlannerDeps extends Omit<LeftoversDeps, "onFound" | "nomad"> {
  readonly nomad: Pick<NomadApi, "list" | "namespacePresence">;
  readonly announce: (plan: AssignmentPlan) => Promise<void>;
  /** The plan that everybody follows now, whoever made it. */
  readonly inForce: () => AssignmentPlan;
  /** Watches a scope as `Supervisor.watch` does. */
  readonly watch: (scope: Scope, signal: AbortSignal, hooks: ScopeHooks) => Promise<Ending>;
}

const NAMESPACES: Scope = { resource: "namespaces", namespace: "-" };
const REPLAN_EVERY_MS = 5_000;
const RETRY_PLAN_MS = 1_000;

/**
 * Says which scopes there are to watch: one for each resource and namespace as far as connections allow, and those
 * outside of the namespaces there are until nothing is left in them. Where namespaces are to be found, planning is
 * watching their list: each change of it makes a new plan. Until they are known, what was planned before stays in
 * force.
 */
export class Planner {
  readonly #deps: PlannerDeps;
  readonly #options: PlannerOptions;
  readonly #leftovers: Leftovers;
  #namespaces: readonly string[] | null;
  #folded: ReadonlySet<ResourceType> = new Set();
  #overBudget = 0;
  #planned = false;
  #failing = false;
  #lookedForNamed = false;
  /** Ends the pause between two plans. */
  #wake = new AbortController();

  constructor(deps: PlannerDeps, options: PlannerOptions) {
    this.#deps = deps;
    this.#options = options;
    this.#leftovers = new Leftovers({ ...deps, onFound: () => this.#wake.abort() }, options.resources);
    this.#namespaces = options.namespaces;
  }

  /** Plans until `signal` aborts, or another process watches the namespaces. */
  async run(signal: AbortSignal): Promise<Ending> {
    // What this process knew when it planned before, others may know better since.
    this.#namespaces = this.#options.namespaces;
    this.#folded = foldedIn(this.#deps.inForce());
    this.#planned = false;
    const end = new AbortController();
    const either = AbortSignal.any([signal, end.signal]);
    const planning = this.#keepPlanning(either);
    try {
      const { namespaces } = this.#options;
      if (namespaces !== null) {
        await Promise.all([planning, this.#lookForNamed(namespaces, either)]);
        return "stopped";
      }
      const looking = this.#leftovers.run(() => this.#watched(), either);
      try {
        return await this.#deps.watch(NAMESPACES, either, {
          knownEmptyScopesOf: (change) => this.#knownEmptyScopesOf(change),
          onSnapshot: (snapshot) => this.#followNamespaces(snapshot),
          onWrite: () => this.#leftovers.changed(),
        });
      } finally {
        end.abort(new Error("nobody plans here any more"));
        await looking;
      }
    } finally {
      end.abort(new Error("nobody plans here any more"));
      await planning;
    }
  }

  /** Whether the token sees no namespace at all, though there always is one. */
  get blind(): boolean {
    return this.#namespaces?.length === 0;
  }

  /** Whether the namespaces were known when the plan was made that is in force. */
  get planned(): boolean {
    return this.#planned;
  }

  async #keepPlanning(signal: AbortSignal): Promise<void> {
    const { clock, logger } = this.#deps;
    while (!signal.aborted) {
      this.#wake = new AbortController();
      const namespaces = this.#namespaces;
      let pauseMs = REPLAN_EVERY_MS;
      try {
        await this.#deps.announce(await this.#plan());
        this.#planned = namespaces !== null;
        this.#failing = false;
      } catch (error) {
        if (signal.aborted) return;
        // While the log is away, the scopes that have something to write say so.
        const level = this.#failing || error instanceof LogUnavailable ? "debug" : "error";
        this.#failing = true;
        logger[level]({ err: error }, "cannot plan which scopes to watch; retrying");
        pauseMs = RETRY_PLAN_MS;
      }
      if (namespaces === this.#namespaces) {
        await clock.sleep(pauseMs, AbortSignal.any([signal, this.#wake.signal]));
      }
    }
  }

  /** Says once which names Nomad does not have: it answers for them as for those without objects. */
  async #lookForNamed(names: readonly string[], signal: AbortSignal): Promise<void> {
    const { nomad, clock, logger } = this.#deps;
    while (!this.#lookedForNamed && !signal.aborted) {
      try {
        const missing: string[] = [];
        for (const name of names)
          if ((await nomad.namespacePresence(name, signal)) === "absent") missing.push(name);
        this.#lookedForNamed = true;
        if (missing.length === 0) return;
        const hint = "Correct --namespaces; what is made later is watched from then on";
        logger.warn(
          { namespaces: missing.length, hint },
          `Nomad does not have the namespace ${shortList(missing)}`,
        );
      } catch {
        // Those who watch the scopes say what is wrong.
        await clock.sleep(REPLAN_EVERY_MS, signal);
      }
    }
  }

  async #plan(): Promise<AssignmentPlan> {
    const { resources, maxScopes, namespaces } = this.#options;
    // The planner itself watches the namespaces where it has to find them.
    const others = namespaces === null ? resources.filter((type) => type !== "namespaces") : resources;
    const finds = namespaces === null && (this.#namespaces !== null || this.#leftovers.scanned);
    const leftovers = finds ? await this.#leftovers.outside(this.#watched().namespaces) : [];
    const plan = planScopes({
      resources: others,
      namespaces: this.#namespaces ?? [],
      leftovers,
      budget: maxScopes - (resources.length - others.length),
      mayFold: namespaces === null && this.#namespaces !== null,
      folded: this.#folded,
    });
    this.#sayWhatIsShort(plan.folded, plan.scopes.length + plan.finish.length, plan.overBudget);
    if (this.#namespaces === null) return this.#planBlindly(plan);
    this.#folded = plan.folded;
    return new Map([...assignments(plan.finish, "finish"), ...assignments(plan.scopes, "perform")]);
  }

  /** While it is not known which namespaces there are, what was planned goes on. */
  #planBlindly({ scopes, finish }: Plan): AssignmentPlan {
    const performed = scopesIn(this.#deps.inForce(), "perform");
    const left = finish.filter((scope) => !performed.some((other) => scopesOverlap(scope, other)));
    return new Map([
      ...assignments(left, "finish"),
      ...assignments(performed, "perform"),
      ...assignments(scopes, "perform"),
    ]);
  }

  #watched(): Watched {
    const performed = scopesIn(this.#deps.inForce(), "perform");
    const namespaces = this.#namespaces ?? [...new Set(performed.map((scope) => scope.namespace))];
    return { namespaces: namespaces.filter((name) => name !== "*" && name !== "-"), folded: this.#folded };
  }

  #sayWhatIsShort(foldedNow: ReadonlySet<ResourceType>, scopes: number, overBudget: number): void {
    const { logger } = this.#deps;
    const { maxScopes } = this.#options;
    const folded = [...foldedNow];
    if (folded.some((type) => !this.#folded.has(type))) {
      logger.info(
        { resources: folded, maxScopes },
        `more scopes than connections: ${folded.join(", ")} are watched with namespace=* from now on`,
      );
    }
    if (overBudget > this.#overBudget) {
      logger.warn(
        { scopes, maxScopes },
        "more scopes than connections: some wait for a free connection; raise --max-connections and Nomad's limits.http_max_conns_per_client",
      );
    }
    this.#overBudget = overBudget;
  }

  /** A namespace that was just created began empty, so the first poll of its scopes is all news. */
  #knownEmptyScopesOf(change: Change): readonly Scope[] {
    if (change.op !== "create") return [];
    return this.#options.resources
      .filter((type) => RESOURCES[type].namespaced)
      .map((resource) => ({ resource, namespace: change.ref.key }));
  }

  #followNamespaces(snapshot: Snapshot): void {
    const names = [...snapshot.refs()].map((ref) => ref.key).toSorted();
    if (this.#namespaces !== null && names.join() === this.#namespaces.join()) return;
    this.#namespaces = names;
    this.#leftovers.changed();
    if (names.length > 0) {
      this.#deps.logger.info({ namespaces: names.length }, `watching namespaces: ${shortList(names)}`);
    } else {
      const hint =
        "Give the token list-jobs and read-job in the namespaces to watch; doctor shows what it may do";
      this.#deps.logger.warn({ hint }, "the token sees no namespace; no namespaced resource is watched");
    }
    this.#wake.abort();
  }
}

function shortList(names: readonly string[]): string {
  return names.length <= 8
    ? names.join(", ")
    : `${names.slice(0, 8).join(", ")} and ${names.length - 8} more`;
}

function assignments<What extends string>(scopes: readonly Scope[], what: What): (readonly [string, What])[] {
  return scopes.map((scope) => [scopeName(scope), what] as const);
}

function scopesIn(plan: AssignmentPlan, wanted: "perform" | "finish"): Scope[] {
  return [...plan]
    .filter(([, what]) => what === wanted)
    .map(([assignment]) => parseScopeName(assignment))
    .filter((scope) => scope !== undefined);
}

/** Resources that a plan watches in all namespaces at once. */
function foldedIn(plan: AssignmentPlan): ReadonlySet<ResourceType> {
  const all = scopesIn(plan, "perform").filter((scope) => scope.namespace === "*");
  return new Set(all.map((scope) => scope.resource));
}
