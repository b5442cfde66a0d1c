import { setTimeout as delay } from "node:timers/promises";
import type { LivenessReport, ReadinessReport } from "../../http/health.ts";
import type { Clock } from "../../pollers/clock.ts";
import type { Supervisor } from "../../pollers/supervisor.ts";
import { scopeName } from "../../schemas/scope.ts";

const LOOK_EVERY_MS = 50;

/** What the pollers' reports mean to a load balancer, an orchestrator and a waiting test. */
export class Health {
  readonly #supervisor: Supervisor;
  readonly #clock: Clock;

  constructor(supervisor: Supervisor, clock: Clock) {
    this.#supervisor = supervisor;
    this.#clock = clock;
  }

  /** Ready: the namespaces are known and every scope has its baseline. */
  readiness(): ReadinessReport {
    const waiting = this.#supervisor
      .reports()
      .filter((report) => !report.baselined)
      .map((report) => ({
        scope: scopeName(report.scope),
        why: report.reason ?? "its first list was not read yet",
      }));
    waiting.push(...this.#supervisor.missing());
    if (this.#supervisor.blind) waiting.push({ scope: "*", why: "the token sees no namespace" });
    if (!this.#supervisor.planned) {
      waiting.push({ scope: "*", why: "Nomad has not said yet which namespaces there are" });
    }
    return { ready: waiting.length === 0, waiting };
  }

  /** Alive: no loop stands still for longer than any wait of it could explain. */
  liveness(): LivenessReport {
    const now = this.#clock.elapsed();
    const stuck = this.#supervisor
      .reports()
      .filter((report) => now - report.lastMoveAtMs > this.#supervisor.stuckAfterMs)
      .map((report) => scopeName(report.scope));
    return { alive: stuck.length === 0, details: { scopes: this.#supervisor.reports().length, stuck } };
  }

  /** Resolves when ready; rejects with the signal's reason when it aborts before. */
  async whenReady(signal: AbortSignal): Promise<void> {
    while (!this.readiness().ready) await delay(LOOK_EVERY_MS, undefined, { signal });
  }
}
