import type { JobSeries } from "../../telemetry/job-metrics.ts";
import type { Metrics } from "../../telemetry/metrics.ts";
import type { View } from "./firing.ts";

export type AlertMetrics = Pick<Metrics, "alertsFiring" | "alertsLag" | "alertsLooked" | "jobs">;

/** How alerts stand, as metrics show it; rules of which none fires are there with 0. */
export class AlertGauges {
  readonly #metrics: AlertMetrics;
  #rules: readonly { readonly name: string; readonly severity: string }[] = [];

  constructor(metrics: AlertMetrics) {
    this.#metrics = metrics;
  }

  configure(rules: readonly { readonly name: string; readonly severity: string }[]): void {
    this.#rules = rules;
  }

  show({ open }: View, lookedAtMs: number): void {
    const { alertsFiring, alertsLooked } = this.#metrics;
    alertsFiring.reset();
    for (const { name: rule, severity } of this.#rules) alertsFiring.set({ rule, severity }, 0);
    for (const { rule, severity, state } of open)
      if (state === "firing") alertsFiring.inc({ rule, severity });
    alertsLooked.set(lookedAtMs / 1000);
  }

  /** What is counted of jobs is asked for whenever somebody wants to see it. */
  count(jobs: () => JobSeries | undefined): void {
    this.#metrics.jobs.show(jobs);
  }

  /** Undefined: not known. */
  lag(events: number | undefined): void {
    if (events !== undefined) this.#metrics.alertsLag.set(events);
  }

  /** Somebody else looks now, or nobody. */
  forget(): void {
    this.#metrics.alertsFiring.reset();
    this.#metrics.alertsLag.set(0);
    this.#metrics.alertsLooked.set(0);
    this.#metrics.jobs.forget();
  }
}
