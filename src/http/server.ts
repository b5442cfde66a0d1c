import type { Socket } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import fastify, { type FastifyInstance } from "fastify";
import type { FeedLog } from "../feed/log.ts";
import { GoingAway, Restarting } from "../publishers/connection/errors.ts";
import { ClientGone } from "../publishers/fanout/subscriber.ts";
import type { ConnectionFrames } from "../publishers/connection/frames.ts";
import { Subscriptions } from "../publishers/fanout/subscriptions.ts";
import { ReadScheduler } from "../publishers/work/read-scheduler.ts";
import { isLoopback } from "../shared/loopback.ts";
import type { Logger } from "../telemetry/logger.ts";
import type { Metrics } from "../telemetry/metrics.ts";
import { AccessLog } from "./access/access-log.ts";
import { createAdmission, type OpenableRoute } from "./access/admission.ts";
import { Gate, type GateOptions } from "./access/gate.ts";
import type { Authenticator } from "./access/identity.ts";
import type { TlsFiles } from "./access/tls.ts";
import { addConsumersRoutes } from "./consumers.ts";
import { addDataRoute } from "./data.ts";
import { addDocumentRoutes } from "./documents/routes.ts";
import { addAssignmentsRoute, type AssignmentsDeps } from "./assignments.ts";
import { endedStream } from "./ended-stream.ts";
import { MethodNotAllowed, methodsOf, NotFound } from "./errors.ts";
import { addEventsRoute } from "./events.ts";
import { assertLoopbackName } from "./guard.ts";
import { addHealthRoutes, type HealthDeps } from "./health.ts";
import { addHistoryRoute } from "./history.ts";
import { addIndexRoute, type IndexDeps } from "./index-page.ts";
import { assertMayListen, listen } from "./listen.ts";
import type { ConsumerLimits } from "./own-consumers.ts";
import { createListener, type Listener } from "./listener.ts";
import { PROBLEM_TYPE, problemHeaders, problemOf, problemText } from "./problem.ts";
import { StatePlaces, type StatePlacesOptions } from "./state-places.ts";
import { addStateRoute } from "./state.ts";
import { connectionFrames, type SubscribeDeps } from "./subscribe.ts";
import { addTicketsRoute } from "./tickets.ts";
import { UnreadAnswers } from "./unread-answers.ts";
import { endWhereUnread } from "./unread.ts";
import { createUpgradeHandler } from "./upgrade.ts";
import { jsonText } from "../schemas/line-safe.ts";

export interface HttpServerDeps
  extends IndexDeps, AssignmentsDeps, Pick<HealthDeps, "liveness" | "readiness"> {
  readonly log: FeedLog;
  readonly logger: Logger;
  readonly metrics: Metrics;
  /** Names of all signals there are, for `signals=`. */
  readonly signals: readonly string[];
  /** For what is shown: ms since 1970. */
  readonly nowMs?: () => number;
  /** For intervals: ms on a clock that nobody sets. */
  readonly elapsedMs?: () => number;
  /** How tokens are known, asked in turn. None: nobody is asked who they are. */
  readonly authenticators?: readonly Authenticator[];
}

/** What those who read states, pages and histories may have. */
interface ReadLimits extends StatePlacesOptions {
  /** What one answer may cost, in ms of work. */
  readonly maxTimeMs: number;
}

export interface HttpServerOptions extends Omit<GateOptions, "authenticators"> {
  readonly host: string;
  /** 0 takes any free port. */
  readonly port: number;
  /** Serves everybody: allows addresses, and names to be asked for, that are not loopback. */
  readonly insecureNoAuth?: boolean;
  /** Routes that answer without a token too. */
  readonly openRoutes?: readonly OpenableRoute[];
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
  readonly consumerLimits?: ConsumerLimits;
  readonly reads?: Partial<ReadLimits>;
}

type StopReason = "shutdown" | "restart";

export interface HttpServer {
  /** @throws InsecureListen, ListenFailed, TlsFilesUnusable */
  start(): Promise<{ url: string }>;
  /**
   * Takes nobody new, tells every stream why it ends, and closes what is not closed after `deadlineMs`. Resolves
   * when no connection is left.
   */
  stop(reason?: StopReason, deadlineMs?: number): Promise<void>;
}

const DEFAULTS = { bookmarkIntervalMs: 15_000, pingIntervalMs: 20_000, stallTimeoutMs: 60_000 };
const READ_LIMITS: ReadLimits = { maxTimeMs: 30_000, maxStates: 100, maxStatesPerHolder: 20 };
const STOP_DEADLINE_MS = 500;

/** The feed's outside: events in four formats, health and metrics. See PROTOCOL.md. */
export function createHttpServer(deps: HttpServerDeps, options: HttpServerOptions): HttpServer {
  const { log, metrics, source } = deps;
  const { bookmarkIntervalMs, pingIntervalMs, stallTimeoutMs } = { ...DEFAULTS, ...options };
  const logger = deps.logger.child({ module: "http" });
  const subscriptions = new Subscriptions({ log, logger, metrics, bookmarkIntervalMs, stallTimeoutMs });
  const sockets = new Set<Socket>();
  let stopping: Promise<void> | undefined;
  const isStopping = () => stopping !== undefined;
  const reads = { ...READ_LIMITS, ...options.reads };
  const nowMs = deps.nowMs ?? Date.now;
  const elapsedMs = deps.elapsedMs ?? (() => performance.now());
  const { authenticators = [] } = deps;
  const gate = new Gate({ ...options, authenticators }, { logger, nowMs, elapsedMs });
  const openToAll = options.insecureNoAuth === true || gate.authRequired;
  const assertMayAsk = openToAll ? () => undefined : assertLoopbackName;
  const { openRoutes = [] } = options;

  const listener = createListener(options, logger);
  const accessLog = new AccessLog({ logger, metrics, gate, elapsedMs });
  const frames = () => connectionFrames({ source, nowMs });
  const app = createApp({ accessLog, listener, frames });
  app.server.on("connection", (socket: Socket) => {
    sockets.add(socket);
    socket.once("close", () => sockets.delete(socket));
    gate.limits.accept(socket);
  });
  const { connections } = options.limits ?? {};
  if (connections !== undefined) app.server.maxConnections = connections;
  app.server.on("drop", () => metrics.refusals.inc({ code: "LIMIT" }));
  const subscribe: SubscribeDeps = {
    log,
    logger,
    source,
    signals: deps.signals,
    subscriptions,
    nowMs,
    pingIntervalMs,
    isStopping,
    assertMayAsk,
    accessOf: (request) => gate.accessOf(request),
    gate,
    reads: new ReadScheduler({ maxWorkMs: reads.maxTimeMs }),
    statePlaces: new StatePlaces(reads),
    unread: new UnreadAnswers(),
    accessLog,
    consumerLimits: options.consumerLimits ?? {},
  };
  // Streams and states take their responses over before, and watch their readers themselves.
  app.addHook("onSend", async (_request, { raw }, payload) => {
    endWhereUnread(raw, stallTimeoutMs);
    return payload;
  });
  app.addHook("onRequest", createAdmission({ gate, assertMayAsk, openRoutes }));
  addIndexRoute(app, deps);
  addHealthRoutes(app, { ...deps, isStopping, gate, openRoutes });
  addDataRoute(app, subscribe);
  addAssignmentsRoute(app, { ...deps, gate });
  addTicketsRoute(app, gate);
  addEventsRoute(app, subscribe);
  addStateRoute(app, { ...subscribe, stallTimeoutMs });
  addHistoryRoute(app, subscribe);
  addConsumersRoutes(app, subscribe);
  addDocumentRoutes(app);
  app.server.on("upgrade", createUpgradeHandler(subscribe));

  async function stop(reason: StopReason, deadlineMs: number): Promise<void> {
    const closed = app.close();
    const deadline = new AbortController();
    const cut = sleep(deadlineMs, undefined, { signal: deadline.signal }).then(
      () => sockets.forEach((socket) => socket.destroy()),
      () => undefined,
    );
    logger.debug({ subscriptions: subscriptions.size, reason }, "Ending all subscriptions");
    await subscriptions.endAll(reason === "restart" ? new Restarting() : new GoingAway());
    await closed;
    listener.close();
    deadline.abort();
    await cut;
  }

  return {
    async start() {
      assertMayListen({ ...options, authRequired: gate.authRequired });
      if (gate.authRequired && options.tls === undefined && !isLoopback(options.host)) {
        logger.warn(
          "tokens come unencrypted: give --tls-cert and --tls-key, or put a proxy with TLS in front",
        );
      }
      const url = await listen(app, options);
      return { url: options.tls === undefined ? url : url.replace(/^http:/, "https:") };
    },
    stop: (reason = "shutdown", deadlineMs = STOP_DEADLINE_MS) => (stopping ??= stop(reason, deadlineMs)),
  };
}

function createApp({
  accessLog,
  listener,
  frames,
}: {
  accessLog: AccessLog;
  listener: Listener;
  frames: () => ConnectionFrames;
}): FastifyInstance {
  const app = fastify({
    logger: false,
    serverFactory: listener.create,
    // A path that cannot be decoded, or that is longer than any we have.
    frameworkErrors: (_error, { method, url }, { raw }) => {
      const { status, problem } = problemOf(new NotFound(method, url));
      raw.writeHead(status, { "content-type": PROBLEM_TYPE }).end(problemText(problem));
    },
  });
  app.setReplySerializer((payload) => jsonText(payload as object));
  // Nobody has a body to send us, so none is read, and none can be a bad one.
  app.removeAllContentTypeParsers();
  app.setNotFoundHandler((request) => {
    const methods = methodsOf(request.url);
    if (methods.length > 0) throw new MethodNotAllowed(request.method, methods);
    throw new NotFound(request.method, request.url);
  });
  app.setErrorHandler(async (error, request, reply) => {
    if (error instanceof ClientGone) return reply.hijack();
    const { status, problem } = problemOf(error);
    void accessLog.refused(request.raw, error);
    const stream = endedStream(error, request.raw, frames);
    if (stream !== undefined) {
      const headers = { "cache-control": "no-store", "x-accel-buffering": "no" };
      return reply.code(200).headers(headers).type("text/event-stream; charset=utf-8").send(stream);
    }
    return reply.code(status).headers(problemHeaders(error)).type(PROBLEM_TYPE).send(problemText(problem));
  });
  return app;
}
