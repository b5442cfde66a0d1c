import type { IncomingMessage, Server, ServerResponse } from "node:http";
import { Socket } from "node:net";
import { createProxyServer, type ProxyServerOptions } from "httpxy";
import { requestOf, type StreamRequest } from "../../publishers/nomad-events/selection.ts";
import { listenAddress } from "../../shared/loopback.ts";
import { ListenFailed } from "../errors.ts";
import { createListener, type ListenerOptions } from "../listener.ts";
import { wantsExtra, type ExtraMode } from "./extra-choice.ts";
import { serveStream, type StreamDeps } from "./stream.ts";
import type { NomadTarget } from "./upstream.ts";

export interface NomadEventsDeps extends StreamDeps {
  /** Who gets frames that Nomad never sends. */
  readonly extra: ExtraMode;
}

export interface NomadEventsOptions extends ListenerOptions {
  readonly host: string;
  /** 0 takes any free port. */
  readonly port: number;
}

const STREAM = "/v1/event/stream";
/** Of these Nomad decides event by event, by rights on paths that we do not know. */
const DECIDED_BY_NOMAD = "Variable";

/**
 * Nomad's HTTP API as its clients know it: the event stream comes from what was recorded, and everything else, also what
 * of the stream is not recorded, from Nomad itself, with the caller's own token.
 */
export class NomadEventsServer implements AsyncDisposable {
  readonly #deps: NomadEventsDeps;
  readonly #options: NomadEventsOptions;
  readonly #listener: ReturnType<typeof createListener>;
  readonly #server: Server;
  readonly #proxy = createProxyServer({ ws: true, xfwd: false, proxyTimeout: 0, timeout: 0 });
  readonly #sockets = new Set<Socket>();

  /** @throws TlsFilesUnusable */
  constructor(deps: NomadEventsDeps, options: NomadEventsOptions) {
    this.#deps = deps;
    this.#options = options;
    this.#listener = createListener(options, deps);
    this.#server = this.#listener.create((message, response) => void this.#answer(message, response));
    this.#server.requestTimeout = 0;
    this.#server.on("connection", (socket: Socket) => {
      this.#sockets.add(socket);
      socket.once("close", () => this.#sockets.delete(socket));
    });
    this.#server.on("upgrade", (message: IncomingMessage, socket: Socket, head: Buffer) => {
      const { target } = this.#deps.upstream;
      void this.#proxy.ws(message, socket, optionsFor(target), head).catch((error: unknown) => {
        this.#failed(target, error);
        socket.destroy();
      });
    });
    this.#proxy.on("error", (error, _message, answer) => {
      this.#failed(this.#deps.upstream.target, error);
      if (answer instanceof Socket) answer.destroy();
      else if (answer !== undefined) unreachable(answer, error);
    });
  }

  /** Where it is reached. @throws ListenFailed */
  async listen(): Promise<string> {
    const { host, port, tls } = this.#options;
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    this.#server.once("error", (error) => reject(new ListenFailed(host, port, error, "--compat-listen")));
    this.#server.listen({ host: listenAddress(host), port }, resolve);
    await promise;
    const bound = this.#server.address();
    const boundPort = bound !== null && typeof bound === "object" ? bound.port : port;
    return `${tls === undefined ? "http" : "https"}://${host.includes(":") ? `[${host}]` : host}:${boundPort}`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#server.close(() => resolve());
    for (const socket of this.#sockets) socket.destroy();
    this.#listener.close();
    this.#proxy.close();
    await promise;
  }

  async #answer(message: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(message.url ?? "/", "http://localhost");
    try {
      const isStream = message.method === "GET" && url.pathname === STREAM;
      const withExtra = isStream && wantsExtra(url.searchParams, this.#deps.extra);
      if (typeof withExtra === "string") {
        response.writeHead(400, { "content-type": "text/plain; charset=utf-8" }).end(withExtra);
        return;
      }
      const request = isStream ? requestOf(url.searchParams, withExtra) : undefined;
      if (request === undefined || !(await this.#isOurs(request, url.searchParams)))
        await this.#passOn(message, response);
      else await serveStream(message, response, { query: url.searchParams, request }, this.#deps);
    } catch (error) {
      if (!response.destroyed) {
        this.#deps.logger.warn(
          { err: error, path: url.pathname },
          "a request to the stand-in for Nomad failed",
        );
        unreachable(response, error);
      }
    }
  }

  async #isOurs({ topics }: StreamRequest, query: URLSearchParams): Promise<boolean> {
    if (topics.has(DECIDED_BY_NOMAD) || query.has("region")) return false;
    return this.#deps.covers(topics.keys());
  }

  async #passOn(message: IncomingMessage, response: ServerResponse): Promise<void> {
    const { target } = this.#deps.upstream;
    await this.#proxy.web(message, response, optionsFor(target));
  }

  #failed(target: NomadTarget, error: unknown): void {
    this.#deps.upstream.failed(target);
    this.#deps.logger.debug(
      { err: error, address: target.display },
      "a request could not be passed on to Nomad",
    );
  }
}

function optionsFor({
  url,
  socketPath,
  agent,
  secure,
  skipVerify,
  authorization,
}: NomadTarget): ProxyServerOptions {
  return {
    target: socketPath === undefined ? url : { protocol: url.protocol, host: url.hostname, socketPath },
    agent,
    secure: !skipVerify,
    // A certificate is for the name of its host.
    changeOrigin: secure,
    ...(authorization !== undefined && { headers: { authorization } }),
  };
}

function unreachable(response: ServerResponse, error: unknown): void {
  if (response.headersSent) {
    response.destroy();
    return;
  }
  const reason = error instanceof Error ? error.message : String(error);
  response.writeHead(502, { "content-type": "text/plain" }).end(`Nomad cannot be reached: ${reason}`);
}
