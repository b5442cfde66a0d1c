import type { Config } from "../config/config.ts";
import type { Coordination } from "../coordination/coordination.ts";
import { keepWithin } from "../feed/retention.ts";
import type { Enricher } from "../pollers/enrichment/enricher.ts";
import { FrameRecorder } from "../pollers/hints/frame-recorder.ts";
import { PollerAssignments } from "../pollers/poller-assignments.ts";
import { Assignments } from "./assignments.ts";
import { maxScopesOf } from "./connection-budget.ts";
import type { OpenBridge } from "./open.ts";
import type { Parts } from "./parts.ts";
import type { Publishers } from "./publishers.ts";

const PACE = { perSecond: 50, burst: 100 };
const STALE_AFTER_MS = 30_000;
const CHECKPOINT_EVERY_MS = 60_000;

interface PollersDeps extends OpenBridge {
  /** Resolves once the log's own Nomad answers. */
  readonly nomadReady: Promise<void>;
  readonly recordFrame: ((line: Buffer) => void) | undefined;
  readonly enricher: Enricher | undefined;
}

/** What this process can do of the feed's work, and the part of it that reads from Nomad. */
export function assignmentsOf(
  config: Config,
  { alerting, ...deps }: PollersDeps & Publishers,
): { assignments: Assignments; pollers: PollerAssignments } {
  const { deliveries, loggers, clock, coordination } = deps;
  const pollers = pollersOf(config, deps, (plan) => assignments.announceScopes(plan));
  const assignments = new Assignments({
    pollers,
    deliveries,
    alerts: alerting,
    announce: (plan) => coordination.announce(plan),
    logger: loggers.coordination,
    clock,
  });
  return { assignments, pollers };
}

function pollersOf(
  config: Config,
  deps: PollersDeps & Pick<Publishers, "deliveries">,
  announce: Coordination["announce"],
): PollerAssignments {
  const { loggers, source, worker, coordination } = deps;
  return new PollerAssignments(
    {
      ...deps,
      logger: loggers.pollers,
      announce,
      broadcast: coordination.broadcast,
      trim: (signal) => trim(config, deps, signal),
    },
    {
      source,
      owner: worker,
      resources: config.resources,
      namespaces: config.namespaces === "*" ? null : config.namespaces,
      maxScopes: maxScopesOf(config.maxConnections),
      waitMs: config.waitMs,
      consistency: config.nomad.consistency,
      baseline: config.baseline,
      maxEventBytes: config.maxEventBytes,
      reading: config.reading,
      pollEveryMs: config.pollEveryMs,
      fullEveryMs: config.fullEveryMs,
      staleAfterMs: STALE_AFTER_MS,
      checkpointEveryMs: CHECKPOINT_EVERY_MS,
      pace: PACE,
    },
  );
}

function trim(
  { retention, retentionAfter }: Config,
  { log, deliveries, loggers, metrics, clock }: OpenBridge & Pick<Publishers, "deliveries">,
  signal: AbortSignal,
): Promise<void> {
  const after =
    retentionAfter === undefined
      ? undefined
      : { name: retentionAfter, through: () => deliveries.through(retentionAfter) };
  return keepWithin(log, retention, { logger: loggers.feed, metrics, clock, signal, after });
}

/** What writes Nomad's event stream to a file, where that is configured. */
export function frameRecorderOf(
  { recordFrames }: Config,
  { loggers, metrics, clock }: OpenBridge,
  parts: Parts,
): PollersDeps["recordFrame"] {
  if (recordFrames === undefined) return undefined;
  const recorder = parts.use(new FrameRecorder(recordFrames, { logger: loggers.pollers, metrics, clock }));
  return (line) => recorder.record(line);
}
