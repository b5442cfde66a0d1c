import { once } from "node:events";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import type { Cluster } from "../cluster/cluster.ts";
import type { FaultRule, FaultRules } from "../fault-rules.ts";
import { ConnectionSlots, TOO_MANY_CONNECTIONS } from "./connections.ts";
import type { ApiContext } from "./context.ts";
import { EventEndpoint } from "./event-endpoint.ts";
import { INVALID_METHOD, NOT_FOUND, problem, type Reply } from "./reply.ts";
import { acceptsGzip, parseRequest, type ApiRequest } from "./request.ts";
import { answer, routeOf, type Route } from "./routes.ts";
import { send } from "./send.ts";

export interface ApiServerOptions {
  readonly context: ApiContext;
  readonly cluster: Cluster;
  readonly rules: FaultRules;
  /** Connections per client address; 0: no limit. */
  readonly connectionLimit: number;
}

/** Nomad's HTTP API on a socket of its own. */
export class ApiServer {
  readonly slots: ConnectionSlots;
  readonly #options: ApiServerOptions;
  readonly #events: EventEndpoint;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();

  constructor(options: ApiServerOptions) {
    this.#options = options;
    this.slots = new ConnectionSlots(options.connectionLimit);
    this.#events = new EventEndpoint({ context: options.context, rules: options.rules, slots: this.slots });
    this.#server = createServer({ keepAliveTimeout: 0, requestTimeout: 0, headersTimeout: 0 });
    this.#server.on("connection", (socket: Socket) => this.#connect(socket));
    this.#server.on("request", (message: IncomingMessage, response: ServerResponse) => {
      this.#respond(message, response).catch(() => response.destroy());
    });
  }

  /** Returns the URL it listens on. */
  async listen(port: number, host: string): Promise<string> {
    this.#server.listen(port, host);
    await once(this.#server, "listening");
    const address = this.#server.address() as AddressInfo;
    const name = address.family === "IPv6" ? `[${address.address}]` : address.address;
    return `http://${name}:${address.port}`;
  }

  async close(): Promise<void> {
    if (!this.#server.listening) return;
    const closed = once(this.#server, "close");
    this.#server.close();
    for (const socket of this.#sockets) socket.destroy();
    await closed;
  }

  #connect(socket: Socket): void {
    socket.on("error", () => socket.destroy());
    if (!this.slots.admit(socket)) return;
    this.#sockets.add(socket);
    socket.once("close", () => this.#sockets.delete(socket));
  }

  async #respond(message: IncomingMessage, response: ServerResponse): Promise<void> {
    const { socket } = message;
    if (!this.#sockets.has(socket)) return;
    const release = this.slots.occupy(socket);
    try {
      await this.#serve(message, response, socket);
    } finally {
      release();
    }
  }

  async #serve(message: IncomingMessage, response: ServerResponse, socket: Socket): Promise<void> {
    const { context, cluster, rules } = this.#options;
    message.resume();
    const url = urlOf(message);
    const path = url === undefined ? "" : decodeURIComponent(url.pathname);
    const lacking = context.operator.lacks.has(path.replace(/^\/v1\//, ""));
    const found = lacking ? undefined : url && routeOf(cluster, path);
    const gzip = acceptsGzip(message);
    const namespace = url?.searchParams.get("namespace") ?? "default";
    const fault = found && rules.draw({ resource: found.resource, namespace, acceptsGzip: gzip });
    if (fault !== undefined && breakConnection(socket, fault)) return;
    if (url?.pathname === "/v1/event/stream" && message.method === "GET" && mayStream(fault))
      return await this.#events.serve({ message, response, url, fault });
    const reply = await replyTo(context, message, url, found, (request) => {
      if (fault?.kind === "reset-blocked") resetOnSleep(request, socket, fault);
      return fault?.kind === "500";
    });
    if (response.destroyed || socket.destroyed) return;
    const encoded = gzip && reply.contentType !== undefined;
    await send(response, reply, {
      gzip: encoded,
      random: context.random,
      fault,
      bodiless: message.method === "HEAD",
    });
  }
}

/** These faults are whole answers in the stream's place. */
function mayStream(fault: FaultRule | undefined): boolean {
  return fault?.kind !== "500" && fault?.kind !== "wrong-content-type";
}

/** Undefined where the path is not one: a bad escape, say. */
function urlOf(message: IncomingMessage): URL | undefined {
  try {
    const url = new URL(message.url ?? "/", "http://nomad");
    decodeURIComponent(url.pathname);
    return url;
  } catch {
    return undefined;
  }
}

async function replyTo(
  context: ApiContext,
  message: IncomingMessage,
  url: URL | undefined,
  found: Route | undefined,
  breaks: (request: ApiRequest) => boolean,
): Promise<Reply> {
  if (url === undefined) return problem(400, "400 Bad Request");
  if (found === undefined) return NOT_FOUND;
  if (!found.methods.includes(message.method ?? "GET")) return INVALID_METHOD;
  const request = parseRequest(message, url);
  if ("badRequest" in request) return problem(400, request.badRequest);
  return breaks(request) ? problem(500, "rpc error: internal error") : await answer(context, found, request);
}

/** Faults that end the connection without an HTTP answer of ours. */
function breakConnection(socket: Socket, fault: FaultRule): boolean {
  if (fault.kind === "reset") {
    socket.resetAndDestroy();
    return true;
  }
  if (fault.kind === "429") {
    socket.write(TOO_MANY_CONNECTIONS);
    socket.destroySoon();
    return true;
  }
  return false;
}

function resetOnSleep(request: ApiRequest, socket: Socket, fault: FaultRule): void {
  request.onSleep = () => {
    delete request.onSleep;
    setTimeout(() => socket.resetAndDestroy(), fault.delayMs ?? 0).unref();
  };
}
