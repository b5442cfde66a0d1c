import { get } from "node:http";
import { createServer } from "node:net";
import type { ClientOptions } from "ws";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { InsecureListen, ListenFailed } from "../../src/http/errors.ts";
import { draft } from "../support/drafts.ts";
import { TestFeed } from "../support/http-feed.ts";
import { UpgradeRefused, WebSocketClient } from "../support/websocket-client.ts";

let feed: TestFeed;
beforeEach(async () => {
  feed = await TestFeed.open();
});
afterEach(() => feed[Symbol.asyncDispose]());

interface Refusal {
  readonly status: number;
  readonly body: Record<string, unknown>;
}

interface Sent {
  readonly method?: string;
  readonly type?: string;
  readonly body?: string;
}

/** The same request in all formats; they must be refused alike. */
async function refusalOf(url: string): Promise<Refusal> {
  const refusals: Refusal[] = [];
  for (const accept of ["*/*", "text/event-stream", "application/x-ndjson"]) {
    const response = await fetch(url, { headers: { accept } });
    expect(response.headers.get("content-type")).toBe("application/problem+json; charset=utf-8");
    refusals.push({ status: response.status, body: (await response.json()) as Record<string, unknown> });
  }
  const refused = await WebSocketClient.connect(url).catch((error: unknown) => error);
  if (!(refused instanceof UpgradeRefused)) throw new Error("The upgrade was not refused");
  refusals.push({ status: refused.status, body: refused.body });
  for (const refusal of refusals) expect(refusal).toEqual(refusals[0]);
  return refusals[0] as Refusal;
}

describe("what is unknown is refused, and what is allowed is named", () => {
  it.each([
    ["type=jobs", { field: "type", nearest: "types", allowed: expect.arrayContaining(["types", "cursor"]) }],
    [
      "types=allocation",
      { field: "types", nearest: "allocations", allowed: expect.arrayContaining(["jobs"]) },
    ],
    ["types=", { field: "types", allowed: expect.arrayContaining(["feed"]) }],
    ["types=jobs,", { field: "types" }],
    ["ops=change", { field: "ops", allowed: ["create", "update", "delete", "snapshot", "version"] }],
    ["aspects=stats", { field: "aspects", nearest: "status" }],
    ["signals=allocation.fail", { field: "signals", nearest: "allocation.failed" }],
    ["minSeverity=warn", { field: "minSeverity", nearest: "WARN" }],
    ["minSeverity=WARN&minSeverity=INFO", { field: "minSeverity", allowed: ["one value"] }],
    ["namespaces=", { field: "namespaces" }],
    ["subjects=web", { field: "subjects", allowed: ["<resource>/<namespace>/<key>"] }],
    ["cursor=last", { field: "cursor", nearest: "latest" }],
    ["since=yesterday", { field: "since" }],
    ["since=10m&cursor=earliest", { field: "since", allowed: ["cursor alone", "since alone"] }],
  ])("%s", async (query, problem) => {
    const { url } = await feed.serve();
    const refusal = await refusalOf(`${url}/v1/events?${query}`);
    expect(refusal).toMatchObject({ status: 400, body: { code: "INVALID_PARAMETER", ...problem } });
  });

  it.each(["limit=0", "limit=-1", "limit=many", "limit=1.5"])("%s", async (query) => {
    const { url } = await feed.serve();
    const refused = WebSocketClient.connect(`${url}/v1/events?${query}`);
    await expect(refused).rejects.toMatchObject({
      status: 400,
      body: { allowed: ["a whole number from 1"] },
    });
    const page = await fetch(`${url}/v1/events?${query}`);
    expect(await page.json()).toMatchObject({ field: "limit", allowed: ["a whole number from 1 to 1000"] });
  });

  it("bounds a page's limit, not a stream's", async () => {
    await feed.commit(draft({ id: "a" }));
    const { url } = await feed.serve();
    const page = await fetch(`${url}/v1/events?limit=1001`);
    expect(page.status).toBe(400);
    const client = await WebSocketClient.connect(`${url}/v1/events?limit=1001`);
    await client.close();
  });

  it("names the routes where there is none", async () => {
    const { url } = await feed.serve();
    const response = await fetch(`${url}/v1/event`);
    expect(response.status).toBe(404);
    expect(await response.json()).toMatchObject({
      code: "NOT_FOUND",
      message: "There is no GET /v1/event",
      allowed: expect.arrayContaining(["GET /v1/events", "GET /metrics"]),
    });
    await expect(WebSocketClient.connect(`${url}/v1/other`)).rejects.toMatchObject({ status: 404 });
  });
});

describe("what no client of ours sends is no failure of the server:", () => {
  it.each([
    ["a path that cannot be decoded", "/v1/data/%zz", {}],
    ["a path longer than any there is", `/v1/data/${"a".repeat(200)}`, {}],
    ["a body that is no JSON", "/v1/events", { method: "POST", type: "application/json", body: "{" }],
    ["a body of an unknown kind", "/v1/events", { method: "POST", type: "text/x-none", body: "hi" }],
    ["a body of a type that is none", "/v1/events", { method: "POST", type: ";;;", body: "hi" }],
    ["a method with a body and no type", "/v1/events", { method: "QUERY" }],
  ])("%s", async (_name, path, { method = "GET", type, body }: Sent) => {
    const { url } = await feed.serve();
    const headers: Record<string, string> = type === undefined ? {} : { "content-type": type };
    const response = await fetch(url + path, { method, headers, ...(body !== undefined && { body }) });
    expect(response.headers.get("content-type")).toBe("application/problem+json; charset=utf-8");
    expect(await response.json()).toMatchObject(
      method === "GET" ? { code: "NOT_FOUND" } : { code: "METHOD_NOT_ALLOWED" },
    );
    expect(response.status).toBe(method === "GET" ? 404 : 405);
  });
});

describe("cursors that cannot be read from", () => {
  it("409 after the epoch changed", async () => {
    const { url } = await feed.serve();
    expect(await refusalOf(`${url}/v1/events?cursor=another-0`)).toMatchObject({
      status: 409,
      body: { code: "EPOCH_CHANGED", head: await feed.headCursor() },
    });
  });

  it("410 below the floor, which it names", async () => {
    await feed.commitMany("a", 10);
    const expired = (await feed.headCursor()).replace(/-10$/, "-1");
    await feed.log.trim({ maxEvents: 4 });
    const { url } = await feed.serve();
    expect(await refusalOf(`${url}/v1/events?cursor=${expired}`)).toMatchObject({
      status: 410,
      body: { code: "CURSOR_EXPIRED", floor: expired.replace(/-1$/, "-6") },
    });
  });

  it("412 beyond the head", async () => {
    const { url } = await feed.serve();
    const future = (await feed.headCursor()).replace(/-0$/, "-99");
    expect(await refusalOf(`${url}/v1/events?cursor=${future}`)).toMatchObject({
      status: 412,
      body: { code: "FUTURE_CURSOR", head: await feed.headCursor() },
    });
  });
});

/** fetch does not let one choose the Host. */
async function statusOf(url: string, headers: Record<string, string>): Promise<number | undefined> {
  return new Promise((resolve, reject) => {
    get(url, { headers }, (response) => {
      response.resume();
      resolve(response.statusCode);
    }).on("error", reject);
  });
}

const FORBIDDEN = { code: "FORBIDDEN", closed: { code: 4403, reason: "FORBIDDEN" } };

/** A page cannot read a refused upgrade, so it is let in and told. */
async function turnedAway(url: string, options: ClientOptions): Promise<unknown> {
  const client = await WebSocketClient.connect(url, [], options);
  const frame = await client.next();
  return { code: frame?.data["code"], closed: await client.closed() };
}

describe("who may connect", () => {
  it("refuses a WebSocket from a page of another origin, and takes its own", async () => {
    const { url } = await feed.serve();
    for (const origin of ["http://evil.example", "null"]) {
      expect(await turnedAway(`${url}/v1/events`, { origin })).toEqual(FORBIDDEN);
    }
    const client = await WebSocketClient.connect(`${url}/v1/events`, [], { origin: url });
    await client.close();
    // Names of hosts have no case, whatever a browser or a proxy makes of them.
    const { port } = new URL(url);
    const named = { origin: `http://localhost:${port}`, headers: { host: `LocalHost:${port}` } };
    await (await WebSocketClient.connect(`${url}/v1/events`, [], named)).close();
  });

  it("refuses requests for a name that a stranger had resolve to loopback, unless asked to by name", async () => {
    const { url } = await feed.serve();
    const asked = url.replace("127.0.0.1", "evil.example");
    const headers = { host: new URL(asked).host };
    expect(await statusOf(url, headers)).toBe(403);
    expect(await turnedAway(`${url}/v1/events`, { headers, origin: asked })).toEqual(FORBIDDEN);
    for (const host of ["localhost:1", "127.0.0.2", "[::1]:4650", "feed.localhost"]) {
      expect(await statusOf(url, { host })).toBe(200);
    }
    const open = await feed.serve({ insecureNoAuth: true });
    expect(await statusOf(open.url, headers)).toBe(200);
  });

  it("refuses to listen where strangers could connect, unless asked to by name", async () => {
    for (const host of ["0.0.0.0", "::", "192.0.2.1", "feed.example"]) {
      const refused = feed.serve({ host });
      await expect(refused).rejects.toThrow(InsecureListen);
      await expect(refused).rejects.toMatchObject({ hint: expect.stringContaining("--insecure-no-auth") });
    }
    const { url } = await feed.serve({ host: "0.0.0.0", insecureNoAuth: true });
    expect((await fetch(`${url}/healthz`)).status).toBe(200);
  });

  it("listens on a name of this machine without asking a resolver for it", async () => {
    const { url } = await feed.serve({ host: "feed.localhost" });
    expect(new URL(url).hostname).toBe("127.0.0.1");
  });

  it("says that the port is in use", async () => {
    const holder = createServer().listen(0, "127.0.0.1");
    await new Promise((resolve) => holder.once("listening", resolve));
    const { port } = holder.address() as { port: number };
    const failed = feed.serve({ port });
    await expect(failed).rejects.toThrow(ListenFailed);
    await expect(failed).rejects.toThrow(`Cannot listen on 127.0.0.1:${port}: the port is in use`);
    holder.close();
  });
});
