import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from "prom-client";

export type Metrics = ReturnType<typeof createMetrics>;

/** Every metric of the process: names, units and descriptions live here and nowhere else. */
export function createMetrics() {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry, prefix: "ncf_" });
  const registers = [registry];
  const scope = ["resource", "namespace"] as const;
  return {
    registry,
    polls: new Counter({
      name: "ncf_polls_total",
      help: "Answered polls of Nomad lists, by outcome: changed, unchanged, distrusted, failed, ended-early",
      labelNames: ["resource", "outcome"] as const,
      registers,
    }),
    canonicalPasses: new Counter({
      name: "ncf_canonical_passes_total",
      help: "Comparisons of a whole list with what the feed has told of it: the backstop, every few minutes",
      labelNames: ["resource"] as const,
      registers,
    }),
    pollSeconds: new Histogram({
      name: "ncf_poll_process_seconds",
      help: "Seconds from a whole list body to its committed diff",
      labelNames: ["resource"] as const,
      buckets: [0.001, 0.005, 0.02, 0.1, 0.5, 2, 10, 60],
      registers,
    }),
    pollBytes: new Counter({
      name: "ncf_poll_bytes_total",
      help: "Bytes of list bodies read from Nomad, decompressed",
      labelNames: ["resource"] as const,
      registers,
    }),
    nomadErrors: new Counter({
      name: "ncf_nomad_errors_total",
      help: "Failed requests to Nomad, by error code",
      labelNames: ["code"] as const,
      registers,
    }),
    events: new Counter({
      name: "ncf_events_total",
      help: "Events committed to the log, by CloudEvents type",
      labelNames: ["type"] as const,
      registers,
    }),
    scopeIndex: new Gauge({
      name: "ncf_scope_index",
      help: "Raft index of the scope's last committed poll",
      labelNames: scope,
      registers,
    }),
    scopeObjects: new Gauge({
      name: "ncf_scope_objects",
      help: "Objects in the scope's snapshot",
      labelNames: scope,
      registers,
    }),
    scopeLastOk: new Gauge({
      name: "ncf_scope_last_ok_timestamp_seconds",
      help: "Unix time of the scope's last believed poll",
      labelNames: scope,
      registers,
    }),
    scopeStale: new Gauge({
      name: "ncf_scope_stale",
      help: "1 while the scope cannot be read or is not believed",
      labelNames: scope,
      registers,
    }),
    logSequence: new Gauge({
      name: "ncf_log_sequence",
      help: "Sequence of the newest event",
      registers,
    }),
    logFloor: new Gauge({
      name: "ncf_log_floor",
      help: "Sequence of the newest event removed by retention",
      registers,
    }),
    commitSeconds: new Histogram({
      name: "ncf_commit_seconds",
      help: "Seconds of one commit to the log",
      buckets: [0.0005, 0.002, 0.01, 0.05, 0.25, 1, 5],
      registers,
    }),
    backlogBytes: new Gauge({
      name: "ncf_backlog_bytes",
      help: "Bytes of lists that were read from Nomad and whose changes are not in the log yet",
      registers,
    }),
    backlogLists: new Gauge({
      name: "ncf_backlog_lists",
      help: "Lists that were read from Nomad and whose changes are not in the log yet: at most one a scope",
      registers,
    }),
    commitBytes: new Gauge({
      name: "ncf_commit_bytes",
      help: "Bytes of events and state that the log was given and has not answered: at most 512 KiB a scope, or one object",
      registers,
    }),
    ringBytes: new Gauge({
      name: "ncf_ring_bytes",
      help: "Bytes of the newest events, and of their frames, that are held for all subscribers: at most 16 MiB",
      registers,
    }),
    ringEvents: new Gauge({
      name: "ncf_ring_events",
      help: "Newest events that are held for all subscribers: at most 8192",
      registers,
    }),
    subscribers: new Gauge({
      name: "ncf_subscribers",
      help: "Open subscriptions, by format",
      labelNames: ["format"] as const,
      registers,
    }),
    deliveries: new Counter({
      name: "ncf_deliveries_total",
      help: "Events written to subscribers, by format",
      labelNames: ["format"] as const,
      registers,
    }),
    refusals: new Counter({
      name: "ncf_refusals_total",
      help: "Requests that were refused, by error code: UNAUTHORIZED, FORBIDDEN, LIMIT, …",
      labelNames: ["code"] as const,
      registers,
    }),
    subscriptionsEnded: new Counter({
      name: "ncf_subscriptions_ended_total",
      help: "Ended subscriptions, by format and reason",
      labelNames: ["format", "reason"] as const,
      registers,
    }),
  };
}
