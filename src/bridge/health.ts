import type { LivenessReport, ReadinessReport } from "../http/health.ts";
import type { Coordination } from "../coordination/coordination.ts";
import type { Clock } from "../shared/clock.ts";
import type { ScopeReport } from "../pollers/poller.ts";
import type { PollerAssignments } from "../pollers/poller-assignments.ts";
import { isConfigured } from "../schemas/assignment-schema.ts";
import { isCore } from "../schemas/resources.ts";
import { scopeName } from "../schemas/scope.ts";

const CHECK_EVERY_MS = 50;

/** What Nomad does not have, or beyond the core does not let the token read, nobody waits for. */
function isForgone({ scope, condition }: ScopeReport): boolean {
  return condition === "unsupported" || (condition === "access-lost" && !isCore(scope.resource));
}

interface HealthDeps {
  readonly pollers: PollerAssignments;
  readonly coordination: Coordination;
  readonly clock: Clock;
}

/** What the pollers' reports mean to a load balancer, an orchestrator and a waiting test. */
export class Health {
  readonly #deps: HealthDeps;

  constructor(deps: HealthDeps) {
    this.#deps = deps;
  }

  /**
   * Ready: it is known which scopes there are, and every one that can be watched here has its baseline. How deliveries
   * and alerts go is nothing to whoever reads from this process.
   */
  readiness(): ReadinessReport {
    const { pollers, coordination } = this.#deps;
    const waiting = pollers.supervisor
      .reports()
      .filter((report) => !report.baselined && !isForgone(report))
      .map((report) => ({
        scope: scopeName(report.scope),
        why: report.reason ?? "its first list was not read yet",
      }));
    const owed = coordination.owed().filter(({ assignment }) => !isConfigured(assignment));
    waiting.push(...owed.map(({ assignment, why }) => ({ scope: assignment, why })));
    waiting.push(...pollers.waitingForPlan());
    return { ready: waiting.length === 0, waiting };
  }

  /**
   * Alive: no loop stands still for longer than any wait of it could explain, and none starts over again and again for
   * a reason that another start of the process may cure and time does not.
   */
  liveness(): LivenessReport {
    const { supervisor } = this.#deps.pollers;
    const now = this.#deps.clock.elapsed();
    const reports = supervisor.reports();
    const stuck = reports
      .filter((report) => now - report.lastMoveAtMs > supervisor.stuckAfterMs)
      .map((report) => scopeName(report.scope));
    const broken = reports.filter((report) => report.broken).map((report) => scopeName(report.scope));
    return {
      alive: stuck.length === 0 && broken.length === 0,
      details: { scopes: reports.length, stuck, broken },
    };
  }

  /** Resolves when ready; rejects with the signal's reason when it aborts before. */
  async whenReady(signal: AbortSignal): Promise<void> {
    while (!this.readiness().ready) {
      await this.#deps.clock.sleep(CHECK_EVERY_MS, signal);
      signal.throwIfAborted();
    }
  }
}
