import { Counter, Gauge, type Registry } from "prom-client";
import { KeptHistogram, type KeptDurations } from "./kept-histogram.ts";

/** Prometheus itself calls what it scrapes `job`. */
type JobLabel = "namespace" | "job_name";
type GroupLabel = JobLabel | "group";
type NodeLabel = "node" | "name";

/** Values of one metric, each with its labels. */
type Series<Label extends string> = Iterable<readonly [Readonly<Record<Label, string>>, number]>;

/** What was counted of jobs, groups and nodes, one member a metric. */
export interface JobSeries {
  readonly restarts: Series<GroupLabel>;
  readonly oomKills: Series<GroupLabel>;
  readonly failedAllocations: Series<GroupLabel>;
  readonly reschedules: Series<GroupLabel>;
  readonly blockedSeconds: Series<JobLabel>;
  readonly deployments: Series<JobLabel | "outcome">;
  readonly deploymentSeconds: Iterable<KeptDurations<JobLabel>>;
  readonly lastSuccess: Series<JobLabel>;
  readonly nodeDownSeconds: Series<NodeLabel>;
  readonly nodeDrainSeconds: Series<NodeLabel>;
}

/** Those that are shown: nothing while this process is not the one that counts. */
export interface JobMetrics {
  /** From now on this process counts: `series` is asked at each scrape. */
  show(series: () => JobSeries | undefined): void;
  /** Another process counts, or none. */
  forget(): void;
}

/** Metrics of what is counted elsewhere, for longer than this process lives. */
export function createJobMetrics(registry: Registry): JobMetrics {
  const registers = [registry];
  let source: (() => JobSeries | undefined) | undefined;
  let shown: { readonly series: JobSeries | undefined } | undefined;
  /** The same for all metrics of a scrape, which asks them in one turn. */
  const series = (): JobSeries | undefined => {
    if (shown === undefined) queueMicrotask(() => (shown = undefined));
    shown ??= { series: source?.() };
    return shown.series;
  };
  const group = ["namespace", "job_name", "group"] as const;
  const job = ["namespace", "job_name"] as const;
  const node = ["node", "name"] as const;
  keptCounter(() => series()?.restarts, {
    name: "nomad_changefeed_job_restarts_total",
    help: "Restarts of tasks within their allocation",
    labelNames: group,
    registers,
  });
  keptCounter(() => series()?.oomKills, {
    name: "nomad_changefeed_job_oom_kills_total",
    help: "Times that an allocation was seen with a task newly killed for lack of memory",
    labelNames: group,
    registers,
  });
  keptCounter(() => series()?.failedAllocations, {
    name: "nomad_changefeed_job_failed_allocations_total",
    help: "Allocations that failed",
    labelNames: group,
    registers,
  });
  keptCounter(() => series()?.reschedules, {
    name: "nomad_changefeed_job_reschedules_total",
    help: "Allocations that failed and were replaced by another",
    labelNames: group,
    registers,
  });
  keptCounter(() => series()?.blockedSeconds, {
    name: "nomad_changefeed_job_blocked_seconds_total",
    help: "Seconds in which an evaluation was blocked, as allocations found no place; of two at once, of both",
    labelNames: job,
    registers,
  });
  keptCounter(() => series()?.deployments, {
    name: "nomad_changefeed_job_deployments_total",
    help: "Deployments that ended, by outcome: successful, failed, cancelled",
    labelNames: [...job, "outcome"],
    registers,
  });
  const durations = new KeptHistogram(() => series()?.deploymentSeconds ?? [], {
    name: "nomad_changefeed_job_deployment_duration_seconds",
    help: "Seconds from the first sight of a deployment to its end, whatever its outcome",
    labelNames: job,
    registers: [],
  });
  registry.registerMetric(durations);
  const lastSuccess = new Gauge({
    name: "nomad_changefeed_job_last_success_timestamp_seconds",
    help: "Unix time at which an allocation of a batch, sysbatch, periodic or parameterized job completed last; 0: none did yet",
    labelNames: job,
    registers: [],
    collect() {
      this.reset();
      for (const [labels, value] of series()?.lastSuccess ?? []) this.set(labels, value);
    },
  });
  registry.registerMetric(lastSuccess);
  keptCounter(() => series()?.nodeDownSeconds, {
    name: "nomad_changefeed_node_down_seconds_total",
    help: "Seconds in which the node was down or disconnected",
    labelNames: node,
    registers,
  });
  keptCounter(() => series()?.nodeDrainSeconds, {
    name: "nomad_changefeed_node_drain_seconds_total",
    help: "Seconds in which the node was drained",
    labelNames: node,
    registers,
  });
  return {
    show: (read) => {
      source = read;
    },
    forget: () => {
      source = undefined;
    },
  };
}

interface Description<Label extends string> {
  readonly name: string;
  readonly help: string;
  readonly labelNames: readonly Label[];
  readonly registers: Registry[];
}

function keptCounter<Label extends string>(
  series: () => Series<Label> | undefined,
  description: Description<Label>,
): Counter<Label> {
  return new Counter({
    ...description,
    collect() {
      this.reset();
      for (const [labels, value] of series() ?? []) this.inc(labels, value);
    },
  });
}
