import { once } from "node:events";
import type { IncomingHttpHeaders, IncomingMessage, Server, ServerResponse } from "node:http";
import type { Socket } from "node:net";
import { publicError } from "../../publishers/connection/frames.ts";
import type { FeedsReloadReport } from "../../schemas/reload-schema.ts";
import type { Clock } from "../../shared/clock.ts";
import { isLoopback, listenAddress } from "../../shared/loopback.ts";
import type { Logger } from "../../telemetry/logger.ts";
import type { Metrics } from "../../telemetry/metrics.ts";
import { connectionFrames } from "../connection-frames.ts";
import { refusalOf } from "../ended-stream.ts";
import { FEEDS_SOURCE } from "./merged/stream.ts";
import { Gate, type GateOptions } from "../access/gate.ts";
import { isPreflight } from "../access/origins.ts";
import { Limits, type LimitOptions } from "../access/limits.ts";
import { ListenFailed, NotFound } from "../errors.ts";
import { assertMayListen, type ListenOptions } from "../listen.ts";
import { createListener, type ListenerOptions } from "../listener.ts";
import { problemAnswer, type ProblemAnswer } from "../problem.ts";
import { refuseUpgrade } from "../refuse-upgrade.ts";
import { createMergedUpgrade, turnAwayMerged } from "./merged/events.ts";
import { EVENTS_PATH } from "../events.ts";
import { FeedMount } from "./feed-mount.ts";
import { MountedFeeds } from "./mounted-feeds.ts";
import { answerOwn, FRONT_ROUTES } from "./own-routes.ts";
import { feedAddress, type FeedAddress } from "./paths.ts";

export interface FeedsServerDeps {
  /** Of the process. */
  readonly metrics: Metrics;
  readonly logger: Logger;
  readonly clock: Clock;
  /** Applies the configuration file anew to all feeds; `by`: who asked for it. @throws ReloadRefused */
  readonly reload: (by: string) => FeedsReloadReport;
}

export interface FeedsServerOptions extends ListenOptions, ListenerOptions, GateOptions {
  readonly limits?: LimitOptions;
  /** Whether a browser gets a page. */
  readonly console: boolean;
}

/**
 * Takes the connections of a process that serves several feeds: what is asked of a feed goes to its own server, with the
 * path before it cut off; what is about all of them is answered from their answers.
 */
export class FeedsServer implements AsyncDisposable {
  readonly #deps: FeedsServerDeps;
  readonly #options: FeedsServerOptions;
  readonly #limits: Limits;
  readonly #gate: Gate;
  readonly #listener: ReturnType<typeof createListener>;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  readonly #feeds = new MountedFeeds();
  #url = "";
  readonly #stopping = new AbortController();

  /** @throws InsecureListen, TlsFilesUnusable */
  constructor(deps: FeedsServerDeps, options: FeedsServerOptions) {
    assertMayListen(options);
    this.#deps = deps;
    this.#options = options;
    this.#limits = new Limits(options.limits ?? {}, deps.clock);
    const nobody = () => Promise.reject(new Error("the feeds know who asks, and no one else"));
    const principals = { authRequired: options.authRequired === true, accessOf: nobody };
    this.#gate = new Gate(options, {
      ...deps,
      principals,
      limits: this.#limits,
      isStopping: () => this.#stopping.signal.aborted,
    });
    this.#listener = createListener(options, deps);
    this.#server = this.#listener.create((message, response) => void this.#answer(message, response));
    this.#gate.watch(this.#server);
    this.#server.on("connection", (socket: Socket) => {
      this.#sockets.add(socket);
      socket.once("close", () => this.#sockets.delete(socket));
    });
    this.#server.on(
      "upgrade",
      (message: IncomingMessage, socket: Socket, head: Buffer) => void this.#upgrade(message, socket, head),
    );
    const { connections } = options.limits ?? {};
    if (connections !== undefined) this.#server.maxConnections = connections;
  }

  /** Where it is reached. @throws ListenFailed */
  async listen(): Promise<{ url: string }> {
    const { host, port, tls, authRequired } = this.#options;
    if (authRequired === true && tls === undefined && !isLoopback(host)) {
      this.#deps.logger.warn(
        "tokens are sent unencrypted: set --tls-cert and --tls-key, or put a TLS proxy in front",
      );
    }
    this.#server.listen({ host: listenAddress(host), port });
    try {
      await once(this.#server, "listening");
    } catch (error) {
      throw new ListenFailed(host, port, error);
    }
    const bound = this.#server.address();
    const boundPort = bound !== null && typeof bound === "object" ? bound.port : port;
    const name = host.includes(":") ? `[${host}]` : host;
    this.#url = `${tls === undefined ? "http" : "https"}://${name}:${boundPort}`;
    return { url: this.#url };
  }

  /** A place for a feed, once it listens. */
  mount(name: string): FeedMount {
    const { clock } = this.#deps;
    const feed = new FeedMount(name, { url: this.#url, limits: this.#limits, clock });
    this.#feeds.add(feed);
    return feed;
  }

  /** From now on there is no such feed. */
  unmount(feed: FeedMount): void {
    this.#feeds.remove(feed);
  }

  /** Whoever comes from now on is told to come again, and so is who reads all feeds; each feed tells its own readers. */
  stopping(): void {
    this.#stopping.abort();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#listener.close();
    if (!this.#server.listening) return;
    const closed = once(this.#server, "close");
    this.#server.close();
    for (const socket of this.#sockets) socket.destroy();
    await closed;
  }

  async #answer(message: IncomingMessage, response: ServerResponse): Promise<void> {
    try {
      const address = feedAddress(message.url ?? "/");
      const { origins } = this.#gate;
      // A feed that is served says itself who may read.
      const isOurs = address?.url === undefined || this.#feeds.get(address.name)?.isServed !== true;
      const asksFirst = isOurs && isPreflight(message);
      if (isOurs) origins.allowReading(message, response);
      if (address === undefined) {
        const route = message.url?.split("?", 1)[0];
        await this.#gate.enter(message, { needsNoToken: true, isPreflight: asksFirst, route });
      }
      if (asksFirst) {
        origins.answerPreflight(response);
        response.writeHead(204).end();
        return;
      }
      if (address === undefined) {
        const { signal: stopping } = this.#stopping;
        await answerOwn(message, response, { ...this.#options, ...this.#deps, feeds: this.#feeds, stopping });
        return;
      }
      const feed = this.#feedAt(address, message);
      if (address.url === undefined) {
        // What the page loads lies beside it, below this slash.
        response.writeHead(308, { location: `${address.name}/` }).end();
        return;
      }
      feed.request(readdressed(message, address.url, feed), response);
    } catch (error) {
      this.#refused(message, error);
      const { clock } = this.#deps;
      const frames = () => connectionFrames({ source: FEEDS_SOURCE, nowMs: () => clock.now() });
      const { status, headers, body } = refusalOf(error, message, frames);
      if (response.headersSent) response.destroy();
      else response.writeHead(status, headers).end(body);
    }
  }

  async #upgrade(message: IncomingMessage, socket: Socket, head: Buffer): Promise<void> {
    socket.on("error", () => socket.destroy());
    const refuse = (answer: ProblemAnswer): void => {
      if (message.headers.origin === undefined) refuseUpgrade(socket, answer);
      else turnAwayMerged(message, socket, head, { ...answer, nowMs: this.#deps.clock.now() });
    };
    try {
      const { url = "/" } = message;
      const address = feedAddress(url);
      if (address?.url !== undefined) {
        const feed = this.#feedAt(address, message);
        feed.upgrade(readdressed(message, address.url, feed), socket, head);
        return;
      }
      await this.#gate.enter(message, { needsNoToken: true });
      if (url.split("?", 1)[0] !== EVENTS_PATH) {
        throw new NotFound("WebSocket at", url, { allowed: FRONT_ROUTES, hint: "Use /v1/events" });
      }
      const upgrade = createMergedUpgrade({
        feeds: this.#feeds,
        clock: this.#deps.clock,
        stopping: this.#stopping.signal,
      });
      const refusal = await upgrade(message, socket, head);
      if (refusal !== undefined) refuse({ ...refusal, headers: textsOf(refusal.headers) });
    } catch (error) {
      this.#refused(message, error);
      refuse(problemAnswer(error));
    }
  }

  #feedAt({ name }: FeedAddress, { method = "GET", url = "/" }: IncomingMessage): FeedMount {
    const feed = this.#feeds.get(name);
    if (feed !== undefined) return feed;
    throw new NotFound(method, url, {
      allowed: FRONT_ROUTES,
      hint: "There is no feed of this name; GET /v1/feeds lists those that there are",
    });
  }

  #refused(message: IncomingMessage, error: unknown): void {
    const { code } = publicError(error);
    this.#deps.metrics.refusals.inc({ code });
    this.#deps.logger.debug({ code, address: message.socket.remoteAddress }, "request refused");
  }
}

/** The request as the feed knows it; the path before it is named as a proxy would name it. */
function readdressed(message: IncomingMessage, url: string, { url: at }: FeedMount): IncomingMessage {
  const before = message.headers["x-forwarded-prefix"];
  const prefix = typeof before === "string" ? before.replace(/\/$/, "") : "";
  message.headers["x-forwarded-prefix"] = `${prefix}${new URL(at).pathname}`;
  message.url = url;
  return message;
}

/** What of a feed's answer is for whoever is refused. */
function textsOf({
  "content-type": type,
  "retry-after": later,
}: IncomingHttpHeaders): Record<string, string> {
  return {
    ...(type !== undefined && { "content-type": type }),
    ...(later !== undefined && { "retry-after": later }),
  };
}
