import {
  NOTHING_TO_REPORT,
  STANDING_ASSIGNMENTS,
  type AssignmentHolder,
  type AssignmentPlan,
  type AssignmentReport,
  type Ending,
} from "../coordination/coordination.ts";
import { parseScopeName } from "../schemas/scope.ts";
import { Planner, type PlannerOptions } from "./planner.ts";
import type { PollerOptions, ScopeReport } from "./poller.ts";
import { Supervisor, type SupervisorDeps } from "./supervisor.ts";

const NAMESPACES = "namespaces/-";
const STANDING: ReadonlySet<string> = new Set(STANDING_ASSIGNMENTS);

export interface PollerAssignmentsDeps extends Omit<SupervisorDeps, "planned"> {
  /** Tells everybody what there is to do: see `Coordination`. */
  readonly announce: (plan: AssignmentPlan) => Promise<void>;
  /** Keeps the log within its limits until the signal aborts. */
  readonly trim: (signal: AbortSignal) => Promise<void>;
  /** Resolves when Nomad can be watched; until then only the log is looked after. */
  readonly nomadReady: Promise<void>;
}

/** What a process of the feed can do: plan, trim, follow hints, and watch scopes. */
export class PollerAssignments implements AssignmentHolder {
  readonly supervisor: Supervisor;
  readonly #planner: Planner;
  readonly #trim: (signal: AbortSignal) => Promise<void>;
  readonly #nomadReady: Promise<void>;
  readonly #findsNamespaces: boolean;
  #plan: AssignmentPlan | undefined;
  #planning = false;

  constructor(deps: PollerAssignmentsDeps, options: PollerOptions & PlannerOptions) {
    const { announce, trim, nomadReady, ...pollerDeps } = deps;
    const planned = (): string[] | undefined => this.#scopesPlanned();
    const supervisor = new Supervisor({ ...pollerDeps, planned }, options);
    const { log, logger, clock, nomad } = deps;
    const watch: Supervisor["watch"] = (scope, signal, hooks) => supervisor.watch(scope, signal, hooks);
    this.supervisor = supervisor;
    const inForce = (): AssignmentPlan => this.#plan ?? new Map();
    this.#planner = new Planner({ log, logger, clock, nomad, announce, inForce, watch }, options);
    this.#findsNamespaces = options.namespaces === null;
    this.#trim = trim;
    this.#nomadReady = nomadReady;
    // Who waits for it hears of its failure; before anybody does, it must not end the process.
    nomadReady.catch(() => undefined);
  }

  canPerform(assignment: string): boolean {
    return STANDING.has(assignment) || parseScopeName(assignment) !== undefined;
  }

  async perform(assignment: string, signal: AbortSignal): Promise<Ending> {
    if (assignment === "trim") {
      await this.#trim(signal);
      return "stopped";
    }
    if (!(await resolvedBefore(this.#nomadReady, signal))) return "stopped";
    if (assignment === "plan") return this.#performPlan(signal);
    if (assignment === "hints") return this.supervisor.followHints(signal);
    const scope = parseScopeName(assignment);
    if (scope === undefined) throw new Error(`there is no assignment ${assignment} here`);
    return this.supervisor.watch(scope, signal);
  }

  follow(plan: AssignmentPlan): void {
    this.#plan = plan;
    const finishing = [...plan].filter(([, what]) => what === "finish").map(([assignment]) => assignment);
    this.supervisor.drain(new Set(finishing));
    this.supervisor.replanned();
  }

  describe(assignment: string): AssignmentReport {
    if (assignment === "hints") return { ...NOTHING_TO_REPORT, reason: this.supervisor.hintsMissing() };
    const report = this.supervisor.report(assignment === "plan" ? NAMESPACES : assignment);
    return report === undefined ? NOTHING_TO_REPORT : assignmentReport(report);
  }

  /** What keeps this process from being ready, as far as planning goes. */
  waitingForPlan(): { scope: string; why: string }[] {
    const { blind } = this.#planner;
    const waiting: { scope: string; why: string }[] = [];
    if (this.#planning && blind) waiting.push({ scope: "*", why: "the token sees no namespace" });
    if (!this.#isPlanKnown) {
      waiting.push({ scope: "*", why: "Nomad has not said yet which namespaces there are" });
    }
    return waiting;
  }

  get #isPlanKnown(): boolean {
    return this.#plan !== undefined && (!this.#planning || this.#planner.planned);
  }

  /** Every scope that is to be watched, by whichever process; who plans watches the namespaces besides. */
  #scopesPlanned(): string[] | undefined {
    if (this.#plan === undefined || !this.#isPlanKnown) return undefined;
    const scopes = [...this.#plan.keys()].filter((assignment) => parseScopeName(assignment) !== undefined);
    return this.#findsNamespaces ? [NAMESPACES, ...scopes] : scopes;
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

function assignmentReport(report: ScopeReport): AssignmentReport {
  const { condition, reading, reason, index, count, lastOkAtMs, sinceOkMs, upToDate, baselined } = report;
  return {
    condition,
    reading,
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
