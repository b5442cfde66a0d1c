import { request as httpRequest } from "node:http";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { systemClock } from "../../src/shared/clock.ts";
import { AccessFeed, bearer } from "../support/access-feed.ts";
import { HttpStream } from "../support/http-stream.ts";
import { draft } from "../support/drafts.ts";
import { until } from "../support/until.ts";
import { UpgradeRefused, WebSocketClient } from "../support/websocket-client.ts";

const TOKEN = "static-token-of-the-ways-in-01";
const NARROW = "static-token-that-sees-one-job";

let access: AccessFeed;
beforeEach(async () => {
  access = await AccessFeed.open();
  access.writeTokens([
    { name: "all", token: TOKEN, namespaces: ["*"], resources: ["*"] },
    { name: "narrow", token: NARROW, namespaces: ["default"], resources: ["jobs"] },
  ]);
});
afterEach(() => access[Symbol.asyncDispose]());

const protocolOf = (token: string) => `bearer.${Buffer.from(token).toString("base64url")}`;

async function problemOf(response: Response): Promise<Record<string, unknown>> {
  return { status: response.status, ...((await response.json()) as Record<string, unknown>) };
}

async function ticket(url: string, headers = bearer(TOKEN)): Promise<{ ticket: string; expiresAt: string }> {
  const response = await fetch(`${url}/v1/tickets`, { method: "POST", headers });
  expect(response.status).toBe(200);
  return (await response.json()) as { ticket: string; expiresAt: string };
}

describe("a token comes", () => {
  it("by Authorization or X-Nomad-Token", async () => {
    const { url } = await access.serve();
    for (const headers of [{ authorization: `bearer ${TOKEN}` }, { "x-nomad-token": TOKEN }]) {
      expect((await fetch(`${url}/v1/events`, { headers })).status).toBe(200);
    }
  });

  it("by a subprotocol, which is not echoed", async () => {
    const { url } = await access.serve();
    const client = await WebSocketClient.connect(`${url}/v1/events`, [protocolOf(TOKEN), "cloudevents.json"]);
    expect(client.socket.protocol).toBe("cloudevents.json");
    await client.close();
    await expect(WebSocketClient.connect(`${url}/v1/events`, ["cloudevents.json"])).rejects.toMatchObject({
      status: 401,
    });
  });

  it("in the query string never, and the answer says what to do and quotes nothing", async () => {
    const { url } = await access.serve();
    for (const name of ["token", "access_token", "X-Nomad-Token"]) {
      const response = await fetch(`${url}/v1/events?${name}=${TOKEN}`, { headers: bearer(TOKEN) });
      const text = await response.text();
      expect(response.status).toBe(400);
      expect(text).toContain("Authorization: Bearer <token>");
      expect(text).not.toContain(TOKEN);
    }
  });

  it("once: two that differ are refused", async () => {
    const { url } = await access.serve();
    const headers = { ...bearer(TOKEN), "x-nomad-token": NARROW };
    expect(await problemOf(await fetch(`${url}/v1/events`, { headers }))).toMatchObject({
      status: 400,
      field: "Authorization",
    });
  });

  it("unknown or missing: 401, with what is wanted", async () => {
    const { url } = await access.serve();
    for (const headers of [{}, bearer("never-heard-of-this-token"), { authorization: "Basic eDp5" }]) {
      const response = await fetch(`${url}/v1/events`, { headers });
      expect(response.headers.get("www-authenticate")).toBe('Bearer realm="nomad-changefeed"');
      expect(await problemOf(response)).toMatchObject({ status: 401, code: "UNAUTHORIZED" });
    }
    await expect(WebSocketClient.connect(`${url}/v1/events`)).rejects.toMatchObject({ status: 401 });
    expect(await access.feed.metrics.registry.metrics()).toContain(
      'nomad_changefeed_refusals_total{code="UNAUTHORIZED"} 4',
    );
  });

  it("known, with nothing to see: 403", async () => {
    const { url } = await access.serve();
    const token = access.nomadToken({ agent: "read" });
    expect(await problemOf(await fetch(`${url}/v1/events`, { headers: bearer(token) }))).toMatchObject({
      status: 403,
      code: "FORBIDDEN",
    });
  });
});

describe("a ticket", () => {
  it("is good once, for what its token may see", async () => {
    await access.feed.commit(
      draft({ id: "an allocation" }),
      draft({ id: "a job", resource: "jobs", type: "nomad.job.updated" }),
    );
    const { url } = await access.serve();
    const given = await ticket(url, bearer(NARROW));
    expect(Date.parse(given.expiresAt) - Date.now()).toBeLessThanOrEqual(30_000);
    const address = `${url}/v1/events?limit=1&cursor=earliest&ticket=${given.ticket}`;
    const client = await WebSocketClient.connect(address);
    const events = await client.until(() => false);
    expect(events.map(({ id }) => id)).toContain("a job");
    expect(events.map(({ id }) => id)).not.toContain("an allocation");
    await expect(WebSocketClient.connect(address)).rejects.toMatchObject({ status: 401 });
  });

  it("is good for half a minute", async () => {
    let elapsedMs = 0;
    const { url } = await access.serve({}, { clock: { ...systemClock, elapsed: () => elapsedMs } });
    const early = await ticket(url);
    elapsedMs += 29_000;
    const page = await fetch(`${url}/v1/events?ticket=${early.ticket}`);
    expect(page.status).toBe(200);
    expect(page.headers.get("link")).not.toContain("ticket");
    const late = await ticket(url);
    elapsedMs += 30_001;
    expect((await fetch(`${url}/v1/events?ticket=${late.ticket}`)).status).toBe(401);
  });

  it("needs a token, and no body", async () => {
    const { url } = await access.serve();
    expect((await fetch(`${url}/v1/tickets`, { method: "POST" })).status).toBe(401);
    const headers = { ...bearer(TOKEN), "content-type": "application/json" };
    expect((await fetch(`${url}/v1/tickets`, { method: "POST", headers, body: "{" })).status).toBe(200);
  });

  it("is given where nobody is asked too, so that a page need not know", async () => {
    const { url } = await access.feed.serve();
    const given = await ticket(url, {});
    expect((await fetch(`${url}/v1/events?ticket=${given.ticket}`)).status).toBe(200);
  });
});

describe("other routes", () => {
  const SCOPES = ["jobs/default", "jobs/secret", "jobs/*", "plan"];
  const assignment = (name: string) => ({
    assignment: name,
    state: "held" as const,
    worker: "w",
    since: null,
    condition: null,
    reading: null,
    reason: "because of the secret namespace",
    index: null,
    objects: null,
    lastOkAt: null,
    lagMs: null,
  });
  const deps = {
    assignments: async () => SCOPES.map(assignment),
    readiness: () => ({ ready: false, waiting: SCOPES.map((scope) => ({ scope, why: "w" })) }),
    liveness: () => ({ alive: true, details: { stuck: ["jobs/secret"] } }),
  };

  it("need a token, but /healthz, which then says no more than its status", async () => {
    const { url } = await access.serve({}, deps);
    for (const path of ["/", "/readyz", "/metrics", "/v1/assignments", "/v1/data/x-1", "/nowhere"]) {
      expect((await fetch(url + path)).status).toBe(401);
    }
    expect(await (await fetch(`${url}/healthz`)).json()).toEqual({ alive: true });
    expect((await fetch(url, { headers: bearer(NARROW) })).status).toBe(200);
  });

  it("tell of scopes what the token may see", async () => {
    const { url } = await access.serve({}, deps);
    const ask = async (path: string, token: string) =>
      (await fetch(url + path, { headers: bearer(token) })).json() as Promise<Record<string, unknown>>;
    expect(await ask("/readyz", NARROW)).toEqual({
      ready: false,
      waiting: [{ scope: "jobs/default", why: "w" }],
    });
    expect(await ask("/v1/assignments", NARROW)).toEqual({
      assignments: [assignment("jobs/default"), { ...assignment("plan"), reason: null }],
    });
    expect(await ask("/v1/assignments", TOKEN)).toEqual({
      assignments: SCOPES.map(assignment),
      streams: [],
    });
  });

  it("give metrics to who may see all, or to all where that is configured", async () => {
    const { url } = await access.serve({}, deps);
    expect((await fetch(`${url}/metrics`, { headers: bearer(TOKEN) })).status).toBe(200);
    expect((await fetch(`${url}/metrics`, { headers: bearer(NARROW) })).status).toBe(403);
    const open = await access.serve({ openRoutes: ["metrics", "readyz"] }, deps);
    expect((await fetch(`${open.url}/metrics`)).status).toBe(200);
    expect(await (await fetch(`${open.url}/readyz`)).json()).toEqual({ ready: false });
    expect((await fetch(`${open.url}/v1/assignments`)).status).toBe(401);
  });
});

describe("pages of other origins", () => {
  const APP = "https://app.example";

  it("may read where they are allowed by name", async () => {
    const { url } = await access.serve({ allowOrigins: [APP] });
    const response = await fetch(`${url}/v1/events`, { headers: { ...bearer(TOKEN), origin: APP } });
    expect(response.headers.get("access-control-allow-origin")).toBe(APP);
    expect(response.headers.get("vary")).toBe("Origin");
    expect(response.headers.get("access-control-expose-headers")).toContain("X-Changefeed-Cursor");
    await using stream = await HttpStream.open(`${url}/v1/events`, "text/event-stream", {
      ...bearer(TOKEN),
      origin: APP,
    });
    expect(stream.response.headers.get("access-control-allow-origin")).toBe(APP);
    const client = await WebSocketClient.connect(
      `${url}/v1/events`,
      [protocolOf(TOKEN), "cloudevents.json"],
      { origin: APP },
    );
    await client.close();
    expect(await problemOf(await fetch(url, { headers: { origin: "https://evil.example" } }))).toMatchObject({
      status: 403,
      code: "FORBIDDEN",
    });
  });

  it("are told beforehand what they may send", async () => {
    const { url } = await access.serve({ allowOrigins: [APP] });
    const headers = { origin: APP, "access-control-request-method": "POST" };
    const response = await fetch(`${url}/v1/tickets`, { method: "OPTIONS", headers });
    expect(response.status).toBe(204);
    expect(response.headers.get("access-control-allow-origin")).toBe(APP);
    expect(response.headers.get("access-control-allow-headers")).toContain("Authorization");
    const refused = await fetch(`${url}/v1/tickets`, {
      method: "OPTIONS",
      headers: { ...headers, origin: "https://evil.example" },
    });
    expect(refused.headers.get("access-control-allow-origin")).toBeNull();
  });

  it("are let in and told why, where others get an HTTP status", async () => {
    const { url } = await access.serve();
    const client = await WebSocketClient.connect(`${url}/v1/events`, [], { origin: url });
    const frame = await client.next();
    expect(frame).toMatchObject({
      type: "nomad.feed.error",
      data: { code: "UNAUTHORIZED", closeCode: 4401 },
    });
    expect(await client.closed()).toEqual({ code: 4401, reason: "UNAUTHORIZED" });
    await expect(WebSocketClient.connect(`${url}/v1/events`)).rejects.toBeInstanceOf(UpgradeRefused);
  });
});

describe("limits", () => {
  it("hold the streams of a token, and give a place back when one ends", async () => {
    const { url } = await access.serve({ limits: { connectionsPerToken: 2 } });
    const connect = (token = TOKEN) =>
      WebSocketClient.connect(`${url}/v1/events`, [], { headers: bearer(token) });
    const first = await connect();
    const second = await connect();
    await expect(connect()).rejects.toMatchObject({ status: 429, body: { code: "LIMIT" } });
    const stream = await fetch(`${url}/v1/events`, {
      headers: { ...bearer(TOKEN), accept: "application/x-ndjson" },
    });
    expect(stream.headers.get("retry-after")).toBe("10");
    expect(await problemOf(stream)).toMatchObject({ status: 429, code: "LIMIT" });
    const another = await connect(NARROW);
    await first.close();
    const third = await until("a place", () => connect().catch(() => undefined));
    for (const client of [second, third, another]) await client.close();
  });

  it("tell a browser by 4429", async () => {
    const { url } = await access.serve({ limits: { connectionsPerToken: 1 } });
    const options = { headers: bearer(TOKEN), origin: url };
    const first = await WebSocketClient.connect(`${url}/v1/events`, [], options);
    const second = await WebSocketClient.connect(`${url}/v1/events`, [], options);
    expect(await second.closed()).toEqual({ code: 4429, reason: "LIMIT" });
    await first.close();
  });

  it("hold the connections of an address", async () => {
    const { url } = await access.serve({ limits: { connectionsPerAddress: 2 } });
    const connect = () => WebSocketClient.connect(`${url}/v1/events`, [], { headers: bearer(TOKEN) });
    const open = [await connect(), await connect()];
    await expect(connect()).rejects.toMatchObject({ status: 429, body: { code: "LIMIT" } });
    for (const client of open) await client.close();
  });

  it("hold the requests of an address, and let it ask again later", async () => {
    let elapsedMs = 0;
    const { url } = await access.serve(
      { limits: { requestsPerSecond: 3 } },
      { clock: { ...systemClock, elapsed: () => elapsedMs } },
    );
    const statuses: number[] = [];
    for (let count = 0; count < 7; count += 1) statuses.push((await fetch(`${url}/healthz`)).status);
    expect(statuses).toEqual([200, 200, 200, 200, 200, 200, 429]);
    elapsedMs += 400;
    expect((await fetch(`${url}/healthz`)).status).toBe(200);
    expect((await fetch(`${url}/healthz`)).headers.get("retry-after")).toBe("1");
  });

  it("hold the length of a URL", async () => {
    const { url } = await access.serve();
    const long = `${url}/v1/events?namespaces=${"n".repeat(8200)}`;
    expect(await problemOf(await fetch(long, { headers: bearer(TOKEN) }))).toMatchObject({
      status: 414,
      code: "URL_TOO_LONG",
    });
    await expect(WebSocketClient.connect(long, [], { headers: bearer(TOKEN) })).rejects.toMatchObject({
      status: 414,
    });
  });
});

it("with a way to ask, other names and addresses than loopback are served", async () => {
  const { url } = await access.serve({ host: "0.0.0.0" });
  const status = await new Promise((resolve, reject) => {
    const headers = { host: "feed.example", ...bearer(TOKEN) };
    httpRequest(url.replace("0.0.0.0", "127.0.0.1"), { headers }, (response) => {
      response.resume();
      resolve(response.statusCode);
    })
      .on("error", reject)
      .end();
  });
  expect(status).toBe(200);
});
