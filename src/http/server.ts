import type { Socket } from "node:net";
import type { FeedLog } from "../feed/log.ts";
import { GoingAway, Restarting } from "../publishers/connection/errors.ts";
import { createFanout, type Fanout } from "../publishers/fanout/fanout.ts";
import { Subscriptions } from "../publishers/fanout/subscriptions.ts";
import { ReadScheduler } from "../publishers/work/read-scheduler.ts";
import { PastStates } from "../reads/past-states.ts";
import { aborted } from "../shared/aborted.ts";
import type { ResourceType } from "../schemas/resources.ts";
import type { Clock } from "../shared/clock.ts";
import { isLoopback } from "../shared/loopback.ts";
import type { Logger } from "../telemetry/logger.ts";
import type { Metrics } from "../telemetry/metrics.ts";
import { AccessLog } from "./access/access-log.ts";
import { Gate, type GateOptions } from "./access/gate.ts";
import type { Authenticator } from "./access/identity.ts";
import { Limits, type LimitOptions } from "./access/limits.ts";
import { Principals, type RecheckOptions } from "./access/principals.ts";
import { Sessions } from "./access/sessions.ts";
import type { TlsFiles } from "./access/tls.ts";
import { createApp } from "./app.ts";
import { addConsoleRoutes } from "./console/routes.ts";
import { addConsumersRoutes } from "./consumers.ts";
import { addCountsRoute } from "./counts.ts";
import { addDataRoute } from "./data.ts";
import { addDocumentRoutes } from "./documents/routes.ts";
import { addAlertRoutesRoute, type AlertRoutesDeps } from "./alert-routes.ts";
import { addAlertsRoute, type AlertsDeps } from "./alerts.ts";
import { addAssignmentsRoute, type AssignmentsDeps } from "./assignments.ts";
import { addAuditRoutes, type AuditDeps } from "./audit.ts";
import { addDeliveriesRoutes, type DeliverySteering } from "./deliveries.ts";
import { addEventRoute } from "./event.ts";
import { addEventsRoute } from "./events.ts";
import { addHealthRoutes, type HealthDeps } from "./health.ts";
import { addHistoryRoute } from "./history.ts";
import { addJobVersionsRoute, type JobVersionsDeps } from "./job-versions.ts";
import { addIndexRoute, type IndexDeps } from "./index-page.ts";
import { assertMayListen, listen } from "./listen.ts";
import type { ConsumerLimits } from "./own-consumers.ts";
import { createListener } from "./listener.ts";
import { addSilencesRoutes, type SilenceKeeping } from "./silences.ts";
import { addReloadRoute, type ReloadDeps } from "./reload.ts";
import { observeLog } from "./log-metrics.ts";
import { MountedApp, type Mount } from "./feeds/mount.ts";
import { StatePlaces, type StatePlacesOptions } from "./state-places.ts";
import { addStateRoute } from "./state.ts";
import { connectionFrames } from "./connection-frames.ts";
import { addSessionRoutes } from "./session.ts";
import { addTicketsRoute } from "./tickets.ts";
import { UnreadAnswers } from "./unread-answers.ts";
import { addWhyRoute } from "./why.ts";
import { createUpgradeHandler } from "./upgrade.ts";

export interface HttpServerDeps
  extends
    IndexDeps,
    Pick<AssignmentsDeps, "assignments">,
    Pick<AlertsDeps, "alerts">,
    Pick<AlertRoutesDeps, "alertRoutes">,
    Pick<AuditDeps, "trails">,
    Pick<HealthDeps, "liveness" | "readiness">,
    Pick<JobVersionsDeps, "jobVersions">,
    Pick<ReloadDeps, "reload"> {
  readonly log: FeedLog;
  /** What was before. Default: told by the log given. */
  readonly past?: PastStates;
  readonly logger: Logger;
  readonly metrics: Metrics;
  /** Names of all signals there are, for `signals=`. */
  readonly signals: readonly string[];
  readonly clock: Clock;
  readonly deliveries: DeliverySteering;
  readonly silences: SilenceKeeping;
  /** Shared with whoever else follows the log in this process. Default: its own. */
  readonly fanout?: Fanout;
  /** How tokens are known, asked in turn. None: nobody is asked who they are. */
  readonly authenticators?: readonly Authenticator[];
  /** What the feed watches, or ever did. Absent: may be anything. */
  readonly kinds?: readonly ResourceType[];
  /** Who takes connections for it. Absent: it listens by itself. */
  readonly mount?: Mount | undefined;
}

/** What those who read states, pages and histories may have. */
interface ReadLimits extends StatePlacesOptions {
  /** What one answer may cost, in ms of work. */
  readonly maxTimeMs: number;
}

export interface HttpServerOptions extends GateOptions, RecheckOptions {
  readonly host: string;
  /** 0 takes any free port. */
  readonly port: number;
  readonly limits?: LimitOptions;
  readonly tls?: TlsFiles;
  /** How often the files of the certificate are checked. */
  readonly tlsLookEveryMs?: number;
  /** How long a connection may take to send the head of a request. */
  readonly headersTimeoutMs?: number;
  readonly bookmarkIntervalMs?: number;
  /** Between WebSocket pings, and between SSE comments. */
  readonly pingIntervalMs?: number;
  /** How long a subscriber's socket may take nothing. */
  readonly stallTimeoutMs?: number;
  /** How long connections may take to close at the end, before they are cut. Default: 500. */
  readonly stopMs?: number;
  readonly consumerLimits?: ConsumerLimits;
  readonly reads?: Partial<ReadLimits>;
}

/** Disposing of it ends `run`, as an aborted signal does, and lets go of what a server that never ran holds. */
export interface HttpServer extends AsyncDisposable {
  /** Where it is reached; rejects as `run` does, where it cannot be. */
  readonly listening: Promise<{ url: string }>;
  /**
   * Listens until `signal` aborts. Then it takes nobody new, tells every stream why it ends (that it restarts, where
   * the signal's reason is Restarting), and closes what is not closed after `stopMs`. Resolves when no connection is
   * left. Call it once.
   * @throws InsecureListen, ListenFailed
   */
  run(signal: AbortSignal): Promise<void>;
  /** Brings up to date what metrics say only where they are asked for: of the log, and of who is behind it. */
  observe(): Promise<void>;
}

const DEFAULTS = { bookmarkIntervalMs: 15_000, pingIntervalMs: 20_000, stallTimeoutMs: 60_000, stopMs: 500 };
const READ_LIMITS: ReadLimits = { maxTimeMs: 30_000, maxStates: 100, maxStatesPerHolder: 20 };

/** Serves the feed over HTTP: every route behind one gate, and WebSockets. See PROTOCOL.md. @throws TlsFilesUnusable */
export function createHttpServer(deps: HttpServerDeps, options: HttpServerOptions): HttpServer {
  const { log, logger, metrics, source, clock, mount } = deps;
  const { bookmarkIntervalMs, pingIntervalMs, stallTimeoutMs, stopMs } = { ...DEFAULTS, ...options };
  const subscriptions = new Subscriptions({
    log,
    fanout: deps.fanout ?? createFanout(deps),
    logger,
    metrics,
    clock,
    bookmarkIntervalMs,
    stallTimeoutMs,
  });
  const sockets = new Set<Socket>();
  let ended: Promise<void> | undefined;
  const isStopping = () => ended !== undefined;
  const reads = { ...READ_LIMITS, ...options.reads };
  const nowMs = () => clock.now();
  const { authenticators = [] } = deps;
  const { openRoutes = [] } = options;
  const limits = mount?.limits ?? new Limits(options.limits ?? {}, clock);
  const sessions = new Sessions({ documents: log.documents, source, clock });
  const principals = new Principals(
    { ...options, authenticators, kinds: deps.kinds },
    { logger, clock, limits, sessions },
  );
  const gate = new Gate(options, { principals, limits, metrics, isStopping });
  const accessLog = new AccessLog({ logger, metrics, principals, clock });
  const listener = createListener(mount === undefined ? options : {}, { logger, clock });
  const observe = () => observeLog(log, metrics, subscriptions, clock);
  const frames = () => connectionFrames({ source, nowMs });
  const app = createApp({ listener, gate, accessLog, frames, stallTimeoutMs, clock });
  gate.watch(app.server);
  app.server.on("connection", (socket: Socket) => {
    sockets.add(socket);
    socket.once("close", () => sockets.delete(socket));
  });
  const { connections } = options.limits ?? {};
  if (connections !== undefined) app.server.maxConnections = connections;

  /** Each route takes of these what it declares. */
  const services = {
    ...deps,
    past: deps.past ?? new PastStates(log),
    clock,
    nowMs,
    isStopping,
    gate,
    principals,
    sessions,
    accessLog,
    subscriptions,
    observe,
    pingIntervalMs,
    stallTimeoutMs,
    openRoutes,
    consumerLimits: options.consumerLimits ?? {},
    reads: new ReadScheduler({ maxWorkMs: reads.maxTimeMs, clock }),
    statePlaces: new StatePlaces(reads),
    unread: new UnreadAnswers(),
  };
  addIndexRoute(app, services);
  addConsoleRoutes(app, services);
  addHealthRoutes(app, services);
  addDataRoute(app, services);
  addAssignmentsRoute(app, services);
  addAlertsRoute(app, services);
  addAlertRoutesRoute(app, services);
  addSilencesRoutes(app, services);
  addDeliveriesRoutes(app, services);
  addAuditRoutes(app, services);
  addTicketsRoute(app, services);
  addSessionRoutes(app, services);
  addEventsRoute(app, services);
  addEventRoute(app, services);
  addStateRoute(app, services);
  addHistoryRoute(app, services);
  addCountsRoute(app, services);
  addJobVersionsRoute(app, services);
  addWhyRoute(app, services);
  addConsumersRoutes(app, services);
  addReloadRoute(app, services);
  addDocumentRoutes(app);
  app.server.on("upgrade", createUpgradeHandler(services));

  const mounted = new MountedApp(app);
  let leave = (): void => undefined;

  async function mountAt(at: Mount): Promise<{ url: string }> {
    await app.ready();
    leave = at.enter(mounted);
    return { url: at.url };
  }

  async function listenAt(): Promise<{ url: string }> {
    assertMayListen({ ...options, authRequired: principals.authRequired });
    if (principals.authRequired && options.tls === undefined && !isLoopback(options.host)) {
      logger.warn("tokens are sent unencrypted: set --tls-cert and --tls-key, or put a TLS proxy in front");
    }
    const url = await listen(app, options);
    return { url: options.tls === undefined ? url : url.replace(/^http:/, "https:") };
  }

  async function endAll(why: GoingAway | Restarting): Promise<void> {
    leave();
    const closed = Promise.all([app.close(), mounted.closed(stopMs, clock)]);
    const spare = clock.after(stopMs, () => sockets.forEach((socket) => socket.destroy()));
    logger.debug({ subscriptions: subscriptions.size, reason: why.code }, "ending all subscriptions");
    await subscriptions.endAll(why);
    await closed;
    listener.close();
    spare();
  }
  const end = (reason: unknown): Promise<void> =>
    (ended ??= endAll(reason instanceof Restarting ? reason : new GoingAway()));

  const listening = Promise.withResolvers<{ url: string }>();
  // `run` rejects with the same; who only runs it need not hear of it twice.
  listening.promise.catch(() => undefined);
  const disposed = new AbortController();
  return {
    observe,
    listening: listening.promise,
    run: async (signal) => {
      listening.resolve(mount === undefined ? listenAt() : mountAt(mount));
      await listening.promise;
      const over = AbortSignal.any([signal, disposed.signal]);
      await aborted(over);
      await end(over.reason);
    },
    [Symbol.asyncDispose]: async () => {
      disposed.abort(new GoingAway());
      await end(disposed.signal.reason);
    },
  };
}
