/** A question that people ask of the metrics of jobs. */
export interface MetricExample {
  readonly what: string;
  readonly query: string;
  /** Series as promtool takes them, one value a minute for two hours, and the jobs that the query then finds. */
  readonly given: Readonly<Record<string, string>>;
  readonly finds: readonly string[];
}

const of = (job: string, rest = "") =>
  `{namespace="default",job_name="${job}",job="feed",instance="a"${rest}}`;
const NAME = "nomad_changefeed_job";

export const METRIC_EXAMPLES: readonly MetricExample[] = [
  {
    what: "Groups whose tasks restart more often than four times an hour",
    query: `sum by (namespace, job_name, group) (increase(${NAME}_restarts_total[1h])) > 4`,
    given: {
      [`${NAME}_restarts_total${of("often")}`]: "0+1x120",
      [`${NAME}_restarts_total${of("once")}`]: "0x90 1x30",
    },
    finds: ["often"],
  },
  {
    what: "Groups of which a task was killed for lack of memory in the last hour",
    query: `sum by (namespace, job_name, group) (increase(${NAME}_oom_kills_total[1h])) > 0`,
    given: {
      [`${NAME}_oom_kills_total${of("killed")}`]: "0x90 1x30",
      [`${NAME}_oom_kills_total${of("killed-before")}`]: "0 1x120",
    },
    finds: ["killed"],
  },
  {
    what: "Batch and periodic jobs that did not complete in the last 24 hours (with `and … > 0`: those that ever did)",
    query: `time() - max by (namespace, job_name) (${NAME}_last_success_timestamp_seconds) > 86400`,
    given: {
      [`${NAME}_last_success_timestamp_seconds${of("overdue")}`]: "-90000x120",
      [`${NAME}_last_success_timestamp_seconds${of("in-time")}`]: "3600x120",
    },
    finds: ["overdue"],
  },
  {
    what: "Jobs of whose deployments more than a fifth failed in the last week",
    query: `sum by (namespace, job_name) (increase(${NAME}_deployments_total{outcome="failed"}[7d])) / sum by (namespace, job_name) (increase(${NAME}_deployments_total[7d])) > 0.2`,
    given: {
      [`${NAME}_deployments_total${of("shaky", ',outcome="failed"')}`]: "0 1x119",
      [`${NAME}_deployments_total${of("shaky", ',outcome="successful"')}`]: "0 2x119",
      [`${NAME}_deployments_total${of("solid", ',outcome="failed"')}`]: "0x120",
      [`${NAME}_deployments_total${of("solid", ',outcome="successful"')}`]: "0 2x119",
    },
    finds: ["shaky"],
  },
  {
    what: "Jobs of which one deployment in ten takes longer than ten minutes",
    query: `histogram_quantile(0.9, sum by (namespace, job_name, le) (increase(${NAME}_deployment_duration_seconds_bucket[7d]))) > 600`,
    given: {
      [`${NAME}_deployment_duration_seconds_bucket${of("slow", ',le="600"')}`]: "0x120",
      [`${NAME}_deployment_duration_seconds_bucket${of("slow", ',le="1200"')}`]: "0 4x119",
      [`${NAME}_deployment_duration_seconds_bucket${of("slow", ',le="+Inf"')}`]: "0 4x119",
      [`${NAME}_deployment_duration_seconds_bucket${of("quick", ',le="600"')}`]: "0 4x119",
      [`${NAME}_deployment_duration_seconds_bucket${of("quick", ',le="1200"')}`]: "0 4x119",
      [`${NAME}_deployment_duration_seconds_bucket${of("quick", ',le="+Inf"')}`]: "0 4x119",
    },
    finds: ["slow"],
  },
  {
    what: "Jobs that waited for room for more than half of the last hour",
    query: `sum by (namespace, job_name) (increase(${NAME}_blocked_seconds_total[1h])) > 1800`,
    given: {
      [`${NAME}_blocked_seconds_total${of("waiting")}`]: "0+60x120",
      [`${NAME}_blocked_seconds_total${of("placed")}`]: "0+60x10 600x110",
    },
    finds: ["waiting"],
  },
  {
    what: "Restarts in the last hour, also those that one worker counted just before another took over",
    query: `increase(max without (instance) (${NAME}_restarts_total)[1h:1m]) > 4`,
    given: {
      [`${NAME}_restarts_total${of("moved")}`]: "0x90 stale",
      [`${NAME}_restarts_total${of("moved").replace('"a"', '"b"')}`]: "_x92 9x27",
    },
    finds: ["moved"],
  },
];
