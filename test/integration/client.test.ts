import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { describe, expect, it } from "vitest";
import * as browser from "../../packages/client/src/browser.ts";
import * as node from "../../packages/client/src/index.ts";
import type { Item, NoticeType, SubscribeOptions, TypeName } from "../../packages/client/src/index.ts";
import { draft } from "../support/drafts.ts";
import { TestFeed } from "../support/http-feed.ts";
import { event, hello, scriptedFeed, sends } from "../support/scripted-feed.ts";
import { until } from "../support/until.ts";

type Options = SubscribeOptions;
type AnyItem = Item<TypeName, NoticeType, boolean>;

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

  it("moves its cursor behind an event only when the next one is asked for", async () => {
    using server = await scriptedFeed(sends([hello("e-1"), event("e-2"), event("e-3")]));
    const items = quick({ url: server.url });
    for await (const item of items) if (nameOf(item) === "e-3") break;
    expect(items.cursor).toBe("e-2");
    await until("the connection is gone", () => server.open === 0);
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

  it("ends when its signal aborts while no token comes", async () => {
    const stop = new AbortController();
    const token = () => {
      setTimeout(() => stop.abort(new Error("enough")), 20);
      return new Promise<string>(() => undefined);
    };
    expect(await namesOf(quick({ url: "http://127.0.0.1:1", token, signal: stop.signal }))).toEqual([]);
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
