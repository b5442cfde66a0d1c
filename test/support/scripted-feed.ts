import { once } from "node:events";
import type { IncomingHttpHeaders } from "node:http";
import type { AddressInfo } from "node:net";
import { WebSocketServer, type WebSocket } from "ws";

/** What a scripted server does with one connection. */
export type Script = (socket: WebSocket) => void;

/** A server that plays one script per connection, the last one again and again. */
export async function scriptedFeed(...scripts: Script[]) {
  const server = new WebSocketServer({
    port: 0,
    host: "127.0.0.1",
    handleProtocols: (offered) => (offered.has("cloudevents.json") ? "cloudevents.json" : false),
  });
  await once(server, "listening");
  const queries: URLSearchParams[] = [];
  const headers: IncomingHttpHeaders[] = [];
  server.on("connection", (socket, request) => {
    queries.push(new URL(request.url ?? "", "ws://x").searchParams);
    headers.push(request.headers);
    scripts[Math.min(queries.length, scripts.length) - 1]?.(socket);
  });
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    /** What each connection asked for. */
    queries,
    headers,
    /** Connections that are open now. */
    get open() {
      return server.clients.size;
    },
    [Symbol.dispose]() {
      for (const client of server.clients) client.terminate();
      server.close();
    },
  };
}

/** Sends these texts, then closes with this code; 1006: without a word. Without a code it stays open. */
export function sends(texts: readonly string[], closeCode?: number): Script {
  return (socket) => {
    for (const text of texts) socket.send(text);
    // A ping goes behind the texts: when it is on its way, so are they.
    if (closeCode === 1006) socket.ping("", false, () => socket.terminate());
    else if (closeCode !== undefined) socket.close(closeCode);
  };
}

const text = (type: string, rest: object) => JSON.stringify({ type, ...rest });
export const hello = (cursor: string, gap = false) =>
  text("nomad.feed.hello", { id: "h", data: { cursor, gap, feed: "nomad://test/global", epoch: "e" } });
export const bookmark = (cursor: string) => text("nomad.feed.bookmark", { data: { cursor } });
export const gap = (wanted: string, cursor: string) =>
  text("nomad.feed.gap", { data: { reason: "expired", wanted, cursor } });
export const event = (cursor: string) => text("nomad.job.updated", { cursor, data: { op: "update" } });
export const failure = (data: object) => text("nomad.feed.error", { data });
