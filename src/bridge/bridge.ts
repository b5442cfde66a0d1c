import { randomUUID } from "node:crypto";
import { hostname } from "node:os";
import type { Config } from "../config/config.ts";
import type { Reread } from "../config/reread.ts";
import { secretReader, type SecretReader } from "../config/secrets.ts";
import type { Coordination } from "../coordination/coordination.ts";
import { LocalAssignments } from "../coordination/local/local-assignments.ts";
import { SIGNAL_NAMES } from "../events/signals.ts";
import type { FeedLog } from "../feed/log.ts";
import { keepWithin } from "../feed/retention.ts";
import { createHttpServer, type HttpServer } from "../http/server.ts";
import { openWaitingRoom } from "../http/waiting-room.ts";
import { openAlertDestination } from "../publishers/alert-destinations.ts";
import { pageUrlOf } from "../publishers/page-url.ts";
import { openAlertReplicas } from "../publishers/alert-replicas.ts";
import { Alerting } from "../publishers/alerting/alerting.ts";
import { Silences } from "../publishers/alerting/silences.ts";
import type { Deliveries } from "../publishers/delivery/deliveries.ts";
import type { StandardOutput } from "../publishers/destination-deps.ts";
import { createFanout, type Fanout } from "../publishers/fanout/fanout.ts";
import { createNomadClient, type NomadClient } from "../nomad/client.ts";
import { resolveNomadOptions } from "../nomad/options.ts";
import type { ReloadReport } from "../schemas/reload-schema.ts";
import { systemClock, type Clock } from "../shared/clock.ts";
import { aborted } from "../shared/aborted.ts";
import { endsWithin } from "../shared/ends-within.ts";
import { FrameRecorder } from "../pollers/hints/frame-recorder.ts";
import { redactedLog } from "../publishers/redaction/redacted-log.ts";
import { Redaction } from "../publishers/redaction/redaction.ts";
import { PollerAssignments } from "../pollers/poller-assignments.ts";
import { moduleLoggers, type Logger, type ModuleLoggers } from "../telemetry/logger.ts";
import { createMetrics, type Metrics } from "../telemetry/metrics.ts";
import { Assignments } from "./assignments.ts";
import { maxScopesOf } from "./connection-budget.ts";
import { deliveriesOf, tidyDeliveries } from "./deliveries.ts";
import { Health } from "./health.ts";
import { Reload } from "./reload.ts";
import { openLog, sourceOfLog } from "./log.ts";
import { regionIn, regionOf, rightNomadAnswers, sourceOf } from "./nomad-start.ts";
import { connectionsThatFit } from "./open-files.ts";
import { subscriberAuth, type SubscriberAuth } from "./subscriber-auth.ts";
import type { Waiting } from "./until-it-answers.ts";
import { packageVersion } from "./version.ts";

const HTTP_STOP_MS = 400;
/** How long what is under way may take to end; what waits for a log that does not answer, ends with the log. */
const WORK_STOP_MS = 1_000;

const LOG_AWAITED = "the log cannot be opened yet";

const PACE = { perSecond: 50, burst: 100 };
const STALE_AFTER_MS = 30_000;
const CHECKPOINT_EVERY_MS = 60_000;

/** What whoever creates a bridge hands in. */
export interface BridgeOverrides {
  readonly logger: Logger;
  readonly clock?: Clock;
  /** 0 to 1, for jitter. */
  readonly random?: () => number;
  /** What stands behind the references of destinations. Default: files, and no variables. */
  readonly readSecret?: SecretReader;
  /** Where a destination of that type writes. Default: nobody reads it. */
  readonly stdout?: StandardOutput;
  /** Reads the configuration file again. Absent: there is none. @throws ConfigInvalid */
  readonly reread?: () => Reread;
}

/** A bridge that serves: Nomad in, log in the middle, subscribers out. */
export interface Serving {
  /** Where subscribers connect: `http://127.0.0.1:4650`. */
  readonly url: string;
  /** `nomad://<cluster>/<region>`. */
  readonly source: string;
  readonly log: FeedLog;
  /** Resolves when every scope has its baseline; rejects with the signal's reason. */
  ready(signal?: AbortSignal): Promise<void>;
  /** Applies the configuration file anew, whole or not at all; `by`: who asked. @throws ReloadRefused */
  reload(by: string): ReloadReport;
}

const NOBODY_READS: StandardOutput = {
  write: (_data, done) => done(new Error("this program has none")),
};

export interface Bridge {
  /** Resolves when subscribers can connect; rejects as `run` does, where it ends before. */
  readonly serving: Promise<Serving>;
  /**
   * Opens what it is made of, does its work until `signal` aborts, and closes all of it in order; what was committed
   * stays.
   * Call it once. Answers whether all that was seen is in the log. Without a log that knows its region it waits for
   * Nomad first, alive but not ready; with one, what is in the log is served while Nomad is away.
   * @throws NomadOptionInvalid, TokensFileInvalid, TlsFilesUnusable, LogUnusable, LogInUse, InsecureListen,
   * ListenFailed; the signal's reason when it aborts before the bridge serves.
   */
  run(signal: AbortSignal): Promise<boolean>;
}

/** A bridge as configured; nothing is opened yet. */
export function createBridge(config: Config, overrides: BridgeOverrides): Bridge {
  const serving = Promise.withResolvers<Serving>();
  // `run` rejects with the same; who only runs it need not hear of it twice.
  serving.promise.catch(() => undefined);
  const { logger, ...rest } = overrides;
  const usual = {
    clock: systemClock,
    random: Math.random,
    readSecret: secretReader({}),
    stdout: NOBODY_READS,
    reread: undefined,
  };
  const deps = { ...usual, ...rest, loggers: moduleLoggers(logger) };
  return {
    serving: serving.promise,
    run: (signal) =>
      runBridge(config, deps, { signal, onServing: serving.resolve }).catch((error: unknown) => {
        serving.reject(error);
        throw error;
      }),
  };
}

interface BridgeDeps extends Required<Omit<BridgeOverrides, "logger" | "reread">> {
  readonly reread: BridgeOverrides["reread"];
  readonly loggers: ModuleLoggers;
}

async function runBridge(
  config: Config,
  deps: BridgeDeps,
  { signal, onServing }: { signal: AbortSignal; onServing: (serving: Serving) => void },
): Promise<boolean> {
  const { loggers, clock, random } = deps;
  await using parts = new Parts(loggers.bridge);
  const stop = new AbortController();
  const both = AbortSignal.any([signal, stop.signal]);
  const work: Promise<unknown>[] = [];
  const waiting = { clock, random, signal: both };

  const metrics = createMetrics({ version: packageVersion() });
  const nomad = parts.use(createNomad(config, { logger: loggers.nomad, clock }));
  const auth = parts.use(subscriberAuth(config, { loggers, clock }));
  const waitingRoom = parts.use(await openWaiting(config, { logger: loggers.http, clock, auth }));
  const source = await sourceOfBridge(config, { ...waiting, nomad, loggers, waitingRoom });
  const log = parts.use(await openLog(config, { ...waiting, source, logger: loggers.feed, metrics }));

  const worker = `${hostname()}/${process.pid}/${randomUUID().slice(0, 8)}`;
  const coordination = parts.use(
    await coordinate(config, { worker, metrics, logger: loggers.coordination, clock }),
  );
  // Also where something below fails: what waits for Nomad must not outlive the bridge.
  parts.defer(async () => stop.abort(new Error("the bridge stops")));
  const nomadReady = rightNomadAnswers(config, { ...waiting, nomad, source, logger: loggers.nomad });
  work.push(nomadReady);
  // Heard of below, once everything is there.
  nomadReady.catch(() => undefined);
  const recordFrame = frameRecorder(config, { logger: loggers.pollers, metrics, clock }, parts);
  const redaction = new Redaction(config.redaction);
  const published = redactedLog(log, redaction);
  const fanout = createFanout({ log: published, clock, logger: loggers.http, metrics });
  const made = { published, fanout, nomad, log, metrics, source, worker, coordination };
  const deliveries = deliveriesOf(config, {
    ...deps,
    ...made,
    ...fanout,
    log: published,
    logger: loggers.deliveries,
  });
  const silences = new Silences({ log: published, clock, logger: loggers.alerts });
  const alerting = new Alerting({
    ...made,
    ...fanout,
    clock,
    log: published,
    logger: loggers.alerts,
    random,
    assignments: () => coordination.statuses(),
    open: ({ settings }, shared) =>
      openAlertReplicas(settings, shared, {
        clock,
        logger: loggers.alerts,
        readSecret: deps.readSecret,
        pageUrl: pageUrlOf(config.nomadUiUrl),
      }),
    notify: ({ name, settings }) =>
      openAlertDestination(settings, {
        ...deps,
        name,
        source,
        logger: loggers.alerts,
        pageUrl: pageUrlOf(config.nomadUiUrl),
        todo: (rule) => alerting.rule(rule)?.todo ?? [],
      }),
    silences: () => silences.list(),
  });
  alerting.configure(config);
  const running = { ...deps, ...made, deliveries, alerting, silences, recordFrame, nomadReady };
  const { assignments, pollers } = assignmentsOf(config, running);
  const reload = new Reload(config, {
    logger: loggers.bridge,
    reread: deps.reread,
    redaction,
    ring: fanout.ring,
    deliver: (destinations) => {
      deliveries.configure(destinations);
      assignments.reconfigured();
    },
    alert: (changed) => {
      alerting.configure(changed);
      assignments.reconfigured();
    },
  });
  const health = new Health({ pollers, coordination, clock });
  const server = parts.use(await serverOf(config, { ...running, auth, health, reload }));
  await waitingRoom[Symbol.asyncDispose]();
  const { url } = await serve(server, parts);

  let complete = true;
  parts.defer(async () => {
    stop.abort(new Error("the bridge stops"));
    complete = await endsWithin(WORK_STOP_MS, Promise.allSettled(work), clock);
    if (complete) return;
    loggers.bridge.warn(
      "the log does not answer; the last changes are read from Nomad again at the next start",
    );
  });
  work.push(coordination.run(assignments, both), pollers.supervisor.run(both));
  work.push(tidyDeliveries(deliveries, { logger: loggers.deliveries, clock, signal: both }));
  const ready = (given?: AbortSignal) =>
    health.whenReady(AbortSignal.any([both, ...(given === undefined ? [] : [given])]));
  onServing({ url, source, log, ready, reload: (by) => reload.apply(by) });
  await Promise.race([untilEnded(work, both), aborted(signal)]);
  await parts[Symbol.asyncDispose]();
  return complete;
}

function frameRecorder(
  { recordFrames }: Config,
  deps: { logger: Logger; metrics: Metrics; clock: Clock },
  parts: Parts,
): ((line: Buffer) => void) | undefined {
  if (recordFrames === undefined) return undefined;
  const recorder = parts.use(new FrameRecorder(recordFrames, deps));
  return (line) => recorder.record(line);
}

/** Runs the server until it is its turn to be closed: after the work, of which subscribers so get the last. */
async function serve(server: HttpServer, parts: Parts): Promise<{ url: string }> {
  const closing = new AbortController();
  const running = server.run(closing.signal);
  // Where it cannot listen, whoever waits for that hears of it.
  running.catch(() => undefined);
  const listening = await server.listening;
  parts.defer(async () => {
    closing.abort(new Error("the bridge stops"));
    await running;
  });
  return listening;
}

/** Closes what was opened, last first, once; what does not close cleanly keeps nothing else from being closed. */
class Parts implements AsyncDisposable {
  readonly #stack = new AsyncDisposableStack();
  readonly #logger: Logger;

  constructor(logger: Logger) {
    this.#logger = logger;
  }

  use<T extends AsyncDisposable>(part: T): T {
    this.defer(() => part[Symbol.asyncDispose]());
    return part;
  }

  defer(close: () => PromiseLike<void>): void {
    this.#stack.defer(async () => {
      try {
        await close();
      } catch (error) {
        this.#logger.warn({ err: error }, "a component did not close cleanly");
      }
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#stack.disposeAsync();
  }
}

/** Resolves when `signal` aborts; rejects with what ends the work before. */
async function untilEnded(work: readonly Promise<unknown>[], signal: AbortSignal): Promise<void> {
  try {
    await Promise.all(work);
  } catch (error) {
    if (!signal.aborted) throw error;
  }
}

function createNomad({ nomad, maxConnections }: Config, deps: { logger: Logger; clock: Clock }): NomadClient {
  return createNomadClient(resolveNomadOptions({ ...nomad, maxConnections }), deps);
}

interface WaitingRoom extends AsyncDisposable {
  /** What probes are told. */
  awaited: string;
}

/**
 * Who listens until there is a log to serve, and says what it waits for. Nobody does on a port that is chosen anew each
 * time: nobody could know it.
 */
async function openWaiting(
  { access, listen, insecureNoAuth }: Config,
  { auth, ...deps }: { logger: Logger; clock: Clock; auth: SubscriberAuth },
): Promise<WaitingRoom> {
  const room = { awaited: LOG_AWAITED, [Symbol.asyncDispose]: () => Promise.resolve() };
  if (listen.port === 0) return room;
  const authRequired = auth.authenticators.length > 0;
  const options = { ...access, ...listen, insecureNoAuth, authRequired };
  return Object.assign(room, await openWaitingRoom(options, { ...deps, why: () => room.awaited }));
}

/** The source that the bridge's log is of: by its region, which the log knows, where there is one, or else Nomad. */
async function sourceOfBridge(
  config: Config,
  {
    nomad,
    loggers,
    waitingRoom,
    ...waiting
  }: Omit<Waiting, "logger"> & { nomad: NomadClient; loggers: ModuleLoggers; waitingRoom: WaitingRoom },
): Promise<string> {
  const known = config.nomad.region ?? (await regionOfLog(config, { ...waiting, logger: loggers.feed }));
  if (known === undefined) waitingRoom.awaited = "Nomad does not answer yet";
  const region = known ?? (await regionOf(nomad, { ...waiting, logger: loggers.nomad })).name;
  waitingRoom.awaited = LOG_AWAITED;
  return sourceOf(config.cluster, region);
}

/** A log that exists knows its region, so that it can be served while Nomad is away. */
async function regionOfLog({ feed }: Config, waiting: Waiting): Promise<string | undefined> {
  const source = await sourceOfLog(feed, waiting);
  return source === undefined ? undefined : regionIn(source);
}

/** Who does what: this process everything, or all that share it. */
async function coordinate(
  { feed, workers }: Config,
  deps: { worker: string; logger: Logger; metrics: Metrics; clock: Clock },
): Promise<Coordination> {
  if (workers.kind === "local" || feed.kind !== "redis") return new LocalAssignments(deps);
  // Loaded where it is asked for: one process needs none of it.
  const { openSharedAssignments } = await import("../coordination/bullmq/open.ts");
  return openSharedAssignments({ ...deps, url: feed.url, timeoutMs: workers.timeoutMs });
}

/** What runs once the log is open. */
interface RunningDeps extends BridgeDeps {
  readonly nomad: NomadClient;
  readonly log: FeedLog;
  /** The same without what is redacted: for everything that lets something leave. */
  readonly published: FeedLog;
  readonly fanout: Fanout;
  readonly deliveries: Deliveries;
  readonly alerting: Alerting;
  readonly silences: Silences;
  readonly metrics: Metrics;
  readonly source: string;
  readonly worker: string;
  readonly coordination: Coordination;
  readonly nomadReady: Promise<void>;
  readonly recordFrame: ((line: Buffer) => void) | undefined;
}

function assignmentsOf(
  config: Config,
  deps: RunningDeps,
): { assignments: Assignments; pollers: PollerAssignments } {
  const { deliveries, alerting, loggers, clock, coordination } = deps;
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

function pollersOf(config: Config, deps: RunningDeps, announce: Coordination["announce"]): PollerAssignments {
  const { log, loggers, metrics, clock, source, worker, coordination } = deps;
  return new PollerAssignments(
    {
      ...deps,
      logger: loggers.pollers,
      announce,
      broadcast: coordination.broadcast,
      trim: (signal) => keepWithin(log, config.retention, { logger: loggers.feed, metrics, clock, signal }),
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
      fullEveryMs: config.fullEveryMs,
      staleAfterMs: STALE_AFTER_MS,
      checkpointEveryMs: CHECKPOINT_EVERY_MS,
      pace: PACE,
    },
  );
}

async function serverOf(
  { access, listen, insecureNoAuth }: Config,
  deps: RunningDeps & { auth: SubscriberAuth; health: Health; reload: Reload },
): Promise<HttpServer> {
  const {
    published: log,
    fanout,
    deliveries,
    alerting,
    silences,
    loggers,
    metrics,
    clock,
    source,
    coordination,
    auth,
    health,
    reload,
  } = deps;
  const limits = await withRoomForFiles(access.limits);
  return createHttpServer(
    {
      log,
      fanout,
      logger: loggers.http,
      metrics,
      clock,
      source,
      signals: SIGNAL_NAMES,
      readiness: () => health.readiness(),
      liveness: () => health.liveness(),
      assignments: () => coordination.statuses(),
      deliveries,
      alerts: () => alerting.list(),
      silences,
      authenticators: auth.authenticators,
      reload: (by) => reload.apply(by),
    },
    { ...access, ...listen, insecureNoAuth, limits, stopMs: HTTP_STOP_MS },
  );
}

async function withRoomForFiles(limits: Config["access"]["limits"]): Promise<Config["access"]["limits"]> {
  const connections = limits.connections ?? (await connectionsThatFit());
  return connections === undefined ? limits : { ...limits, connections };
}
