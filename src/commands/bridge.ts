import { randomUUID } from "node:crypto";
import { hostname } from "node:os";
import { setTimeout as delay } from "node:timers/promises";
import type { Config } from "../config/config.ts";
import type { FeedLocation } from "../config/value-types.ts";
import { SIGNAL_NAMES } from "../events/signals.ts";
import { LogUnusable } from "../feed/errors.ts";
import type { FeedLog } from "../feed/log.ts";
import { keepWithin } from "../feed/retention.ts";
import type { Coordination } from "../coordination/coordination.ts";
import { LocalAssignments } from "../coordination/local/local-assignments.ts";
import { createHttpServer } from "../http/server.ts";
import { openWaitingRoom } from "../http/waiting-room.ts";
import { createNomadClient, type NomadClient } from "../nomad/client.ts";
import { resolveNomadOptions } from "../nomad/options.ts";
import { systemClock } from "../shared/clock.ts";
import { PollerAssignments } from "../pollers/poller-assignments.ts";
import type { Logger } from "../telemetry/logger.ts";
import { createMetrics, type Metrics } from "../telemetry/metrics.ts";
import { maxScopesOf } from "./support/connection-budget.ts";
import { locationText, openLog, sourceOfLog } from "./support/feed-log.ts";
import { Health } from "./support/health.ts";
import { connectionsThatFit } from "./support/open-files.ts";
import { subscriberAuth } from "./support/subscriber-auth.ts";
import { nomadAnswers, regionIn, regionOf, sourceOf } from "./support/nomad-start.ts";
import type { Waiting } from "./support/until-it-answers.ts";
import { packageVersion } from "./support/version.ts";

const HTTP_STOP_MS = 400;
/** How long what is under way may take to end; what waits for a log that does not answer, ends with the log. */
const WORK_STOP_MS = 1_000;

const PACE = { perSecond: 50, burst: 100 };
const CANONICAL_EVERY_MS = 5 * 60_000;
const STALE_AFTER_MS = 30_000;
const CHECKPOINT_EVERY_MS = 60_000;

/** A running bridge: Nomad in, log in the middle, subscribers out. */
export interface Bridge {
  /** Where subscribers connect: `http://127.0.0.1:4650`. */
  readonly url: string;
  readonly source: string;
  readonly log: FeedLog;
  /** Resolves when every scope has its baseline; rejects when the bridge ends before. */
  ready(signal?: AbortSignal): Promise<void>;
  /** Rejects when the bridge cannot go on; resolves when it was stopped. */
  readonly done: Promise<void>;
  /**
   * Ends everything in order; what was committed stays. Answers whether all that was seen is in the log. Safe to call
   * twice.
   */
  stop(): Promise<boolean>;
}

/**
 * Builds the modules from the configuration and starts them. Without a log that knows its region it waits for
 * Nomad first, alive but not ready; with one, what is in the log is served while Nomad is away.
 * @throws NomadOptionInvalid, TokensFileInvalid, TlsFilesUnusable, LogUnusable, LogInUse, InsecureListen, ListenFailed; the signal's reason when it aborts.
 */
export async function startBridge(
  config: Config,
  deps: { logger: Logger; signal: AbortSignal },
): Promise<Bridge> {
  const { logger, signal } = deps;
  const stop = new AbortController();
  const both = AbortSignal.any([signal, stop.signal]);
  const nomad = createNomadClient(
    resolveNomadOptions({ ...config.nomad, maxConnections: config.maxConnections }),
    { logger },
  );
  const closing: (() => Promise<unknown>)[] = [() => nomad.close()];
  const close = async (): Promise<void> => {
    for (const step of closing.toReversed()) {
      await step().catch((error: unknown) => logger.warn({ err: error }, "a part did not close cleanly"));
    }
  };
  try {
    const auth = subscriberAuth(config, logger);
    closing.push(() => auth.close());
    let awaited = "the log cannot be opened yet";
    const waitingRoom = await waitingRoomFor(config, {
      logger,
      authRequired: auth.authenticators.length > 0,
      why: () => awaited,
    });
    closing.push(() => waitingRoom.close());
    const ofLog = config.nomad.region ?? (await regionOfLog(config.feed, { logger, signal: both }));
    if (ofLog === undefined) awaited = "Nomad does not answer yet";
    const region = ofLog ?? (await regionOf(nomad, { logger, signal: both })).name;
    const source = sourceOf(config.cluster, region);
    awaited = "the log cannot be opened yet";
    const log = await openLog(config, { source, logger, signal: both });
    closing.push(() => log.close());

    const metrics = createMetrics({ version: packageVersion() });
    const worker = `${hostname()}/${process.pid}/${randomUUID().slice(0, 8)}`;
    const coordination = await coordinate(config, { worker, logger });
    closing.push(() => coordination.close());
    const nomadReady = rightNomadAnswers(config, { nomad, source, logger, signal: both });
    const parts = { nomad, log, logger, metrics, source, worker, coordination, nomadReady };
    const assignments = assignmentsOf(config, parts);
    const health = new Health({ assignments, coordination, clock: systemClock });
    const server = createHttpServer(
      {
        log,
        logger,
        metrics,
        source,
        signals: SIGNAL_NAMES,
        readiness: () => health.readiness(),
        liveness: () => health.liveness(),
        assignments: () => coordination.statuses(),
        authenticators: auth.authenticators,
      },
      {
        ...config.access,
        ...config.listen,
        insecureNoAuth: config.insecureNoAuth,
        limits: await withRoomForFiles(config.access.limits),
      },
    );
    await waitingRoom.close();
    const { url } = await server.start();
    closing.push(() => server.stop("shutdown", HTTP_STOP_MS));

    const work = [nomadReady, coordination.run(assignments, both), assignments.supervisor.run(both)];
    const watching = Promise.all(work).then(
      () => undefined,
      (error: unknown) => {
        if (!both.aborted) throw error;
      },
    );
    // Whoever holds the bridge hears of it by `done`, maybe later.
    watching.catch(() => undefined);
    let complete = true;
    closing.push(async () => {
      stop.abort(new Error("the bridge stops"));
      const settled = Promise.allSettled(work).then(() => true);
      if (await Promise.race([settled, delay(WORK_STOP_MS, false, { ref: false })])) return;
      complete = false;
      logger.warn(
        "the log does not answer: what it was to be told last is read from Nomad again at the next start",
      );
    });
    let closed: Promise<boolean> | undefined;
    return {
      url,
      source,
      log,
      ready: (waitSignal) => {
        const ready = health.whenReady(AbortSignal.any([both, ...(waitSignal ? [waitSignal] : [])]));
        const ended = watching.then(() => Promise.reject(new Error("the bridge was stopped")));
        return Promise.race([ready, ended]);
      },
      done: watching,
      stop: () => (closed ??= close().then(() => complete)),
    };
  } catch (error) {
    stop.abort(error);
    await close();
    throw error;
  }
}

async function withRoomForFiles(limits: Config["access"]["limits"]): Promise<Config["access"]["limits"]> {
  const connections = limits.connections ?? (await connectionsThatFit());
  return connections === undefined ? limits : { ...limits, connections };
}

/** Who listens until there is a log to serve. On a port that is chosen anew each time nobody could know it. */
async function waitingRoomFor(
  { access, listen, insecureNoAuth }: Config,
  { authRequired, ...deps }: { logger: Logger; authRequired: boolean; why: () => string },
): Promise<{ close(): Promise<void> }> {
  if (listen.port === 0) return { close: () => Promise.resolve() };
  return openWaitingRoom({ ...access, ...listen, insecureNoAuth, authRequired }, deps);
}

function wrongRegion(config: Config, source: string, region: string): LogUnusable {
  const where = locationText(config.feed);
  return new LogUnusable(`The log ${where} belongs to ${source}, but Nomad answers for region ${region}`, {
    hint: "Point --nomad-addr at the log's region, or give this region a log of its own with --feed",
  });
}

function assignmentsOf(
  config: Config,
  deps: {
    nomad: NomadClient;
    log: FeedLog;
    logger: Logger;
    metrics: Metrics;
    source: string;
    worker: string;
    coordination: Coordination;
    nomadReady: Promise<void>;
  },
): PollerAssignments {
  const { nomad, log, logger, metrics, source, worker, coordination, nomadReady } = deps;
  return new PollerAssignments(
    {
      nomad,
      log,
      logger,
      metrics,
      clock: systemClock,
      random: Math.random,
      nomadReady,
      announce: (plan) => coordination.announce(plan),
      trim: (signal) => keepWithin(log, config.retention, { logger, metrics, signal }),
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
      canonicalEveryMs: CANONICAL_EVERY_MS,
      staleAfterMs: STALE_AFTER_MS,
      checkpointEveryMs: CHECKPOINT_EVERY_MS,
      pace: PACE,
    },
  );
}

/** Who does what: this process everything, or all that share it. */
async function coordinate(
  { feed, workers }: Config,
  { worker, logger }: { worker: string; logger: Logger },
): Promise<Coordination> {
  if (workers.kind === "local" || feed.kind !== "redis") return new LocalAssignments(worker, logger);
  // Loaded where it is asked for: one process needs none of it.
  const { openSharedAssignments } = await import("../coordination/bullmq/open.ts");
  return openSharedAssignments({ url: feed.url, worker, timeoutMs: workers.timeoutMs, logger });
}

/** A log that exists knows its region, so that it can be served while Nomad is away. */
async function regionOfLog(feed: FeedLocation, waiting: Waiting): Promise<string | undefined> {
  const source = await sourceOfLog(feed, waiting);
  return source === undefined ? undefined : regionIn(source);
}

/** Resolves once Nomad answers and is sure to be the region that the log is of. */
async function rightNomadAnswers(
  config: Config,
  { nomad, source, ...waiting }: Waiting & { nomad: NomadClient; source: string },
): Promise<void> {
  await nomadAnswers(nomad, waiting);
  if (config.nomad.region === undefined) {
    const region = await regionOf(nomad, waiting);
    if (region.sure && region.name !== regionIn(source)) throw wrongRegion(config, source, region.name);
  }
  waiting.logger.info({ source }, "Nomad answers; watching it");
}
