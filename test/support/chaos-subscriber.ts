import { setTimeout as delay } from "node:timers/promises";
import type { Random } from "../../packages/nomad-simulator/src/random.ts";
import { HttpStream, type StreamItem } from "./http-stream.ts";
import { ReceivedEvents } from "./received-events.ts";
import { receivedEvent, WebSocketClient, type ReceivedEvent } from "./websocket-client.ts";

export const SUBSCRIBER_FORMATS = ["websocket", "sse", "ndjson", "page"] as const;
type Format = (typeof SUBSCRIBER_FORMATS)[number];

export interface ChaosSubscriberOptions {
  readonly format: Format;
  /** Absent: of all of them, at `/v1/events`. */
  readonly feed?: string;
  /** The process's address now; undefined while it does not run. */
  readonly where: () => string | undefined;
  readonly random: Random;
}

const PAGE_LIMIT = 500;
const AGAIN_AFTER_MS = 100;

/** Goes on at its last cursor whenever its connection ends, and often ends it itself. */
export class ChaosSubscriber {
  readonly name: string;
  /** Absent: of all of them. */
  readonly feed: string | undefined;
  readonly received: ReceivedEvents;
  connections = 0;
  readonly #options: ChaosSubscriberOptions;
  #cursor: string | undefined;

  constructor(options: ChaosSubscriberOptions) {
    this.#options = options;
    this.feed = options.feed;
    this.name = `${options.feed ?? "all feeds"} as ${options.format}`;
    this.received = new ReceivedEvents(this.name);
  }

  /** Until the signal aborts. */
  async run(signal: AbortSignal): Promise<void> {
    const { feed } = this;
    const { where, format, random } = this.#options;
    while (!signal.aborted) {
      const base = where();
      const path = feed === undefined ? "/v1/events" : `/v1/feeds/${feed}/events`;
      try {
        if (base !== undefined) {
          const url = new URL(path, base);
          url.searchParams.set("cursor", this.#cursor ?? "earliest");
          if (format === "page") await this.#readPage(url);
          else await this.#follow(url.href, AbortSignal.any([signal, lifetime(random)]));
        }
      } catch {
        // The process is being killed, or starts.
      }
      await delay(AGAIN_AFTER_MS);
    }
  }

  async #readPage(url: URL): Promise<void> {
    url.searchParams.set("limit", String(PAGE_LIMIT));
    const response = await fetch(url, { signal: AbortSignal.timeout(10_000) });
    const body = await response.text();
    if (!response.ok) {
      this.#refused(response.status, body);
      return;
    }
    this.#connected();
    if (response.headers.get("x-changefeed-gap") !== null)
      this.received.wrong("a page says that events are gone");
    for (const event of JSON.parse(body) as object[]) this.#take(receivedEvent(JSON.stringify(event)));
    this.#cursor = response.headers.get("x-changefeed-cursor") ?? this.#cursor;
  }

  async #follow(url: string, signal: AbortSignal): Promise<void> {
    const isWebSocket = this.#options.format === "websocket";
    await using stream = await (isWebSocket ? webSocketAt(url) : this.#openHttp(url));
    if (stream === undefined) return;
    this.#connected();
    const end = () => void stream[Symbol.asyncDispose]();
    signal.addEventListener("abort", end, { once: true });
    if (signal.aborted) end();
    try {
      for (let item = await stream.next(); item !== undefined; item = await stream.next()) {
        this.#take(item.event);
        const cursor = this.#placeAfter(item);
        if (cursor === undefined) continue;
        this.received.told(cursor, this.feed);
        this.#cursor = cursor;
      }
    } finally {
      signal.removeEventListener("abort", end);
    }
  }

  async #openHttp(url: string): Promise<HttpStream | undefined> {
    const { format } = this.#options;
    const stream = await HttpStream.open(
      url,
      format === "sse" ? "text/event-stream" : "application/x-ndjson",
    );
    if (stream.response.ok) return stream;
    this.#refused(stream.response.status, await stream.response.text());
    return undefined;
  }

  /** What is kept for the next connection: over several feeds only SSE has it with each event, else bookmarks tell it. */
  #placeAfter({ event, id }: StreamItem): string | undefined {
    if (id !== undefined) return id;
    if (event.type === "nomad.feed.bookmark") return String(event.data["cursor"]);
    return this.feed === undefined ? undefined : event.cursor;
  }

  #connected(): void {
    this.connections += 1;
    this.received.connected(this.#cursor, this.feed);
  }

  #take({ type, text }: ReceivedEvent): void {
    if (type === "nomad.feed.gap") this.received.wrong(`told of a gap: ${text}`);
    const { sequence, source, id } = JSON.parse(text) as { sequence?: string; source: string; id: string };
    // The cluster has the name of the feed.
    if (sequence !== undefined) this.received.take(new URL(source).host, { sequence: Number(sequence), id });
  }

  /** Those that come too early are told to come again. */
  #refused(status: number, body: string): void {
    if (status !== 503) this.received.wrong(`asked from ${this.#cursor}, answered ${status}: ${body}`);
  }
}

/** Most connections end before the process does. */
function lifetime(random: Random): AbortSignal {
  return AbortSignal.timeout(random.between(300, 6_000));
}

async function webSocketAt(url: string) {
  const client = await WebSocketClient.connect(url);
  return {
    next: async (): Promise<StreamItem | undefined> => {
      const event = await client.next();
      return event && { event };
    },
    [Symbol.asyncDispose]: () => client.close(),
  };
}
