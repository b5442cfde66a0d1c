import type { Socket } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import fastify, { type FastifyInstance } from "fastify";
import type { FeedLog } from "../feed/log.ts";
import { EVERYTHING } from "../publishers/access.ts";
import { GoingAway, Restarting } from "../publishers/errors.ts";
import { Subscriptions } from "../publishers/subscriptions.ts";
import type { Logger } from "../telemetry/logger.ts";
import type { Metrics } from "../telemetry/metrics.ts";
import { addConsumersRoutes } from "./consumers.ts";
import { addDataRoute } from "./data.ts";
import { addDocumentRoutes } from "./documents/routes.ts";
import { addDutiesRoute, type DutiesDeps } from "./duties.ts";
import { NotFound } from "./errors.ts";
import { addEventsRoute } from "./events.ts";
import { assertLoopbackName } from "./guard.ts";
import { addHealthRoutes, type HealthDeps } from "./health.ts";
import { addHistoryRoute } from "./history.ts";
import { addIndexRoute, type IndexDeps } from "./index-page.ts";
import { assertMayListen, listen } from "./listen.ts";
import { PROBLEM_TYPE, problemOf, problemText } from "./problem.ts";
import { addStateRoute } from "./state.ts";
import type { SubscribeDeps } from "./subscribe.ts";
import { createUpgradeHandler } from "./upgrade.ts";

export interface HttpServerDeps extends IndexDeps, DutiesDeps, Pick<HealthDeps, "liveness" | "readiness"> {
  readonly log: FeedLog;
  readonly logger: Logger;
  readonly metrics: Metrics;
  /** Names of all signals there are, for `signals=`. */
  readonly signals: readonly string[];
  readonly nowMs?: () => number;
}

export interface HttpServerOptions {
  readonly host: string;
  /** 0 takes any free port. */
  readonly port: number;
  /** Serves everybody: allows addresses, and names to be asked for, that are not loopback. */
  readonly insecureNoAuth?: boolean;
  readonly bookmarkIntervalMs?: number;
  /** Between WebSocket pings, and between SSE comments. */
  readonly pingIntervalMs?: number;
  /** How long a subscriber's socket may take nothing. */
  readonly stallTimeoutMs?: number;
}

type StopReason = "shutdown" | "restart";

export interface HttpServer {
  /** @throws InsecureListen, ListenFailed */
  start(): Promise<{ url: string }>;
  /**
   * Takes nobody new, tells every stream why it ends, and closes what is not closed after `deadlineMs`. Resolves
   * when no connection is left.
   */
  stop(reason?: StopReason, deadlineMs?: number): Promise<void>;
}

const DEFAULTS = { bookmarkIntervalMs: 15_000, pingIntervalMs: 20_000, stallTimeoutMs: 60_000 };
const STOP_DEADLINE_MS = 500;

/** The feed's outside: events in four formats, health and metrics. See PROTOCOL.md. */
export function createHttpServer(deps: HttpServerDeps, options: HttpServerOptions): HttpServer {
  const { log, metrics, source } = deps;
  const { bookmarkIntervalMs, pingIntervalMs, stallTimeoutMs } = { ...DEFAULTS, ...options };
  const logger = deps.logger.child({ room: "http" });
  const subscriptions = new Subscriptions({ log, logger, metrics, bookmarkIntervalMs, stallTimeoutMs });
  const sockets = new Set<Socket>();
  let stopping: Promise<void> | undefined;
  const isStopping = () => stopping !== undefined;
  const assertMayAsk = options.insecureNoAuth === true ? () => undefined : assertLoopbackName;

  const app = createApp(logger, sockets);
  const subscribe: SubscribeDeps = {
    log,
    logger,
    source,
    signals: deps.signals,
    subscriptions,
    nowMs: deps.nowMs ?? Date.now,
    pingIntervalMs,
    isStopping,
    assertMayAsk,
    accessOf: async () => EVERYTHING,
  };
  app.addHook("onRequest", async ({ raw }) => assertMayAsk(raw));
  addIndexRoute(app, deps);
  addHealthRoutes(app, { ...deps, isStopping });
  addDataRoute(app, log);
  addDutiesRoute(app, deps);
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
    deadline.abort();
    await cut;
  }

  return {
    async start() {
      assertMayListen(options);
      return { url: await listen(app, options) };
    },
    stop: (reason = "shutdown", deadlineMs = STOP_DEADLINE_MS) => (stopping ??= stop(reason, deadlineMs)),
  };
}

function createApp(logger: Logger, sockets: Set<Socket>): FastifyInstance {
  const app = fastify({
    logger: false,
    // Only a WebSocket: a request that offers HTTP/2, as curl does, is answered as if it had not.
    http: { shouldUpgradeCallback: ({ headers }) => headers.upgrade?.toLowerCase() === "websocket" },
    // A path that cannot be decoded, or that is longer than any we have.
    frameworkErrors: (_error, { method, url }, { raw }) => {
      const { status, problem } = problemOf(new NotFound(method, url));
      raw.writeHead(status, { "content-type": PROBLEM_TYPE }).end(problemText(problem));
    },
  });
  // Nobody has a body to send us, so none is read, and none can be a bad one.
  app.removeAllContentTypeParsers();
  app.server.on("connection", (socket: Socket) => {
    sockets.add(socket);
    socket.once("close", () => sockets.delete(socket));
  });
  app.setNotFoundHandler((request) => {
    throw new NotFound(request.method, request.url);
  });
  app.setErrorHandler(async (error, request, reply) => {
    const { status, problem } = problemOf(error);
    if (problem.code === "INTERNAL") logger.error({ err: error, url: request.url }, "Request failed");
    return reply.code(status).type(PROBLEM_TYPE).send(problemText(problem));
  });
  return app;
}
