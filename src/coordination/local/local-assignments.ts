import { aborted } from "../../shared/aborted.ts";
import { ALERTS, deliveryOf, type AssignmentStatus } from "../../schemas/assignment-schema.ts";
import type { Clock } from "../../shared/clock.ts";
import type { Logger } from "../../telemetry/logger.ts";
import {
  NOTHING_TO_REPORT,
  REST_MS,
  STANDING_ASSIGNMENTS,
  type Coordination,
  type CoordinationMetrics,
  type AssignmentHolder,
  type AssignmentPlan,
  type Ending,
} from "../coordination.ts";

interface Held {
  readonly abort: AbortController;
  readonly since: string;
  done: Promise<void>;
}

/** One process does every assignment. What another process takes from it, it leaves to that one. */
export class LocalAssignments implements Coordination {
  readonly broadcast = null;
  readonly #worker: string;
  readonly #logger: Logger;
  readonly #metrics: CoordinationMetrics;
  readonly #restMs: number;
  readonly #clock: Clock;
  readonly #held = new Map<string, Held>();
  /** Planned, and another process's. One that is planned anew is begun anew: then it is wanted here. */
  readonly #fenced = new Set<string>();
  #plan: AssignmentPlan = new Map();
  #running: { readonly holder: AssignmentHolder; readonly signal: AbortSignal } | undefined;

  /** `worker` names this process to people. */
  constructor(options: {
    readonly worker: string;
    readonly logger: Logger;
    readonly metrics: CoordinationMetrics;
    readonly restMs?: number;
    readonly clock: Clock;
  }) {
    this.#worker = options.worker;
    this.#logger = options.logger;
    this.#metrics = options.metrics;
    this.#restMs = options.restMs ?? REST_MS;
    this.#clock = options.clock;
    this.#metrics.workersAlive.set(1);
  }

  async run(holder: AssignmentHolder, signal: AbortSignal): Promise<void> {
    this.#running = { holder, signal };
    this.#reconcile();
    await aborted(signal);
    for (const { abort } of this.#held.values()) abort.abort(signal.reason);
    await Promise.all([...this.#held.values()].map(({ done }) => done));
  }

  async announce(plan: AssignmentPlan): Promise<void> {
    this.#plan = plan;
    this.#running?.holder.follow(plan);
    this.#reconcile();
  }

  async statuses(): Promise<AssignmentStatus[]> {
    const holder = this.#running?.holder;
    return this.#assignments().map((assignment) => {
      const held = this.#held.get(assignment);
      if (held !== undefined) {
        const place = { state: "held" as const, worker: this.#worker, since: held.since };
        return { assignment, ...place, ...(holder?.describe(assignment) ?? NOTHING_TO_REPORT) };
      }
      const state = this.#fenced.has(assignment) ? ("fenced" as const) : ("waiting" as const);
      return {
        assignment,
        state,
        worker: null,
        since: null,
        ...NOTHING_TO_REPORT,
        reason: this.#whyNot(assignment),
      };
    });
  }

  owed(): { assignment: string; why: string }[] {
    return this.#assignments()
      .filter((assignment) => !this.#held.has(assignment))
      .map((assignment) => ({ assignment, why: this.#whyNot(assignment) }));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    // Nothing is open.
  }

  #assignments(): string[] {
    return [...STANDING_ASSIGNMENTS, ...this.#plan.keys()];
  }

  #whyNot(assignment: string): string {
    return this.#fenced.has(assignment) ? "another process took it over" : "it is about to be started again";
  }

  #reconcile(): void {
    const assignments = new Set(this.#assignments());
    for (const [assignment, held] of this.#held) {
      if (!assignments.has(assignment)) held.abort.abort(new Error("not planned any more"));
    }
    for (const assignment of this.#fenced) if (!assignments.has(assignment)) this.#fenced.delete(assignment);
    for (const assignment of assignments)
      if (!this.#held.has(assignment) && !this.#fenced.has(assignment)) this.#start(assignment);
  }

  #start(assignment: string): void {
    if (this.#running === undefined || this.#running.signal.aborted) return;
    const { holder } = this.#running;
    const since = new Date(this.#clock.now()).toISOString();
    const held: Held = { abort: new AbortController(), since, done: Promise.resolve() };
    this.#held.set(assignment, held);
    this.#metrics.assignmentsHeld.set(this.#held.size);
    held.done = this.#hold(assignment, held, holder);
  }

  async #hold(assignment: string, { abort }: Held, holder: AssignmentHolder): Promise<void> {
    let ending: Ending | "failed" = "failed";
    try {
      ending = await holder.perform(assignment, abort.signal);
    } catch (error) {
      if (!abort.signal.aborted) {
        this.#logger.error({ err: error, assignment }, "assignment failed; restarting it");
      }
    }
    this.#held.delete(assignment);
    this.#metrics.assignmentsHeld.set(this.#held.size);
    if (ending === "fenced") this.#giveUp(assignment);
    if (ending === "drained" && this.#plan.get(assignment) !== "perform") return;
    // At once it would be a race without end; what was stopped is begun again only where the plan has it back.
    if (ending !== "stopped") await this.#rest();
    this.#reconcile();
  }

  async #rest(): Promise<void> {
    const signal = this.#running?.signal;
    if (signal !== undefined) await this.#clock.sleep(this.#restMs, signal);
  }

  /** Claiming it back would be claimed back in turn, without end: whoever started the other one wanted it so. */
  #giveUp(assignment: string): void {
    this.#fenced.add(assignment);
    const { what, ...facts } = lossOf(assignment);
    const hint =
      "Stop one of the two, or start both with --workers redis. This one takes it up again after its next start";
    this.#logger.error({ ...facts, hint }, `another process writes this feed and took over ${what}`);
  }
}

/** What another process has now, for the log. */
function lossOf(assignment: string): { what: string; scope?: string; destination?: string } {
  if (assignment === ALERTS) return { what: "the alerts; no longer making any here" };
  const destination = deliveryOf(assignment);
  return destination === undefined
    ? { scope: assignment, what: "the scope; no longer watching it here" }
    : { destination, what: `the destination ${destination}; no longer delivering to it here` };
}
