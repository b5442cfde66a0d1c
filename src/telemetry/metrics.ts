import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from "prom-client";
import { createJobMetrics } from "./job-metrics.ts";
import { SeriesCounter, SeriesHistogram } from "./series.ts";

export type Metrics = ReturnType<typeof createMetrics>;

/** Gauges of the library that are named as counters; each says what its neighbour without the ending says by type. */
const MISNAMED = [
  "nodejs_active_handles_total",
  "nodejs_active_requests_total",
  "nodejs_active_resources_total",
];

/** Metrics of the process itself: where it serves several feeds, the registry of each has the same. */
const OF_PROCESS = /^(?:process|nodejs)_|^nomad_changefeed_(?:build_info|otlp)(?:_|$)/;

export function isOfProcess(name: string): boolean {
  return OF_PROCESS.test(name);
}

/**
 * Every metric of ours: names, units and descriptions live here and nowhere else. Those of the process and of Node have
 * the names that all programs give them.
 */
export function createMetrics({ version = "unknown" } = {}) {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  for (const name of MISNAMED) registry.removeSingleMetric(name);
  const registers = [registry];
  new Gauge({
    name: "nomad_changefeed_build_info",
    help: "Always 1; the label has the version that runs",
    labelNames: ["version"] as const,
    registers,
  }).set({ version }, 1);
  const scope = ["resource", "namespace"] as const;
  return {
    registry,
    polls: new Counter({
      name: "nomad_changefeed_polls_total",
      help: "Answered polls of Nomad lists, by outcome: changed, unchanged, implausible, failed, ended-early",
      labelNames: ["resource", "outcome"] as const,
      registers,
    }),
    canonicalPasses: new Counter({
      name: "nomad_changefeed_canonical_passes_total",
      help: "Comparisons of a whole list with what the feed has told of it: the backstop, every few minutes",
      labelNames: ["resource"] as const,
      registers,
    }),
    pollSeconds: new Histogram({
      name: "nomad_changefeed_poll_process_seconds",
      help: "Seconds from a whole list body to its committed diff",
      labelNames: ["resource"] as const,
      buckets: [0.001, 0.005, 0.02, 0.1, 0.5, 2, 10, 60],
      registers,
    }),
    pollBytes: new Counter({
      name: "nomad_changefeed_poll_bytes_total",
      help: "Bytes of list bodies read from Nomad, decompressed",
      labelNames: ["resource"] as const,
      registers,
    }),
    nomadErrors: new Counter({
      name: "nomad_changefeed_nomad_errors_total",
      help: "Failed requests to Nomad, by error code",
      labelNames: ["code"] as const,
      registers,
    }),
    scopesByReading: new Gauge({
      name: "nomad_changefeed_scopes_by_reading",
      help: "Scopes watched here that are read in whole lists, or by hints of Nomad's event stream",
      labelNames: ["reading"] as const,
      registers,
    }),
    fullLists: new Counter({
      name: "nomad_changefeed_full_lists_total",
      help: "Whole lists of scopes that are read by hints: for a write that no hint explains, for doubt in what was read or heard, or because it was time",
      labelNames: ["resource", "cause"] as const,
      registers,
    }),
    hintStreamLive: new Gauge({
      name: "nomad_changefeed_hint_stream_live",
      help: "1 while Nomad's event stream of the namespace, * for all, is followed; else whole lists are read",
      labelNames: ["namespace"] as const,
      registers,
    }),
    hintFrames: new Counter({
      name: "nomad_changefeed_hint_frames_total",
      help: "Frames of Nomad's event stream, one a raft entry, repeated ones included",
      registers,
    }),
    hints: new Counter({
      name: "nomad_changefeed_hints_total",
      help: "Objects that the event stream named as changed, by resource, watched or not",
      labelNames: ["resource"] as const,
      registers,
    }),
    hintLosses: new Counter({
      name: "nomad_changefeed_hint_losses_total",
      help: "Times that frames of the event stream may have been missed: whole lists are read once then",
      registers,
    }),
    hintFramesUnrecorded: new Counter({
      name: "nomad_changefeed_hint_frames_unrecorded_total",
      help: "Frames of the event stream that --record-frames should have written and could not",
      registers,
    }),
    enrichments: new Counter({
      name: "nomad_changefeed_enrichments_total",
      help: "What --enrich was to find out about changes, and how that went: found, unknown (Nomad does not say), failed, skipped (too many, or too slow)",
      labelNames: ["what", "outcome"] as const,
      registers,
    }),
    frameTapLive: new Gauge({
      name: "nomad_changefeed_compat_recording",
      help: "1 while frames of Nomad's event stream are recorded for --compat; 0 while they are not, and asked of Nomad itself",
      registers,
    }),
    framesRecorded: new Counter({
      name: "nomad_changefeed_compat_frames_total",
      help: "Frames of Nomad's event stream that were recorded for --compat",
      registers,
    }),
    frameGaps: new Counter({
      name: "nomad_changefeed_compat_gaps_total",
      help: "Times that frames may have been missed by the record: Nomad keeps few, in memory",
      registers,
    }),
    compatSubscribers: new Gauge({
      name: "nomad_changefeed_compat_subscribers",
      help: "Clients of Nomad's event stream that are served from the record",
      registers,
    }),
    compatGaps: new Counter({
      name: "nomad_changefeed_compat_clients_missing_total",
      help: "Clients of Nomad's event stream that asked for frames which are not in the record",
      registers,
    }),
    hintReconnects: new Counter({
      name: "nomad_changefeed_hint_reconnects_total",
      help: "Subscriptions to the event stream beyond the first: after a break, or for a new namespace",
      registers,
    }),
    events: new Counter({
      name: "nomad_changefeed_events_total",
      help: "Events committed to the log, by CloudEvents type",
      labelNames: ["type"] as const,
      registers,
    }),
    scopeIndex: new Gauge({
      name: "nomad_changefeed_scope_index",
      help: "Raft index of the scope's last committed poll",
      labelNames: scope,
      registers,
    }),
    scopeObjects: new Gauge({
      name: "nomad_changefeed_scope_objects",
      help: "Objects in the scope's snapshot",
      labelNames: scope,
      registers,
    }),
    scopeLastOk: new Gauge({
      name: "nomad_changefeed_scope_last_ok_timestamp_seconds",
      help: "Unix time of the scope's last accepted poll",
      labelNames: scope,
      registers,
    }),
    scopeStale: new Gauge({
      name: "nomad_changefeed_scope_stale",
      help: "1 while the scope cannot be read or is not trusted",
      labelNames: scope,
      registers,
    }),
    logSequence: new Gauge({
      name: "nomad_changefeed_log_sequence",
      help: "Sequence of the newest event",
      registers,
    }),
    logFloor: new Gauge({
      name: "nomad_changefeed_log_floor",
      help: "Sequence of the newest event removed by retention",
      registers,
    }),
    logBytes: new Gauge({
      name: "nomad_changefeed_log_bytes",
      help: "Bytes of the events that the log holds: what --retention-bytes bounds",
      registers,
    }),
    retentionWaiting: new Gauge({
      name: "nomad_changefeed_retention_waiting",
      help: "1 while the log is beyond its limits because the destination of --retention-after has not got its oldest events",
      registers,
    }),
    retentionOvertaken: new Counter({
      name: "nomad_changefeed_retention_overtaken_events_total",
      help: "Events that retention removed before the destination of --retention-after had them: the log was at twice its limits",
      registers,
    }),
    consumerLag: new Gauge({
      name: "nomad_changefeed_consumer_lag_events",
      help: "Events in the log that a named consumer has not acknowledged, filtered or not",
      labelNames: ["consumer"] as const,
      registers,
    }),
    commitSeconds: new Histogram({
      name: "nomad_changefeed_commit_seconds",
      help: "Seconds of one commit to the log",
      buckets: [0.0005, 0.002, 0.01, 0.05, 0.25, 1, 5],
      registers,
    }),
    backlogBytes: new Gauge({
      name: "nomad_changefeed_backlog_bytes",
      help: "Bytes of lists that were read from Nomad and whose changes are not in the log yet",
      registers,
    }),
    backlogLists: new Gauge({
      name: "nomad_changefeed_backlog_lists",
      help: "Lists that were read from Nomad and whose changes are not in the log yet: at most one a scope",
      registers,
    }),
    commitBytes: new Gauge({
      name: "nomad_changefeed_commit_bytes",
      help: "Bytes of events and state that the log was given and has not answered: at most 512 KiB a scope, or one object",
      registers,
    }),
    ringBytes: new Gauge({
      name: "nomad_changefeed_ring_bytes",
      help: "Bytes of the newest events, and of their frames, that are held for all subscribers: at most 16 MiB",
      registers,
    }),
    ringEvents: new Gauge({
      name: "nomad_changefeed_ring_events",
      help: "Newest events that are held for all subscribers: at most 8192",
      registers,
    }),
    subscribers: new Gauge({
      name: "nomad_changefeed_subscribers",
      help: "Open subscriptions, by format",
      labelNames: ["format"] as const,
      registers,
    }),
    deliveries: new Counter({
      name: "nomad_changefeed_deliveries_total",
      help: "Events written to subscribers, by format",
      labelNames: ["format"] as const,
      registers,
    }),
    subscriberLag: new Gauge({
      name: "nomad_changefeed_subscriber_lag_events",
      help: "Events from the slowest open subscription to the end of the log, filtered or not, by format",
      labelNames: ["format"] as const,
      registers,
    }),
    destinationEvents: new SeriesCounter({
      name: "nomad_changefeed_destination_events_total",
      help: "Events that a destination is done with, by outcome: delivered, parked (a dead letter), too-old (it takes none that old), unparked (a notice that it refused: in the log lines only); of alerts, messages that it took, or refused for good",
      labelNames: ["destination", "outcome"] as const,
      registers,
    }),
    destinationAttempts: new SeriesCounter({
      name: "nomad_changefeed_destination_attempts_total",
      help: "Sends to a destination, by outcome: ok, retry, refused",
      labelNames: ["destination", "outcome"] as const,
      registers,
    }),
    destinationRetries: new Counter({
      name: "nomad_changefeed_destination_retries_total",
      help: "Events that were to be sent once more",
      labelNames: ["destination"] as const,
      registers,
    }),
    destinationLagEvents: new Gauge({
      name: "nomad_changefeed_destination_lag_events",
      help: "Events in the log after the destination's position, wanted or not",
      labelNames: ["destination"] as const,
      registers,
    }),
    destinationLagSeconds: new Gauge({
      name: "nomad_changefeed_destination_lag_seconds",
      help: "Age of the oldest event that is yet to be delivered; 0 where there is none. Of alerts, for how long the first message that waits could have been told",
      labelNames: ["destination"] as const,
      registers,
    }),
    destinationCircuitOpen: new Gauge({
      name: "nomad_changefeed_destination_circuit_open",
      help: "1 while the destination takes nothing and is asked only now and then",
      labelNames: ["destination"] as const,
      registers,
    }),
    destinationPaused: new Gauge({
      name: "nomad_changefeed_destination_paused",
      help: "1 while people have paused the destination",
      labelNames: ["destination"] as const,
      registers,
    }),
    destinationPending: new Gauge({
      name: "nomad_changefeed_destination_pending_bytes",
      help: "Bytes of events that were read for the destination and are not dealt with: at most 4 MiB, or two batches, and what is read at once",
      labelNames: ["destination"] as const,
      registers,
    }),
    destinationGaps: new Counter({
      name: "nomad_changefeed_destination_gaps_total",
      help: "Times that events were gone from the log before the destination had them, by reason: expired, missing, epoch-changed",
      labelNames: ["destination", "reason"] as const,
      registers,
    }),
    destinationSeconds: new SeriesHistogram({
      name: "nomad_changefeed_destination_seconds",
      help: "Seconds that an event took, in three parts: recorded-picked (until it was read for the destination), picked-sent (until its last send began), sent-answered",
      labelNames: ["destination", "part"] as const,
      buckets: [0.001, 0.005, 0.02, 0.1, 0.5, 2, 10, 60, 600],
      registers,
    }),
    alertsFiring: new Gauge({
      name: "nomad_changefeed_alerts_firing",
      help: "Alerts that fire, by rule and severity, at the worker that looks after alerts",
      labelNames: ["rule", "severity"] as const,
      registers,
    }),
    alertsLag: new Gauge({
      name: "nomad_changefeed_alerts_lag_events",
      help: "Events in the log that alerts have not been made of yet, at the worker that looks after alerts",
      registers,
    }),
    alertsLooked: new Gauge({
      name: "nomad_changefeed_alerts_last_look_timestamp_seconds",
      help: "Unix time at which alerts were looked at last, at the worker that looks after them",
      registers,
    }),
    jobs: createJobMetrics(registry),
    refusals: new Counter({
      name: "nomad_changefeed_refusals_total",
      help: "Requests that were refused, by error code: UNAUTHORIZED, FORBIDDEN, LIMIT, …",
      labelNames: ["code"] as const,
      registers,
    }),
    subscriptionsEnded: new Counter({
      name: "nomad_changefeed_subscriptions_ended_total",
      help: "Ended subscriptions, by format and reason",
      labelNames: ["format", "reason"] as const,
      registers,
    }),
    assignmentsHeld: new Gauge({
      name: "nomad_changefeed_assignments_held",
      help: "Assignments that this worker holds: scopes it polls, destinations it delivers to, planning, trimming",
      registers,
    }),
    workersAlive: new Gauge({
      name: "nomad_changefeed_workers_alive",
      help: "Workers that share this feed and were heard of lately, this one included, as this one knew last; 1 without --workers redis",
      registers,
    }),
    takeovers: new Counter({
      name: "nomad_changefeed_takeovers_total",
      help: "Assignments that this worker took over from one that died or fell silent; not those that were handed over",
      registers,
    }),
    otlpSpans: new Counter({
      name: "nomad_changefeed_otlp_spans_total",
      help: "Spans of traces by OTLP, by outcome: sent, dropped (the receiver is away, or refuses them)",
      labelNames: ["outcome"] as const,
      registers,
    }),
    otlpFailures: new Counter({
      name: "nomad_changefeed_otlp_failed_exports_total",
      help: "Requests by OTLP that were not taken, by signal: traces, metrics",
      labelNames: ["signal"] as const,
      registers,
    }),
    redisReconnects: new Counter({
      name: "nomad_changefeed_redis_reconnects_total",
      help: "Connections to Redis that were lost and are back; a worker has up to five",
      registers,
    }),
  };
}
