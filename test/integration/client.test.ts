import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { describe, expect, it } from "vitest";
import * as browser from "../../packages/client/src/browser.ts";
import * as node from "../../packages/client/src/index.ts";
import type { Item, NoticeType, SubscribeOptions, TypeName } from "../../packages/client/src/index.ts";
import { draft } from "../support/drafts.ts";
import { TestFeed } from "../support/http-feed.ts";
import { bookmark, event, failure, gap, hello, scriptedFeed, sends } from "../support/scripted-feed.ts";
import { until } from "../support/until.ts";

type Options = SubscribeOptions;
type AnyItem = Item<TypeName, NoticeType, boolean>;

const ALL_NOTICES = ["client.connected", "client.disconnected", "nomad.feed.bookmark"] as const;
/** No test waits long. */
const QUICK = { retry: { baseMs: 1, maxMs: 1 } };

/** The cursor of an event, else the type without its beginning. */
function nameOf(item: AnyItem): string {
  return item.type !== "client.connected" && "cursor" in item
    ? item.cursor
    : item.type.replace(/^(nomad\.feed|client)\./, "");
}

async function namesOf(items: AsyncIterable<AnyItem>): Promise<string[]> {
  const names: string[] = [];
  for await (const item of items) names.push(nameOf(item));
  return names;
}

async function errorOf(items: AsyncIterable<AnyItem>): Promise<node.StreamRefused> {
  const error: unknown = await namesOf(items).catch((reason: unknown) => reason);
  if (error instanceof node.StreamRefused) return error;
  throw new Error("it was not refused", { cause: error });
}

const KINDS = { "Node's socket": node.subscribe, "a browser's socket": browser.subscribe };

describe.each(Object.entries(KINDS))("subscribe over %s", (_kind, subscribe) => {
  const quick = (options: Options) => subscribe<TypeName, NoticeType, boolean>({ ...QUICK, ...options });

  it("gives every event of a real server once and in order, through its restarts", async () => {
    await using feed = await TestFeed.open();
    const { url, server } = await feed.serve();
    const { port } = new URL(url);
    const first = await feed.commitMany("a", 300);
    const stop = new AbortController();
    const ids: unknown[] = [];
    const done = (async () => {
      const items = quick({ url, types: ["allocations"], cursor: "earliest", signal: stop.signal });
      for await (const item of items) if ("id" in item) ids.push(item.id);
    })();
    await until("the first events", () => ids.length === first.length);
    await server.stop("restart");
    const second = await feed.commitMany("b", 300);
    const again = await feed.serve({ port: Number(port) });
    await until("what happened meanwhile", () => ids.length === 600);
    await again.server.stop();
    await feed.serve({ port: Number(port) });
    const third = await feed.commitMany("c", 1);
    await until("the last event", () => ids.length === 601);
    stop.abort();
    await done;
    expect(ids).toEqual([...first, ...second, ...third]);
  });

  it("comes back with the cursor of what was dealt with, a bookmark's too, and without `since`", async () => {
    using server = await scriptedFeed(
      sends([hello("e-1"), event("e-2"), bookmark("e-9")], 1012),
      sends([hello("e-9"), event("e-10")], 1000),
    );
    const items = quick({ url: server.url, types: ["jobs"], since: "1h", notices: ALL_NOTICES });
    expect(await namesOf(items)).toEqual([
      "connected",
      "e-2",
      "bookmark",
      "disconnected",
      "connected",
      "e-10",
    ]);
    expect(server.queries.map((query) => query.toString())).toEqual([
      "types=jobs&since=1h",
      "types=jobs&cursor=e-9",
    ]);
    expect(items.cursor).toBe("e-10");
  });

  it("moves its cursor behind an event only when the next one is asked for", async () => {
    using server = await scriptedFeed(sends([hello("e-1"), event("e-2"), event("e-3")]));
    const items = quick({ url: server.url });
    for await (const item of items) if (nameOf(item) === "e-3") break;
    expect(items.cursor).toBe("e-2");
    await until("the connection is gone", () => server.open === 0);
  });

  it("asks for the rest of its limit after a disconnection", async () => {
    using server = await scriptedFeed(
      sends([hello("e-1"), event("e-2"), event("e-3")], 1001),
      sends([hello("e-3"), event("e-4")], 1001),
    );
    expect(await namesOf(quick({ url: server.url, limit: 3 }))).toEqual(["e-2", "e-3", "e-4"]);
    expect(server.queries.map((query) => query.get("limit"))).toEqual(["3", "1"]);
  });

  it.each([1001, 1006, 1011, 1012, 1013, 4408, 4429])("comes back after close code %i", async (code) => {
    using server = await scriptedFeed(sends([hello("e-1"), event("e-2")], code), sends([hello("e-2")], 1000));
    const names = await namesOf(quick({ url: server.url, notices: ["client.disconnected"] }));
    expect(names).toEqual(["e-2", "disconnected"]);
    expect(server.queries[1]?.get("cursor")).toBe("e-2");
  });

  it.each([
    [4400, "INVALID_PARAMETER"],
    [4401, "UNAUTHORIZED"],
    [4403, "FORBIDDEN"],
    [4409, "EPOCH_CHANGED"],
    [4410, "CURSOR_EXPIRED"],
    [4412, "FUTURE_CURSOR"],
    [4499, "NEWER_THAN_THIS"],
  ])("ends with the server's words at close code %i", async (code, reason) => {
    const said = failure({ code: reason, message: "No.", hint: "Ask others." });
    using server = await scriptedFeed(sends([hello("e-1"), said], code));
    const error = await errorOf(quick({ url: server.url }));
    expect(error).toMatchObject({ code: "STREAM_REFUSED", reason, message: "No.", hint: "Ask others." });
    expect(server.queries).toHaveLength(1);
  });

  it("has the server go on from the earliest event, after a gap, where it is told to", async () => {
    using server = await scriptedFeed(
      sends([hello("e-1"), event("e-2")], 4410),
      sends([hello("e-50", true), gap("e-2", "e-50"), event("e-51")], 1012),
      sends([hello("e-51")], 1000),
    );
    const names = await namesOf(quick({ url: server.url, onexpired: "earliest" }));
    expect(names).toEqual(["e-2", "gap", "e-51"]);
    expect(server.queries.map(String)).toEqual(["", "cursor=e-2&onexpired=earliest", "cursor=e-51"]);
  });

  it("asks what to do about a lost cursor, and whose it was", async () => {
    using server = await scriptedFeed(sends([], 4410), sends([hello("e-9", true)], 4409));
    const losses: object[] = [];
    const error = await errorOf(
      quick({
        url: server.url,
        cursor: "e-1",
        onexpired: (loss) => (losses.push(loss) === 1 ? "earliest" : "fail"),
      }),
    );
    expect(error.reason).toBe("EPOCH_CHANGED");
    expect(losses).toEqual([
      { reason: "expired", wanted: "e-1", resumed: false },
      { reason: "epoch-changed", wanted: "e-1", resumed: false },
    ]);
  });

  it("gives up where a server does not go on as it is told", async () => {
    using server = await scriptedFeed(sends([], 4410));
    const error = await errorOf(quick({ url: server.url, cursor: "e-1", onexpired: "earliest" }));
    expect(error.reason).toBe("CURSOR_EXPIRED");
    expect(server.queries).toHaveLength(2);
  });

  it("begins a snapshot again that broke off, and goes on from its end", async () => {
    const mark = (phase: string) =>
      JSON.stringify({ type: "nomad.feed.snapshot", data: { phase, cursor: "e-5" } });
    const object = JSON.stringify({ type: "nomad.job.snapshot", subject: "jobs/default/a", data: {} });
    using server = await scriptedFeed(
      sends([hello("e-5"), mark("begin"), object], 1012),
      sends([hello("e-5"), mark("begin"), object, mark("end")], 1012),
      sends([hello("e-5")], 1000),
    );
    const names = await namesOf(quick({ url: server.url, snapshot: true }));
    const objects = ["snapshot", "nomad.job.snapshot"];
    expect(names).toEqual([...objects, ...objects, "snapshot"]);
    expect(server.queries.map(String)).toEqual(["snapshot=true", "snapshot=true", "cursor=e-5"]);
  });

  it("tells a gap again whose frame it had not dealt with", async () => {
    using server = await scriptedFeed(
      sends([hello("e-5", true)], 1012),
      sends([hello("e-5", true), gap("e-1", "e-5"), event("e-6")], 1000),
    );
    expect(await namesOf(quick({ url: server.url, since: "1h" }))).toEqual(["gap", "e-6"]);
    expect(server.queries[1]?.get("since")).toBe("1h");
  });

  it.each(["hello?", "null", "[]", '{"hello":1}'])(
    "ends where what it hears is no feed: %s",
    async (said) => {
      using server = await scriptedFeed(sends([said]));
      expect(await errorOf(quick({ url: server.url }))).toMatchObject({ reason: "NOT_A_FEED" });
    },
  );

  it("comes back where something else answers in the place of a feed that was there", async () => {
    using server = await scriptedFeed(
      sends([hello("e-1"), event("e-2")], 1012),
      sends(["<html>"]),
      { status: 404 },
      { status: 302 },
      sends([hello("e-2"), event("e-3")], 1000),
    );
    expect(await namesOf(quick({ url: server.url }))).toEqual(["e-2", "e-3"]);
    expect(server.queries.map(String)).toEqual(["", "cursor=e-2", "cursor=e-2", "cursor=e-2", "cursor=e-2"]);
  });

  it("passes over what a newer server says", async () => {
    const newer = JSON.stringify({ type: "nomad.feed.weather", data: { sun: true } });
    using server = await scriptedFeed(sends([hello("e-1"), newer, event("e-2")], 1000));
    expect(await namesOf(quick({ url: server.url }))).toEqual(["e-2"]);
  });

  it("gives a silent connection up", async () => {
    using server = await scriptedFeed(sends([]), sends([hello("e-1")], 1000));
    const names = await namesOf(quick({ url: server.url, silenceMs: 50, notices: ["client.disconnected"] }));
    // The second may be too slow as well.
    expect([...new Set(names)]).toEqual(["disconnected"]);
  });

  it("ends when its signal aborts: before, while it waits, and while the consumer is busy", async () => {
    using server = await scriptedFeed(sends([hello("e-1"), event("e-2"), event("e-3")]));
    expect(await namesOf(quick({ url: server.url, signal: AbortSignal.abort() }))).toEqual([]);
    expect(server.queries).toHaveLength(0);

    const waiting = new AbortController();
    for await (const item of quick({ url: server.url, signal: waiting.signal })) {
      if (nameOf(item) === "e-3") setTimeout(() => waiting.abort(), 20);
    }
    const busy = new AbortController();
    const seen: string[] = [];
    for await (const item of quick({ url: server.url, signal: busy.signal })) {
      seen.push(nameOf(item));
      busy.abort();
      await until("the connection is gone", () => server.open === 0);
    }
    expect(seen).toEqual(["e-2"]);
  });

  it("ends when its signal aborts while it waits to come back", async () => {
    const stop = new AbortController();
    using server = await scriptedFeed(sends([], 1013));
    const items = subscribe({
      url: server.url,
      signal: stop.signal,
      notices: ["client.disconnected"],
      retry: { baseMs: 3_600_000, maxMs: 3_600_000 },
    });
    for await (const item of items) {
      setTimeout(() => stop.abort(), 20);
      expect(item).toMatchObject({ type: "client.disconnected", unreachable: false });
    }
    expect(server.queries).toHaveLength(1);
  });

  it("holds a bounded number of events for a consumer that is busy, and misses none", async () => {
    await using feed = await TestFeed.open();
    const { url } = await feed.serve();
    const count = 6000;
    const ids = await feed.commitMany("a", count, 4000);
    const items = quick({ url, cursor: "earliest", limit: count })[Symbol.asyncIterator]();
    const seen: unknown[] = [];
    const take = ({ value }: IteratorResult<AnyItem>) => seen.push(value && "id" in value ? value.id : value);
    take(await items.next());
    const sent = await untilItRests(async () => {
      const { values } = await feed.metrics.deliveries.get();
      return values.reduce((sum, { value }) => sum + value, 0);
    });
    while (seen.length < count) take(await items.next());
    expect(seen).toEqual(ids);
    expect(sent).toBeLessThan(count);
    expect(await items.next()).toMatchObject({ done: true });
  });
});

/** A number that no longer grows. */
async function untilItRests(ask: () => Promise<number>): Promise<number> {
  let before = -1;
  return until("it rests", async () => {
    const now = await ask();
    const rests = now === before;
    before = now;
    return rests && now;
  });
}

describe("subscribe in Node", () => {
  it("sends its token in a header, and asks for a new one where the old one is used up", async () => {
    const unauthorized = failure({ code: "UNAUTHORIZED", message: "The token has expired" });
    using server = await scriptedFeed(sends([hello("e-1"), unauthorized], 4401), sends([hello("e-1")], 1000));
    let asked = 0;
    await namesOf(node.subscribe({ ...QUICK, url: server.url, token: async () => `token-${(asked += 1)}` }));
    expect(server.headers.map(({ authorization }) => authorization)).toEqual([
      "Bearer token-1",
      "Bearer token-2",
    ]);
  });

  it("ends where no token of several is good", async () => {
    using server = await scriptedFeed(sends([], 4401));
    const error = await errorOf(node.subscribe({ ...QUICK, url: server.url, token: () => "bad" }));
    expect(error.reason).toBe("UNAUTHORIZED");
    expect(server.queries).toHaveLength(1);
  });

  it("names the parameter that a server refuses, and what it may be", async () => {
    await using feed = await TestFeed.open();
    const { url } = await feed.serve();
    const error = await errorOf(node.subscribe({ url, parameters: { aspects: "colour" } }));
    expect(error).toMatchObject({ reason: "INVALID_PARAMETER", field: "aspects" });
    expect(error.allowed).toContain("status");
  });

  it("gives what all of several filters let pass, as options or as parameters of any name", async () => {
    await using feed = await TestFeed.open();
    const { url } = await feed.serve();
    await feed.commit(
      draft({ id: "calm", op: "update", severity: "INFO" }),
      draft({ id: "new", op: "create", severity: "ERROR" }),
      draft({ id: "wanted", op: "update", severity: "ERROR" }),
    );
    const filter = ['op == "update"', 'severity == "ERROR"'];
    for (const choice of [{ filter }, { filter: filter.join(" and ") }, { parameters: { filter } }]) {
      const ids: string[] = [];
      for await (const item of node.subscribe({ url, cursor: "earliest", limit: 1, ...choice })) {
        ids.push(item.id);
      }
      expect(ids).toEqual(["wanted"]);
    }
  });

  it("does not take an empty list for everything", async () => {
    await using feed = await TestFeed.open();
    const { url } = await feed.serve();
    const error = await errorOf(node.subscribe({ url, namespaces: [] }));
    expect(error).toMatchObject({ reason: "INVALID_PARAMETER", field: "namespaces" });
  });

  it("waits as long as an overloaded server asks", async () => {
    const server = createServer().on("upgrade", (_request, socket) =>
      socket.end("HTTP/1.1 503 Busy\r\nRetry-After: 7\r\nContent-Length: 0\r\n\r\n"),
    );
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    const { port } = server.address() as AddressInfo;
    for await (const item of node.subscribe({
      ...QUICK,
      url: `http://127.0.0.1:${port}`,
      notices: ["client.disconnected"],
    })) {
      if (item.type !== "client.disconnected") continue;
      expect(item.retryInMs).toBeGreaterThanOrEqual(7000);
      expect(item.reason).toContain("answered 503");
      break;
    }
    server.close();
  });

  it("gives the text of an event as it came, with every digit", async () => {
    await using feed = await TestFeed.open();
    const { url } = await feed.serve();
    await feed.commit(draft({ id: "a", data: '{"nanos":1795434687866379238}' }));
    const [entry] = await feed.log.read({ ...(await feed.log.head()), sequence: 0 }, { limit: 1 });
    for await (const item of node.subscribe({ url, cursor: "earliest", limit: 1 }))
      expect(node.originalText(item)).toBe(entry?.json);
  });

  it.each(["", "feed.example.org", "ftp://feed.example.org"])("refuses %j as an address", (url) => {
    expect(() => node.subscribe({ url })).toThrow(/^url: .* is not allowed; allowed: addresses such as/);
  });
});

it("a browser sends its token in a subprotocol", async () => {
  using server = await scriptedFeed(sends([hello("e-1")], 1000));
  await namesOf(browser.subscribe({ url: server.url, token: "geheim-ß" }));
  const [, bearer = ""] = (server.headers[0]?.["sec-websocket-protocol"] ?? "").split(/, ?/);
  expect(Buffer.from(bearer.replace("bearer.", ""), "base64url").toString()).toBe("geheim-ß");
});
