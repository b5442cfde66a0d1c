import { once } from "node:events";
import { createServer, type IncomingHttpHeaders, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";
import { WebSocketServer, type WebSocket } from "ws";
import { until } from "./until.ts";

/** An answer in HTTP. */
export interface ScriptedAnswer {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
}

/** What a scripted server does with one connection; an answer: it does not let it become one. */
export type Script = ((socket: WebSocket) => void) | ScriptedAnswer;

interface ScriptedRequest {
  readonly method: string;
  readonly path: string;
  readonly query: URLSearchParams;
  readonly atMs: number;
}

/** A server that plays one script per connection, the last one again and again. */
export async function scriptedFeed(...scripts: Script[]) {
  const queries: URLSearchParams[] = [];
  const paths: string[] = [];
  const headers: IncomingHttpHeaders[] = [];
  const requests: ScriptedRequest[] = [];
  let answers: readonly ScriptedAnswer[] = [{ status: 404, body: "no page" }];
  let asked = 0;
  const http = createServer((request, response) => {
    const { pathname, searchParams } = new URL(request.url ?? "", "http://x");
    requests.push({
      method: request.method ?? "",
      path: pathname,
      query: searchParams,
      atMs: performance.now(),
    });
    const {
      status,
      headers: says = {},
      body,
    } = answers[Math.min(asked, answers.length - 1)] ?? { status: 404 };
    asked += 1;
    response.writeHead(status, says).end(body);
  }).listen(0, "127.0.0.1");
  const chosen = new WeakMap<IncomingMessage, Script>();
  const server = new WebSocketServer({
    server: http,
    verifyClient: ({ req }, accept) => {
      const { pathname, searchParams } = new URL(req.url ?? "", "ws://x");
      queries.push(searchParams);
      paths.push(pathname);
      headers.push(req.headers);
      const script = scripts[Math.min(queries.length, scripts.length) - 1] ?? { status: 500 };
      chosen.set(req, script);
      if (typeof script === "function") accept(true);
      else accept(false, script.status, script.body, script.headers);
    },
    handleProtocols: (offered) => (offered.has("cloudevents.json") ? "cloudevents.json" : false),
  });
  await once(http, "listening");
  server.on("connection", (socket, request) => {
    const script = chosen.get(request);
    if (typeof script === "function") script(socket);
  });
  return {
    url: `http://127.0.0.1:${(http.address() as AddressInfo).port}`,
    /** What each connection asked for. */
    queries,
    paths,
    headers,
    /** What came besides. */
    requests,
    /** Connections that are open now. */
    get open() {
      return server.clients.size;
    },
    /** Of plain requests; 404 of somebody who is no feed until this is said. */
    answerData(status: number, body?: object) {
      answers = [{ status, body: body === undefined ? "no page" : JSON.stringify(body) }];
    },
    /** One after the other, the last one again and again. */
    answerInTurn(...inTurn: ScriptedAnswer[]) {
      if (inTurn.length > 0) answers = inTurn;
    },
    /** Resolves once there were so many plain requests. */
    asked: (times: number) => until(`${times} requests`, () => asked >= times),
    /** To all who are connected. */
    say(text: string) {
      for (const client of server.clients) client.send(text);
    },
    [Symbol.dispose]() {
      for (const client of server.clients) client.terminate();
      server.close();
      http.close();
      http.closeAllConnections();
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
export const event = (cursor: string) => text("nomad.job.updated", { cursor, data: { op: "update" } });
export const failure = (data: object) => text("nomad.feed.error", { data });
