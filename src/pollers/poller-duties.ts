import {
  NOTHING_TO_REPORT,
  type DutyHolder,
  type DutyPlan,
  type DutyReport,
  type Ending,
} from "../coordination/coordination.ts";
import { parseScopeName } from "../schemas/scope.ts";
import { Planner, type PlannerOptions } from "./planner.ts";
import type { PollerDeps, PollerOptions, ScopeReport } from "./poller.ts";
import { Supervisor } from "./supervisor.ts";

const NAMESPACES = "namespaces/-";

export interface PollerDutiesDeps extends Omit<PollerDeps, "outages" | "backlog" | "queryWait"> {
  /** Tells everybody what there is to do: see `Coordination`. */
  readonly announce: (plan: DutyPlan) => Promise<void>;
  /** Keeps the log within its limits until the signal aborts. */
  readonly trim: (signal: AbortSignal) => Promise<void>;
  /** Resolves when Nomad can be watched; until then only the log is looked after. */
  readonly nomadReady: Promise<void>;
}

/** What a process of the feed can do: plan, trim, and watch scopes. */
export class PollerDuties implements DutyHolder {
  readonly supervisor: Supervisor;
  readonly #planner: Planner;
  readonly #trim: (signal: AbortSignal) => Promise<void>;
  readonly #nomadReady: Promise<void>;
  #plan: DutyPlan | undefined;
  #planning = false;

  constructor(deps: PollerDutiesDeps, options: PollerOptions & PlannerOptions) {
    const { announce, trim, nomadReady, ...pollerDeps } = deps;
    const supervisor = new Supervisor(pollerDeps, options);
    const { log, logger, clock, nomad } = deps;
    const watch: Supervisor["watch"] = (scope, signal, hooks) => supervisor.watch(scope, signal, hooks);
    this.supervisor = supervisor;
    const inForce = (): DutyPlan => this.#plan ?? new Map();
    this.#planner = new Planner({ log, logger, clock, nomad, announce, inForce, watch }, options);
    this.#trim = trim;
    this.#nomadReady = nomadReady;
    // Who waits for it hears of its failure; before anybody does, it must not end the process.
    nomadReady.catch(() => undefined);
  }

  async perform(duty: string, signal: AbortSignal): Promise<Ending> {
    if (duty === "trim") {
      await this.#trim(signal);
      return "stopped";
    }
    if (!(await resolvedBefore(this.#nomadReady, signal))) return "stopped";
    if (duty === "plan") return this.#performPlan(signal);
    const scope = parseScopeName(duty);
    // Planned by a version that knows more than this one; somebody else may.
    if (scope === undefined) throw new Error(`there is no duty ${duty} here`);
    return this.supervisor.watch(scope, signal);
  }

  follow(plan: DutyPlan): void {
    this.#plan = plan;
    const finishing = [...plan].filter(([, what]) => what === "finish").map(([duty]) => duty);
    this.supervisor.drain(new Set(finishing));
  }

  describe(duty: string): DutyReport {
    const report = this.supervisor.report(duty === "plan" ? NAMESPACES : duty);
    return report === undefined ? NOTHING_TO_REPORT : dutyReport(report);
  }

  /** What keeps this process from being ready, as far as planning goes. */
  waitingForPlan(): { scope: string; why: string }[] {
    const { blind, planned } = this.#planner;
    const waiting: { scope: string; why: string }[] = [];
    if (this.#planning && blind) waiting.push({ scope: "*", why: "the token sees no namespace" });
    if (this.#plan === undefined || (this.#planning && !planned)) {
      waiting.push({ scope: "*", why: "Nomad has not said yet which namespaces there are" });
    }
    return waiting;
  }

  async #performPlan(signal: AbortSignal): Promise<Ending> {
    this.#planning = true;
    try {
      return await this.#planner.run(signal);
    } finally {
      this.#planning = false;
    }
  }
}

function dutyReport(report: ScopeReport): DutyReport {
  const { condition, reason, index, count, lastOkAtMs, sinceOkMs, upToDate, baselined } = report;
  return {
    condition,
    reason,
    index,
    objects: baselined ? count : null,
    lastOkAt: lastOkAtMs === null ? null : new Date(lastOkAtMs).toISOString(),
    lagMs: sinceOkMs === null ? null : upToDate ? 0 : Math.round(sinceOkMs),
  };
}

/** False where it fails, which others tell, or `signal` aborts first. */
async function resolvedBefore(work: Promise<void>, signal: AbortSignal): Promise<boolean> {
  const aborted = Promise.withResolvers<false>();
  const onAbort = (): void => aborted.resolve(false);
  signal.addEventListener("abort", onAbort, { once: true });
  try {
    if (signal.aborted) return false;
    return await Promise.race([
      work.then(
        () => true,
        () => false,
      ),
      aborted.promise,
    ]);
  } finally {
    signal.removeEventListener("abort", onAbort);
  }
}
