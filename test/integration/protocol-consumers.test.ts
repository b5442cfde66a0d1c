import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { LogUnavailable } from "../../src/feed/errors.ts";
import type { FeedLog } from "../../src/feed/log.ts";
import { breakable } from "../support/breakable-log.ts";
import { draft, objectChange } from "../support/drafts.ts";
import { TestFeed } from "../support/http-feed.ts";
import { nextPage } from "../support/next-page.ts";
import { frameName, openStream, STREAMS } from "../support/protocol-reader.ts";
import { until } from "../support/until.ts";
import { WebSocketClient } from "../support/websocket-client.ts";

let feed: TestFeed;
let url: string;
beforeEach(async () => {
  feed = await TestFeed.open();
  ({ url } = await feed.serve());
});
afterEach(() => feed[Symbol.asyncDispose]());

async function ask(method: string, path: string): Promise<{ status: number; body: Record<string, unknown> }> {
  const response = await fetch(`${url}/v1/consumers${path}`, { method });
  const text = await response.text();
  return { status: response.status, body: (text === "" ? {} : JSON.parse(text)) as Record<string, unknown> };
}

const connect = (query: string) => WebSocketClient.connect(`${url}/v1/events?${query}`);
const stored = async (name: string) => (await ask("GET", `/${name}`)).body["cursor"];
const cursorOf = async (sequence: number) => `${(await feed.log.head()).epoch}-${sequence}`;

describe.each(STREAMS)("consumer over %s", (format) => {
  it("goes on after what was acknowledged, whatever else is asked for", async () => {
    await feed.commitMany("a", 5);
    await ask("POST", `/pager?ack=${await cursorOf(3)}`);
    await using stream = await openStream(format, `${url}/v1/events?consumer=pager&cursor=earliest&limit=2`);
    const frames = await stream.until(() => false);
    expect(frames.map(frameName)).toEqual(["hello", "a4", "a5", "bookmark"]);
  });

  it("that is new is remembered from where it starts, before any ack", async () => {
    await feed.commitMany("a", 2);
    await using first = await openStream(format, `${url}/v1/events?consumer=pager`);
    await first.until(({ type }) => type === "nomad.feed.hello");
    expect(await stored("pager")).toBe(await cursorOf(2));
    await feed.commitMany("b", 1);
    await using second = await openStream(format, `${url}/v1/events?consumer=pager&limit=1`);
    expect((await second.until(() => false)).map(frameName)).toEqual(["hello", "b1", "bookmark"]);
  });

  it("whose cursor expired meets onexpired, and keeps its place until it acks", async () => {
    await feed.commitMany("a", 5);
    await ask("POST", `/pager?ack=${await cursorOf(1)}`);
    await feed.log.trim({ maxEvents: 2 });
    await using stream = await openStream(
      format,
      `${url}/v1/events?consumer=pager&onexpired=earliest&limit=2`,
    );
    expect((await stream.until(() => false)).map(frameName)).toEqual([
      "hello",
      "gap",
      "a4",
      "a5",
      "bookmark",
    ]);
    expect(await stored("pager")).toBe(await cursorOf(1));
    const refused = await fetch(`${url}/v1/events?consumer=pager`);
    expect(refused.status).toBe(410);
  });
});

describe("acks on a WebSocket", () => {
  it("move the stored cursor, and never back", async () => {
    await feed.commitMany("a", 5);
    const client = await connect("consumer=pager&cursor=earliest");
    await client.until(({ id }) => id === "a5");
    client.socket.send(`{"ack":"${await cursorOf(4)}"}`);
    await until("the ack is stored", async () => (await stored("pager")) === (await cursorOf(4)));
    client.socket.send(`{"ack":"${await cursorOf(2)}"}`);
    client.socket.send(`{"ping":1}`);
    expect((await client.next())?.type).toBe("nomad.feed.pong");
    expect(await stored("pager")).toBe(await cursorOf(4));
    await client.close();
    expect(await stored("pager")).toBe(await cursorOf(4));
  });

  it("may name a place that a filter passed over, as a bookmark does", async () => {
    ({ url } = await feed.serve({ bookmarkIntervalMs: 10 }));
    await feed.commitMany("a", 3);
    const client = await connect("consumer=pager&cursor=earliest&types=jobs");
    const bookmarks = await client.until(
      ({ type, data }) => type === "nomad.feed.bookmark" && String(data["cursor"]).endsWith("-3"),
    );
    client.socket.send(JSON.stringify({ ack: bookmarks.at(-1)?.data["cursor"] }));
    await until("the ack is stored", async () => (await stored("pager")) === (await cursorOf(3)));
    await client.close();
  });

  it.each([
    ["of what was not sent", async () => cursorOf(99), 4400, "INVALID_ACK"],
    ["of another epoch", async () => "another1-1", 4409, "EPOCH_CHANGED"],
    ["of no cursor", async () => "latest", 4400, "INVALID_ACK"],
  ])("%s end the connection", async (_name, cursor, code, reason) => {
    await feed.commitMany("a", 1);
    const client = await connect("consumer=pager&cursor=earliest");
    await client.until(({ id }) => id === "a1");
    client.socket.send(JSON.stringify({ ack: await cursor() }));
    expect((await client.until(() => false)).at(-1)?.data).toMatchObject({ code: reason, closeCode: code });
    expect(await client.closed()).toEqual({ code, reason });
    expect(await stored("pager")).toBe(await cursorOf(0));
  });

  it("are nothing the protocol knows where there is no consumer", async () => {
    const client = await connect("cursor=earliest");
    client.socket.send(JSON.stringify({ ack: await cursorOf(0) }));
    await client.until(() => false);
    expect(await client.closed()).toEqual({ code: 4400, reason: "INVALID_MESSAGE" });
  });

  it("are refused before a snapshot's end; until then nothing is stored", async () => {
    const big = Buffer.from(JSON.stringify({ Padding: "x".repeat(50_000) }));
    const changes = Array.from({ length: 300 }, (_, n) => {
      const change = objectChange({ resource: "jobs", namespace: "default", key: `j${n}` }, "1");
      return { ...change, state: { ...change.state, next: { rev: "1", stub: big } } };
    });
    const head = await feed.commitObjects(...changes);
    const client = await connect("consumer=pager&snapshot=true");
    client.socket.pause();
    client.socket.send(JSON.stringify({ ack: head }));
    await until("the connection was ended", async () =>
      (await feed.metrics.registry.metrics()).includes('reason="INVALID_ACK"'),
    );
    client.socket.resume();
    expect(await client.closed()).toEqual({ code: 4400, reason: "INVALID_ACK" });
    expect((await ask("GET", "/pager")).status).toBe(404);

    const whole = await connect("consumer=pager&snapshot=true");
    await whole.until(({ data }) => data["phase"] === "end");
    whole.socket.send(JSON.stringify({ ack: head }));
    await until("the ack is stored", async () => (await stored("pager")) === head);
    await whole.close();
    const again = await connect("consumer=pager&snapshot=true");
    await feed.commit(draft({ id: "later" }));
    expect((await again.until(({ id }) => id === "later")).map(frameName)).toEqual(["hello", "later"]);
    await again.close();
  });

  it("that cannot be stored end the connection, which can be made again", async () => {
    const log: FeedLog = {
      ...breakable(feed.log),
      consumers: {
        ...feed.log.consumers,
        get: async () => undefined,
        put: async (_name, cursor) => {
          if (cursor.sequence > 0) throw new LogUnavailable("The log is away");
          return { name: "pager", cursor, updatedAt: "", lastError: null, owner: null };
        },
      },
    };
    ({ url } = await feed.serve({}, { log }));
    await feed.commitMany("a", 1);
    const client = await connect("consumer=pager&cursor=earliest");
    const events = await client.until(({ id }) => id === "a1");
    client.socket.send(JSON.stringify({ ack: events.at(-1)?.cursor }));
    await client.until(() => false);
    expect(await client.closed()).toEqual({ code: 1013, reason: "LOG_UNAVAILABLE" });
  });
});

describe("/v1/consumers", () => {
  it("lists them with how far behind each is, answers one, and forgets one", async () => {
    await feed.commitMany("a", 5);
    await ask("POST", `/pager?ack=${await cursorOf(2)}`);
    await ask("POST", `/audit.1?ack=${await cursorOf(5)}`);
    await feed.log.consumers.put("older", { epoch: "another1", sequence: 3 });
    await feed.log.consumers.put("webhook:inner", { epoch: "another1", sequence: 3 });
    expect((await ask("GET", "")).body).toMatchObject({
      consumers: [
        { name: "audit.1", behind: 0 },
        { name: "older", cursor: "another1-3", behind: null },
        { name: "pager", cursor: await cursorOf(2), behind: 3, updatedAt: expect.any(String) },
      ],
    });
    expect(await ask("DELETE", "/pager")).toEqual({ status: 204, body: {} });
    expect(await ask("GET", "/pager")).toMatchObject({ status: 404, body: { code: "NO_CONSUMER" } });
    expect(await ask("DELETE", "/pager")).toMatchObject({ status: 404, body: { code: "NO_CONSUMER" } });
  });

  it("takes acks that move forward, and answers what is stored", async () => {
    await feed.commitMany("a", 5);
    expect(await ask("POST", `/pager?ack=${await cursorOf(3)}`)).toMatchObject({
      status: 200,
      body: { behind: 2 },
    });
    expect((await ask("POST", `/pager?ack=${await cursorOf(1)}`)).body["cursor"]).toBe(await cursorOf(3));
    // After a change of the epoch the present one goes before.
    await feed.log.consumers.put("older", { epoch: "another1", sequence: 99 });
    expect((await ask("POST", `/older?ack=${await cursorOf(1)}`)).body["cursor"]).toBe(await cursorOf(1));
    const form = await fetch(`${url}/v1/consumers/pager?ack=${await cursorOf(4)}`, {
      method: "POST",
      headers: { "content-type": "application/x-www-form-urlencoded" },
      body: "a=b",
    });
    expect(await form.json()).toMatchObject({ cursor: await cursorOf(4) });
  });

  it.each([
    ["/pager", 400, { code: "INVALID_PARAMETER", field: "ack" }],
    ["/pager?ack=earliest", 400, { code: "INVALID_PARAMETER", field: "ack" }],
    ["/pager?ack=another1-1", 409, { code: "EPOCH_CHANGED" }],
    ["/pager?cursor=another1-1", 400, { code: "INVALID_PARAMETER", field: "cursor", allowed: ["ack"] }],
    ["/a%20b?ack=another1-1", 400, { code: "INVALID_PARAMETER", field: "name" }],
  ])("refuses POST %s", async (path, status, body) => {
    expect(await ask("POST", path)).toMatchObject({ status, body });
    expect((await ask("GET", "")).body).toEqual({ consumers: [] });
  });

  it("refuses an ack of what has not happened yet", async () => {
    expect(await ask("POST", `/pager?ack=${await cursorOf(1)}`)).toMatchObject({
      status: 412,
      body: { code: "FUTURE_CURSOR" },
    });
  });

  it("serves pages from the stored cursor, which only acks move; the next page goes on by itself", async () => {
    await feed.commitMany("a", 5);
    await ask("POST", `/pager?ack=${await cursorOf(1)}`);
    const idsOf = async (path: string) => {
      const page = await fetch(url + path);
      const next = nextPage(page) ?? "";
      return { ids: ((await page.json()) as { id: string }[]).map(({ id }) => id), next };
    };
    const first = await idsOf("/v1/events?consumer=pager&limit=2");
    expect(first.ids).toEqual(["a2", "a3"]);
    expect((await idsOf(first.next)).ids).toEqual(["a4", "a5"]);
    expect((await idsOf("/v1/events?consumer=pager&limit=1")).ids).toEqual(["a2"]);
    await idsOf("/v1/events?consumer=new");
    expect((await ask("GET", "/new")).status).toBe(404);
  });
});

it("Last-Event-ID does not go before what was acknowledged", async () => {
  await feed.commitMany("a", 3);
  await ask("POST", `/pager?ack=${await cursorOf(1)}`);
  const response = await fetch(`${url}/v1/events?consumer=pager&limit=2`, {
    headers: { accept: "text/event-stream", "last-event-id": await cursorOf(2) },
  });
  expect(await response.text()).toContain(`id: ${await cursorOf(2)}\ndata: `);
});
