import { once } from "node:events";
import { WebSocket, type ClientOptions } from "ws";

export interface Closed {
  readonly code: number;
  readonly reason: string;
}

/** A frame as a subscriber sees it. */
export interface ReceivedEvent {
  readonly text: string;
  readonly type: string;
  readonly cursor?: string;
  readonly id: string;
  readonly data: Record<string, unknown>;
}

export function receivedEvent(text: string): ReceivedEvent {
  return { ...(JSON.parse(text) as Omit<ReceivedEvent, "text">), text };
}

/** The refusal of an upgrade. */
export class UpgradeRefused extends Error {
  readonly status: number;
  readonly body: Record<string, unknown>;
  constructor(status: number, body: string) {
    super(`${status} ${body}`);
    this.status = status;
    this.body = JSON.parse(body) as Record<string, unknown>;
  }
}

/** A WebSocket client that misses nothing: it queues from the first byte, and tests take from the queue. */
export class WebSocketClient {
  readonly socket: WebSocket;
  readonly #queue: ReceivedEvent[] = [];
  readonly #waiting: ((event: ReceivedEvent | undefined) => void)[] = [];
  #closed: Closed | undefined;

  private constructor(socket: WebSocket) {
    this.socket = socket;
    socket.on("message", (data: Buffer) => {
      const event = receivedEvent(data.toString());
      const waiting = this.#waiting.shift();
      if (waiting === undefined) this.#queue.push(event);
      else waiting(event);
    });
    socket.on("close", (code, reason) => {
      this.#closed = { code, reason: reason.toString() };
      for (const waiting of this.#waiting.splice(0)) waiting(undefined);
    });
    socket.on("error", () => undefined);
  }

  /** Resolves when connected. @throws UpgradeRefused */
  static async connect(
    url: string,
    protocols: string[] = [],
    options: ClientOptions = {},
  ): Promise<WebSocketClient> {
    const socket = new WebSocket(url.replace(/^http/, "ws"), protocols, {
      perMessageDeflate: false,
      ...options,
    });
    const client = new WebSocketClient(socket);
    await new Promise<void>((resolve, reject) => {
      socket.once("open", resolve);
      socket.once("error", reject);
      socket.once("unexpected-response", (_request, response) => {
        let body = "";
        response.on("data", (chunk: Buffer) => (body += chunk.toString()));
        response.on("end", () => reject(new UpgradeRefused(response.statusCode ?? 0, body)));
      });
    });
    return client;
  }

  /** The next frame; undefined when the connection is closed and all was taken. */
  async next(): Promise<ReceivedEvent | undefined> {
    const event = this.#queue.shift();
    if (event !== undefined || this.#closed !== undefined) return event;
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  /** Frames up to and with the first that `isLast`, or to the end of the connection. */
  async until(isLast: (event: ReceivedEvent) => boolean): Promise<ReceivedEvent[]> {
    const events: ReceivedEvent[] = [];
    for (let event = await this.next(); event !== undefined; event = await this.next()) {
      events.push(event);
      if (isLast(event)) break;
    }
    return events;
  }

  async closed(): Promise<Closed> {
    if (this.#closed === undefined) await once(this.socket, "close");
    return this.#closed ?? { code: 0, reason: "" };
  }

  async close(): Promise<void> {
    this.socket.close();
    await this.closed();
  }
}
