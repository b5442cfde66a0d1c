import type {
  AssignmentHolder,
  AssignmentPlan,
  AssignmentReport,
  Coordination,
  Ending,
} from "../coordination/coordination.ts";
import { ALERTS, deliveryOf, isConfigured } from "../schemas/assignment-schema.ts";
import type { Clock } from "../shared/clock.ts";
import type { Logger } from "../telemetry/logger.ts";

/** What does the work that the configuration asks for: see `Deliveries`, `Alerting`. */
interface ConfiguredHolder {
  /** Names of the assignments that the configuration asks for: "deliver/<name>", or "alerts". */
  assignments(): readonly string[];
  perform(assignment: string, signal: AbortSignal): Promise<Ending>;
  describe(assignment: string): AssignmentReport;
}

interface AssignmentsDeps {
  readonly pollers: AssignmentHolder;
  readonly deliveries: ConfiguredHolder;
  readonly alerts: ConfiguredHolder;
  readonly announce: Coordination["announce"];
  readonly logger: Logger;
  readonly clock: Clock;
}

/** A plan that was lost, or could not be announced, is announced again so often. */
const ANNOUNCE_EVERY_MS = 5_000;
/** Workers are not configured anew, nor started, at the same moment. */
const UNPLANNED_MS = 30_000;

/**
 * What a process of the feed can do: the pollers' assignments, delivering to each destination of its configuration, and
 * alerts. Who plans announces all: while Nomad cannot be reached, what is configured and the scopes that were planned
 * before.
 */
export class Assignments implements AssignmentHolder {
  readonly #deps: AssignmentsDeps;
  /** The plan in force, whoever made it. */
  #plan: AssignmentPlan = new Map();
  /** What the planner here said last of scopes; undefined while it has not. */
  #scopes: AssignmentPlan | undefined;
  #wake = new AbortController();
  #announced: Promise<void> = Promise.resolve();
  /** Planned destinations that the configuration does not have, and that was said. */
  #foreign: ReadonlySet<string> = new Set();
  /** Destinations of the configuration that are not planned, since when, and whether that was said. */
  readonly #unplanned = new Map<string, { readonly sinceMs: number; said: boolean }>();

  constructor(deps: AssignmentsDeps) {
    this.#deps = deps;
  }

  canPerform(assignment: string): boolean {
    const configured = this.#configuredHolder(assignment);
    return configured === undefined
      ? this.#deps.pollers.canPerform(assignment)
      : configured.assignments().includes(assignment);
  }

  async perform(assignment: string, signal: AbortSignal): Promise<Ending> {
    const { pollers } = this.#deps;
    const configured = this.#configuredHolder(assignment);
    if (configured !== undefined) return configured.perform(assignment, signal);
    if (assignment !== "plan") return pollers.perform(assignment, signal);
    this.#scopes = undefined;
    const end = new AbortController();
    const announcing = this.#keepAnnouncing(AbortSignal.any([signal, end.signal]));
    try {
      return await pollers.perform(assignment, signal);
    } finally {
      end.abort(new Error("nobody plans here any more"));
      await announcing;
    }
  }

  follow(plan: AssignmentPlan): void {
    this.#plan = plan;
    this.#sayWhatIsForeign();
    this.#sayWhatIsUnplanned();
    const scopes = scopesOf(plan);
    // A plan without scopes is one that was made before anybody knew which there are.
    if (scopes.size > 0 || this.#scopes !== undefined) this.#deps.pollers.follow(scopes);
  }

  describe(assignment: string): AssignmentReport {
    return (this.#configuredHolder(assignment) ?? this.#deps.pollers).describe(assignment);
  }

  #configuredHolder(assignment: string): ConfiguredHolder | undefined {
    if (assignment === ALERTS) return this.#deps.alerts;
    return deliveryOf(assignment) === undefined ? undefined : this.#deps.deliveries;
  }

  /** Tells everybody which scopes there are to watch, and what is configured. */
  announceScopes(scopes: AssignmentPlan): Promise<void> {
    this.#scopes = scopes;
    return this.#announce();
  }

  /** The configuration has other destinations: where this process plans, so does the plan. */
  reconfigured(): void {
    this.#wake.abort(new Error("there are other destinations"));
  }

  async #keepAnnouncing(signal: AbortSignal): Promise<void> {
    const { logger, clock } = this.#deps;
    while (!signal.aborted) {
      this.#wake = new AbortController();
      await this.#announce().catch((error: unknown) =>
        // While the log is away, the scopes that have something to write say so.
        logger.debug({ err: error }, "cannot announce which destinations there are; retrying"),
      );
      await clock.sleep(ANNOUNCE_EVERY_MS, AbortSignal.any([signal, this.#wake.signal]));
    }
  }

  /** One after another: whoever announces first begins its term as planner. */
  #announce(): Promise<void> {
    const announced = this.#announced.then(() => {
      const plan = this.#whole();
      return plan.size > 0 || this.#scopes !== undefined ? this.#deps.announce(plan) : undefined;
    });
    this.#announced = announced.catch(() => undefined);
    return announced;
  }

  #whole(): AssignmentPlan {
    const { deliveries, alerts } = this.#deps;
    return new Map([
      ...(this.#scopes ?? scopesOf(this.#plan)),
      ...[...deliveries.assignments(), ...alerts.assignments()].map(
        (assignment) => [assignment, "perform"] as const,
      ),
    ]);
  }

  #sayWhatIsForeign(): void {
    const foreign = [...this.#plan.keys()].filter(
      (assignment) => deliveryOf(assignment) !== undefined && !this.canPerform(assignment),
    );
    for (const assignment of foreign) {
      if (this.#foreign.has(assignment)) continue;
      const destination = deliveryOf(assignment);
      this.#deps.logger.warn(
        { destination, hint: "Give all workers of a feed the same destinations" },
        `destination ${destination} is not in this worker's configuration; it is left to the other workers`,
      );
    }
    this.#foreign = new Set(foreign);
  }

  /** Whoever plans has another configuration, in which they are not. */
  #sayWhatIsUnplanned(): void {
    const { deliveries, clock, logger } = this.#deps;
    const unplanned = new Set(deliveries.assignments().filter((assignment) => !this.#plan.has(assignment)));
    for (const assignment of this.#unplanned.keys())
      if (!unplanned.has(assignment)) this.#unplanned.delete(assignment);
    for (const assignment of unplanned) {
      const known = this.#unplanned.get(assignment) ?? { sinceMs: clock.elapsed(), said: false };
      this.#unplanned.set(assignment, known);
      if (known.said || clock.elapsed() - known.sinceMs < UNPLANNED_MS) continue;
      known.said = true;
      const destination = deliveryOf(assignment);
      logger.error(
        { destination, hint: "Give all workers of a feed the same destinations" },
        `nobody delivers to ${destination}: it is not in the configuration of the worker that plans`,
      );
    }
  }
}

function scopesOf(plan: AssignmentPlan): AssignmentPlan {
  return new Map([...plan].filter(([assignment]) => !isConfigured(assignment)));
}
