import { HttpStream } from "./http-stream.ts";
import { WebSocketClient, type ReceivedEvent } from "./websocket-client.ts";

export const STREAMS = ["websocket", "sse", "ndjson"] as const;
export type StreamName = (typeof STREAMS)[number];

const ACCEPT = { sse: "text/event-stream", ndjson: "application/x-ndjson" } as const;

/** A stream of any format, as its subscriber sees it. */
export interface Reader extends AsyncDisposable {
  /** Events up to and with the first that `isLast`, or to the end. */
  until(isLast: (event: ReceivedEvent) => boolean): Promise<ReceivedEvent[]>;
}

export async function openStream(format: StreamName, url: string): Promise<Reader> {
  if (format === "websocket") {
    const client = await WebSocketClient.connect(url);
    return { until: (isLast) => client.until(isLast), [Symbol.asyncDispose]: () => client.close() };
  }
  const stream = await HttpStream.open(url, ACCEPT[format]);
  return {
    until: async (isLast) => (await stream.until(isLast)).map(({ event }) => event),
    [Symbol.asyncDispose]: () => stream[Symbol.asyncDispose](),
  };
}

/** `nomad.feed.snapshot` without what all frames of the connection begin with. */
export function frameName({ type, data, id }: ReceivedEvent): string {
  if (type === "nomad.feed.snapshot") return `snapshot ${String(data["phase"])}`;
  if (type.startsWith("nomad.feed.")) return type.slice("nomad.feed.".length);
  return type.endsWith(".snapshot") ? `object ${id.replace(/@.*/, "")}` : id;
}
