import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from "node:http";
import type { ServerOptions } from "node:https";
import { serveHttp, type TestServer } from "./nomad-servers.ts";

export interface Received {
  readonly method: string;
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

/** Answers a request; the request is kept only where this answers with a 2xx. */
export type Answer = (response: ServerResponse, request: Received) => void;

/** Answers with that status; what is sent to it counts as not taken. */
export function status(code: number, headers: Record<string, string> = {}, body = ""): Answer {
  return (response) => void response.writeHead(code, headers).end(body);
}

/** A receiver of webhooks on loopback. */
export class WebhookSink implements AsyncDisposable {
  /** What was answered ok, in order of arrival. */
  readonly taken: Received[] = [];
  answer: Answer = status(200);
  readonly #tls: ServerOptions | undefined;
  #server: TestServer | undefined;
  #port = 0;

  private constructor(tls: ServerOptions | undefined) {
    this.#tls = tls;
  }

  static async start(tls?: ServerOptions): Promise<WebhookSink> {
    const sink = new WebhookSink(tls);
    await sink.comeBack();
    return sink;
  }

  get url(): string {
    return `${this.#tls === undefined ? "http" : "https"}://127.0.0.1:${this.#port}`;
  }

  /** Connections that are open. */
  open(): number {
    return this.#server?.open() ?? 0;
  }

  /** Ends all connections, and takes no more. */
  async leave(): Promise<void> {
    await this.#server?.[Symbol.asyncDispose]();
    this.#server = undefined;
  }

  /** Listens again, where it did before. */
  async comeBack(): Promise<void> {
    const options = { port: this.#port, ...(this.#tls && { tls: this.#tls }) };
    this.#server ??= await serveHttp((request, response) => this.#serve(request, response), options);
    this.#port = this.#server.port;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.leave();
  }

  #serve(request: IncomingMessage, response: ServerResponse): void {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      const { method = "", url = "", headers } = request;
      const received = { method, path: url, headers, body: Buffer.concat(chunks) };
      this.answer(response, received);
      if (response.headersSent && response.statusCode < 300) this.taken.push(received);
    });
  }
}
