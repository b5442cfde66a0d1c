import { once } from "node:events";
import { createServer, request, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";
import type { Duplex } from "node:stream";

export interface HttpProxyOptions {
  /** The path below which the target is; it is cut off. All else is not found. */
  readonly below?: string;
  /** Whether WebSockets are passed on; a proxy that was not told of them drops `Upgrade`. */
  readonly upgrades: boolean;
  /** Whether it says what host it was asked as. */
  readonly saysHost?: boolean;
  /** Headers that are set on each request. */
  readonly headers?: Readonly<Record<string, string>>;
}

/** A reverse proxy on this machine, in front of whatever `target` says when a request comes. */
export async function httpProxy(target: () => string, options: HttpProxyOptions) {
  const { below = "", upgrades } = options;
  const onwards = (incoming: IncomingMessage, headers: object) => {
    const path = (incoming.url ?? "").slice(below.length);
    const host = new URL(target()).host;
    const asked = options.saysHost === true ? { "x-forwarded-host": incoming.headers.host } : {};
    const sent = { ...headers, host, ...asked, ...options.headers };
    return request(`${target()}${path}`, { method: incoming.method, headers: sent });
  };
  const isBelow = (incoming: IncomingMessage) => incoming.url?.startsWith(`${below}/`) ?? false;
  let requests = 0;
  const upgraded = new Set<Duplex>();
  const server = createServer((incoming, answer) => {
    requests += 1;
    if (!isBelow(incoming)) {
      answer.writeHead(404).end("not the feed");
      return;
    }
    const { upgrade: _upgrade, connection: _connection, ...headers } = incoming.headers;
    const onward = onwards(incoming, headers);
    onward.on("response", (reply) => {
      answer.writeHead(reply.statusCode ?? 502, reply.headers);
      answer.flushHeaders();
      reply.pipe(answer).on("error", () => undefined);
      reply.on("close", () => answer.destroy());
    });
    onward.on("error", () => answer.writeHead(502).end());
    answer.on("close", () => onward.destroy());
    onward.end();
  });
  if (upgrades) server.on("upgrade", (incoming, client) => pass(incoming, client));
  server.listen(0, "127.0.0.1");
  await once(server, "listening");

  function pass(incoming: IncomingMessage, client: Duplex): void {
    upgraded.add(client.on("error", () => client.destroy()));
    if (!isBelow(incoming)) {
      client.end("HTTP/1.1 404 Not Found\r\nconnection: close\r\n\r\n");
      return;
    }
    const onward = onwards(incoming, incoming.headers);
    onward.on("upgrade", ({ rawHeaders }, socket, first) => {
      client.write(`HTTP/1.1 101 Switching Protocols\r\n${lines(rawHeaders)}\r\n`);
      client.write(first);
      socket.on("error", () => client.destroy()).on("close", () => client.destroy());
      client.on("close", () => socket.destroy());
      socket.pipe(client).pipe(socket);
    });
    onward.on("response", ({ statusCode }) => client.end(`HTTP/1.1 ${statusCode} Refused\r\n\r\n`));
    onward.on("error", () => client.destroy());
    onward.end();
  }

  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}${below}`,
    requests: () => requests,
    [Symbol.dispose]() {
      server.close();
      server.closeAllConnections();
      for (const client of upgraded) client.destroy();
    },
  };
}

function lines(rawHeaders: readonly string[]): string {
  return rawHeaders.map((text, position) => text + (position % 2 === 0 ? ": " : "\r\n")).join("");
}
