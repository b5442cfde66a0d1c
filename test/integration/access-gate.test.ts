import { request, type IncomingHttpHeaders } from "node:http";
import { connect } from "node:net";
import { text } from "node:stream/consumers";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { systemClock } from "../../src/shared/clock.ts";
import { AuthUnavailable } from "../../src/http/access/errors.ts";
import type { HttpServerDeps, HttpServerOptions } from "../../src/http/server.ts";
import { createLogger } from "../../src/telemetry/logger.ts";
import { AccessFeed, bearer } from "../support/access-feed.ts";
import { until } from "../support/until.ts";
import { receivedEvent, UpgradeRefused, WebSocketClient } from "../support/websocket-client.ts";

const TOKEN = "static-token-that-comes-in-0001";
const EXPIRED = "static-token-whose-time-is-over";

type Headers = Readonly<Record<string, string>>;

/** How a refusal came back: the code, and the status of the answer or the code of the close frame. */
interface Refusal {
  readonly code: unknown;
  readonly status?: number;
  readonly closeCode?: number;
}

const WAYS = ["route", "page", "sse", "ndjson", "upgrade", "browser"] as const;
type Way = (typeof WAYS)[number];
const STREAMS: readonly Way[] = ["sse", "ndjson", "upgrade", "browser"];

const MEDIA: Partial<Record<Way, string>> = { sse: "text/event-stream", ndjson: "application/x-ndjson" };

interface Row {
  /** All, where none are named. */
  readonly ways?: readonly Way[];
  readonly path?: string;
  readonly query?: string | ((url: string) => Promise<string>);
  readonly headers?: Headers;
  readonly options?: Partial<HttpServerOptions>;
  /** Without, tokens are asked for. */
  readonly authenticators?: HttpServerDeps["authenticators"];
  /** Code, HTTP status, close code. */
  readonly refused: readonly [string, number, number];
  readonly retryable?: true;
}

const FORBIDDEN = ["FORBIDDEN", 403, 4403] as const;
const UNAUTHORIZED = ["UNAUTHORIZED", 401, 4401] as const;
const INVALID_PARAMETER = ["INVALID_PARAMETER", 400, 4400] as const;
const LIMIT = ["LIMIT", 429, 4429] as const;
const KNOWN = bearer(TOKEN);

const ROWS: Readonly<Record<string, Row>> = {
  "a page of another origin": { headers: { ...KNOWN, origin: "http://evil.example" }, refused: FORBIDDEN },
  "a page of another origin, whose token is unknown": {
    headers: { ...bearer("nobody's"), origin: "http://evil.example" },
    refused: FORBIDDEN,
  },
  "a page of another origin at a path that does not exist": {
    path: "/nowhere",
    headers: { ...KNOWN, origin: "http://evil.example" },
    refused: FORBIDDEN,
  },
  // A browser that opens a WebSocket says by its Origin where the page is from.
  "an image in a page of another site": {
    ways: WAYS.filter((way) => way !== "browser"),
    headers: { ...KNOWN, "sec-fetch-site": "cross-site", "sec-fetch-mode": "no-cors" },
    refused: FORBIDDEN,
  },
  "another name for a loopback address": {
    headers: { host: "evil.example" },
    authenticators: [],
    refused: FORBIDDEN,
  },
  "no token": { refused: UNAUTHORIZED },
  "no token, at a path that does not exist": { path: "/nowhere", refused: UNAUTHORIZED },
  "no token, at a path that cannot be decoded": {
    path: "/v1/data/%zz",
    refused: UNAUTHORIZED,
  },
  "no token, and a wrong parameter": { query: "typos=jobs", refused: UNAUTHORIZED },
  "an unknown token": { headers: bearer("never-heard-of-this-token"), refused: UNAUTHORIZED },
  "a token whose time is over": { headers: bearer(EXPIRED), refused: UNAUTHORIZED },
  "a ticket that was used": {
    query: async (url) => {
      const answer = await fetch(`${url}/v1/tickets`, { method: "POST", headers: KNOWN });
      const { ticket } = (await answer.json()) as { ticket: string };
      expect((await fetch(`${url}/v1/events?ticket=${ticket}`)).status).toBe(200);
      return `ticket=${ticket}`;
    },
    refused: UNAUTHORIZED,
  },
  "a token in the URL": { query: `token=${TOKEN}`, headers: KNOWN, refused: INVALID_PARAMETER },
  "two tokens": { headers: { ...KNOWN, "x-nomad-token": EXPIRED }, refused: INVALID_PARAMETER },
  "a wrong parameter": { query: "typos=jobs", headers: KNOWN, refused: INVALID_PARAMETER },
  "a URL that is too long": {
    query: `namespaces=${"n".repeat(8200)}`,
    headers: KNOWN,
    refused: ["URL_TOO_LONG", 414, 4400],
  },
  "too many connections of an address": {
    headers: KNOWN,
    options: { limits: { connectionsPerAddress: 0 } },
    refused: LIMIT,
    retryable: true,
  },
  "too many requests of an address": {
    headers: KNOWN,
    options: { limits: { requestsPerSecond: 0 } },
    refused: LIMIT,
    retryable: true,
  },
  "too many requests of an address, at a path that does not exist": {
    path: "/nowhere",
    headers: KNOWN,
    options: { limits: { requestsPerSecond: 0 } },
    refused: LIMIT,
  },
  "too many streams of a token": {
    ways: STREAMS,
    headers: KNOWN,
    options: { limits: { connectionsPerToken: 0 } },
    refused: LIMIT,
    retryable: true,
  },
  "Nomad away": {
    headers: KNOWN,
    authenticators: [{ identify: () => Promise.reject(new AuthUnavailable()) }],
    refused: ["AUTH_UNAVAILABLE", 503, 1013],
    retryable: true,
  },
  "a path that does not exist": {
    path: "/nowhere",
    headers: KNOWN,
    refused: ["NOT_FOUND", 404, 4400],
  },
};

let access: AccessFeed;
beforeAll(async () => {
  access = await AccessFeed.open();
  const everything = { namespaces: ["*"], resources: ["*"] };
  access.writeTokens([
    { name: "known", token: TOKEN, ...everything },
    { name: "expired", token: EXPIRED, ...everything, expires: "2020-01-01T00:00:00Z" },
  ]);
});
afterEach(() => access.feed.closeServers());
afterAll(() => access[Symbol.asyncDispose]());

/** A connection of its own, with whatever Host there should be. */
async function get(url: string, headers: Headers): Promise<{ status: number; type: string; body: string }> {
  const answer = await new Promise<{ status: number; headers: IncomingHttpHeaders; body: Promise<string> }>(
    (resolve, reject) => {
      request(url, { headers, agent: false }, (response) =>
        resolve({ status: response.statusCode ?? 0, headers: response.headers, body: text(response) }),
      )
        .on("error", reject)
        .end();
    },
  );
  return { status: answer.status, type: answer.headers["content-type"] ?? "", body: await answer.body };
}

function refusalIn({ status, type, body }: { status: number; type: string; body: string }): Refusal {
  if (!type.startsWith("text/event-stream")) return { status, code: codeIn(body) };
  const { data } = receivedEvent(/^data: (.*)$/m.exec(body)?.[1] ?? "{}");
  return { status, code: data["code"], closeCode: Number(data["closeCode"]) };
}

function codeIn(body: string): unknown {
  return (JSON.parse(body) as { code?: unknown }).code;
}

async function upgrade(url: string, { origin, ...headers }: Headers): Promise<Refusal> {
  try {
    const client = await WebSocketClient.connect(url, [], {
      headers,
      ...(origin !== undefined && { origin }),
    });
    const frame = await client.next();
    const { code, reason } = await client.closed();
    expect(frame?.data).toMatchObject({ code: reason, closeCode: code });
    return { code: reason, closeCode: code };
  } catch (error) {
    if (!(error instanceof UpgradeRefused)) throw error;
    return { code: error.body["code"], status: error.status };
  }
}

async function ask(way: Way, url: string, { path, headers = {} }: Row, query: string): Promise<Refusal> {
  const target = `${url}${path ?? (way === "route" ? "/v1/history" : "/v1/events")}?${query}`;
  if (way === "upgrade") return upgrade(target, headers);
  if (way === "browser")
    return upgrade(target, { origin: `http://${headers["host"] ?? new URL(url).host}`, ...headers });
  return refusalIn(await get(target, { ...headers, accept: MEDIA[way] ?? "*/*" }));
}

function expected(way: Way, { refused: [code, status, closeCode], retryable, headers = {} }: Row): Refusal {
  if (way === "sse" && retryable === true) return { code, status: 200, closeCode };
  return way === "browser" || (way === "upgrade" && "origin" in headers)
    ? { code, closeCode }
    : { code, status };
}

async function refusals(code: string): Promise<number> {
  const { values } = await access.feed.metrics.refusals.get();
  return values.find(({ labels }) => labels.code === code)?.value ?? 0;
}

it.each(Object.entries(ROWS))(
  "%s: refused alike on every way in, counted, and in the log",
  async (_name, row) => {
    const lines: Record<string, unknown>[] = [];
    const destination = {
      write: (line: string) => void lines.push(JSON.parse(line) as Record<string, unknown>),
    };
    const logger = createLogger({ level: "debug", format: "json", destination });
    let elapsedMs = 0;
    const { authenticators = access.authenticators() } = row;
    const deps = { authenticators, logger, clock: { ...systemClock, elapsed: () => elapsedMs } };
    const { url } = await access.feed.serve(row.options, deps);
    const { ways = WAYS } = row;
    const query = typeof row.query === "function" ? await row.query(url) : (row.query ?? "");
    const before = await refusals(row.refused[0]);
    const found: Partial<Record<Way, Refusal>> = {};
    for (const way of ways) {
      found[way] = await ask(way, url, row, query);
      // The same again is another line only after a while.
      elapsedMs += 10_000;
    }
    expect(found).toEqual(Object.fromEntries(ways.map((way) => [way, expected(way, row)])));
    expect((await refusals(row.refused[0])) - before).toBe(ways.length);
    const told = () => lines.filter(({ msg }) => msg === "request refused");
    await until("the lines", () => told().length === ways.length);
    const first = told()[0];
    for (const { code, level, address, subscriber } of told()) {
      expect({ code, level, address, subscriber }).toEqual({
        code: row.refused[0],
        level: first?.["level"],
        address: "127.0.0.1",
        subscriber: first?.["subscriber"],
      });
    }
  },
);

it("far too many connections of an address are closed before anything is read from them, and counted", async () => {
  const { url } = await access.feed.serve({ limits: { connectionsPerAddress: 1 } });
  const { hostname, port } = new URL(url);
  const before = await refusals("LIMIT");
  let closed = 0;
  const sockets = Array.from({ length: 20 }, () => {
    const socket = connect(Number(port), hostname);
    socket.on("error", () => undefined);
    return socket.on("close", () => (closed += 1));
  });
  // One, and sixteen that are told.
  await until("three are closed", () => closed === 3);
  await until("all are open or closed", () => sockets.every(({ connecting }) => !connecting));
  expect((await refusals("LIMIT")) - before).toBe(3);
  for (const socket of sockets) socket.destroy();
});

describe("a server that stops", () => {
  /** A connection with a request that lacks its end, so that it is not idle. */
  async function halfSent(url: string, path: string, headers: Headers): Promise<() => Promise<string>> {
    const { hostname, port, host } = new URL(url);
    const socket = connect(Number(port), hostname);
    const lines = Object.entries({ host, ...headers }).map(([name, value]) => `${name}: ${value}\r\n`);
    let answers = "";
    socket.on("data", (chunk) => (answers += chunk.toString()));
    socket.write(`GET /healthz HTTP/1.1\r\nhost: ${host}\r\n\r\nGET ${path} HTTP/1.1\r\n${lines.join("")}`);
    // What came in the same piece was read too.
    await until("the first answer", () => answers.includes('{"alive":true}'));
    answers = "";
    return async () => {
      socket.write("\r\n");
      await new Promise((resolve) => socket.once("close", resolve));
      return answers;
    };
  }

  const UPGRADE = {
    connection: "upgrade",
    upgrade: "websocket",
    "sec-websocket-version": "13",
    "sec-websocket-key": "AAAAAAAAAAAAAAAAAAAAAA==",
  };

  it("says so in its own words to whoever still asks, also for a stream and an upgrade", async () => {
    const { url, server } = await access.serve({ stopMs: 10_000 });
    const asked = [
      await halfSent(url, "/v1/history", KNOWN),
      await halfSent(url, "/v1/events", { ...KNOWN, accept: "application/x-ndjson" }),
      await halfSent(url, "/v1/events", { ...KNOWN, ...UPGRADE }),
      await halfSent(url, "/v1/assignments", KNOWN),
    ];
    const probes = [await halfSent(url, "/healthz", {}), await halfSent(url, "/readyz", KNOWN)];
    const stopped = server.stop();
    for (const end of asked) {
      const answer = await end();
      expect(answer).toMatch(/^HTTP\/1\.1 503 /);
      expect(answer).toContain('"code":"GOING_AWAY"');
    }
    const [alive, ready] = await Promise.all(probes.map((end) => end()));
    expect(alive).toContain('{"alive":true}');
    expect(ready).toContain('{"ready":false,"why":"the server is stopping"}');
    await stopped;
  });
});
