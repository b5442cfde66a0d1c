import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from "node:http";
import { duplexPair, type Duplex } from "node:stream";
import type { FastifyInstance } from "fastify";
import type { Clock } from "../../shared/clock.ts";
import type { Limits } from "../access/limits.ts";

/** An answer that was given within the process. */
export interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

/** A server without a port: another one takes its connections, and hands requests over. */
export interface MountedServer {
  request(message: IncomingMessage, response: ServerResponse): void;
  upgrade(message: IncomingMessage, socket: Duplex, head: Buffer): void;
  /** What it answers to a GET of the path, asked as `message` asks. */
  ask(path: string, message: IncomingMessage): Promise<Answer>;
  /** A connection to it within the process, which counts as one of that address. */
  connect(address: string): Duplex;
}

/** Where a server is mounted in place of listening by itself. */
export interface Mount {
  /** Where it is seen from outside. */
  readonly url: string;
  /** Shared by all that are mounted: an address has them once. */
  readonly limits: Limits;
  /** What is said to whoever comes while no server is here. */
  awaited: string;
  /** From now on requests come to the server, until the returned function is called. */
  enter(server: MountedServer): () => void;
}

/** An app as a server without a port. It knows what it has not answered yet, so that it can be closed. */
export class MountedApp implements MountedServer {
  readonly #app: FastifyInstance;
  readonly #open = new Set<{ destroy(): unknown }>();
  #whenEmpty: (() => void) | undefined;

  constructor(app: FastifyInstance) {
    this.#app = app;
  }

  request(message: IncomingMessage, response: ServerResponse): void {
    this.#hold(response);
    this.#app.server.emit("request", message, response);
  }

  upgrade(message: IncomingMessage, socket: Duplex, head: Buffer): void {
    this.#hold(socket);
    this.#app.server.emit("upgrade", message, socket, head);
  }

  async ask(path: string, { headers, socket }: IncomingMessage): Promise<Answer> {
    const { "content-length": _length, "transfer-encoding": _coding, ...asked } = headers;
    const answer = await this.#app.inject({
      method: "GET",
      url: path,
      headers: asked,
      remoteAddress: socket.remoteAddress ?? "",
    });
    return { status: answer.statusCode, headers: answer.headers as IncomingHttpHeaders, body: answer.body };
  }

  connect(address: string): Duplex {
    const [ours, theirs] = duplexPair();
    // Neither of the two hears of the other's end.
    ours.once("close", () => theirs.destroy());
    theirs.once("close", () => ours.destroy());
    this.#app.server.emit("connection", Object.assign(theirs, { remoteAddress: address }));
    return ours;
  }

  /** Resolves when everything is answered; what is not after `stopMs` is cut. */
  async closed(stopMs: number, clock: Pick<Clock, "after">): Promise<void> {
    if (this.#open.size === 0) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#whenEmpty = resolve;
    const spare = clock.after(stopMs, () => {
      for (const one of this.#open) one.destroy();
    });
    await promise;
    spare();
  }

  #hold(one: Duplex | ServerResponse): void {
    this.#open.add(one);
    one.once("close", () => {
      this.#open.delete(one);
      if (this.#open.size === 0) this.#whenEmpty?.();
    });
  }
}
