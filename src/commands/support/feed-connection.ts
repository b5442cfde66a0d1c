import type { IncomingMessage } from "node:http";
import { WebSocket, type RawData } from "ws";

/** Where a reader stands: everything up to `cursor` was handed over. */
export interface Position {
  cursor: string | undefined;
}

export interface ServerError {
  readonly message?: string;
  readonly hint?: string;
}

export type Ending =
  | { readonly kind: "closed"; readonly code: number; readonly opened: boolean; readonly error: ServerError }
  | { readonly kind: "refused"; readonly status: number; readonly body: string }
  /** Something else than a feed speaks there. */
  | { readonly kind: "foreign" };

export interface ConnectionHandlers {
  readonly onHello: (hello: { readonly cursor: string; readonly gap: boolean }) => void;
  readonly onEvent: (json: string) => void | Promise<void>;
}

interface Message {
  readonly type?: string;
  readonly cursor?: string;
  readonly data?: {
    readonly cursor?: string;
    readonly gap?: boolean;
    readonly message?: string;
    readonly hint?: string;
  };
}

/** How long a close handshake may take, ms. */
const CLOSE_GRACE_MS = 1000;

/**
 * One WebSocket connection to /v1/events, from its opening to its end. Events are handed over one after the
 * other, no faster than the reader takes them; the position moves behind them.
 */
export class FeedConnection {
  readonly #socket: WebSocket;
  readonly #position: Position;
  readonly #handlers: ConnectionHandlers;
  readonly #silence: NodeJS.Timeout;
  readonly #end = Promise.withResolvers<Ending>();
  #handled: Promise<void> = Promise.resolve();
  #waiting = 0;
  #opened = false;
  #error: ServerError = {};

  /** @param options silenceMs: after which a connection that says nothing is given up. */
  constructor(
    url: string,
    position: Position,
    handlers: ConnectionHandlers,
    { silenceMs, headers }: { silenceMs: number; headers: Readonly<Record<string, string>> },
  ) {
    this.#position = position;
    this.#handlers = handlers;
    this.#socket = new WebSocket(url, { handshakeTimeout: 10_000, perMessageDeflate: false, headers });
    this.#silence = setTimeout(() => this.#socket.terminate(), silenceMs);
    this.#socket
      .on("open", () => (this.#opened = true))
      .on("ping", () => this.#silence.refresh())
      .on("message", (data) => this.#onMessage(textOf(data)))
      .on("unexpected-response", (_request, response) => void this.#onRefusal(response))
      .on("error", (error: Error & { code?: string }) => {
        // Node's error of several addresses tried has no message of its own.
        if (this.#error.message === undefined)
          this.#error = { message: error.message || (error.code ?? error.name) };
      })
      .on("close", (code) => void this.#onClose(code));
  }

  /** How it ended; rejects only with what `onEvent` threw. `signal` closes it. */
  async ended(signal: AbortSignal): Promise<Ending> {
    const stop = () => {
      this.#socket.close(1000);
      setTimeout(() => this.#socket.terminate(), CLOSE_GRACE_MS).unref();
    };
    signal.addEventListener("abort", stop, { once: true });
    try {
      return await this.#end.promise;
    } finally {
      clearTimeout(this.#silence);
      signal.removeEventListener("abort", stop);
      this.#socket.terminate();
    }
  }

  #onMessage(text: string): void {
    this.#silence.refresh();
    const message = parseMessage(text);
    if (message === undefined) {
      this.#end.resolve({ kind: "foreign" });
      return;
    }
    const { data } = message;
    if (message.type === "nomad.feed.error") {
      this.#error = data ?? {};
    } else if (message.type === "nomad.feed.hello") {
      this.#position.cursor = data?.cursor;
      this.#handlers.onHello({ cursor: data?.cursor ?? "", gap: data?.gap === true });
    } else {
      this.#handOver(text, message);
    }
  }

  #handOver(text: string, message: Message): void {
    this.#waiting += 1;
    this.#socket.pause();
    this.#handled = this.#deliver(this.#handled, text, message);
    this.#handled.catch((error: unknown) => this.#end.reject(error));
  }

  /** Events have their own cursor; a bookmark's is in its data. */
  async #deliver(before: Promise<void>, text: string, { cursor, data }: Message): Promise<void> {
    await before;
    if (cursor !== undefined) await this.#handlers.onEvent(text);
    this.#position.cursor = cursor ?? data?.cursor ?? this.#position.cursor;
    this.#waiting -= 1;
    if (this.#waiting === 0) this.#socket.resume();
  }

  async #onRefusal(response: IncomingMessage): Promise<void> {
    const parts: Buffer[] = [];
    try {
      for await (const part of response) parts.push(part as Buffer);
    } catch {
      // The status alone says enough.
    }
    this.#end.resolve({
      kind: "refused",
      status: response.statusCode ?? 0,
      body: Buffer.concat(parts).toString(),
    });
  }

  async #onClose(code: number): Promise<void> {
    await this.#handled.catch(() => undefined);
    this.#end.resolve({ kind: "closed", code, opened: this.#opened, error: this.#error });
  }
}

function parseMessage(text: string): Message | undefined {
  try {
    const message: unknown = JSON.parse(text);
    return typeof message === "object" && message !== null ? message : undefined;
  } catch {
    return undefined;
  }
}

function textOf(data: RawData): string {
  if (Array.isArray(data)) return Buffer.concat(data).toString();
  return Buffer.isBuffer(data) ? data.toString() : Buffer.from(data).toString();
}
