import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { systemClock } from "../../src/shared/clock.ts";
import { EventsMissing } from "../../src/feed/errors.ts";
import type { FeedLog } from "../../src/feed/log.ts";
import { ReadScheduler } from "../../src/publishers/work/read-scheduler.ts";
import { readPage } from "../../src/publishers/pages/page.ts";
import { breakable } from "../support/breakable-log.ts";
import { controlDraft, draft } from "../support/drafts.ts";
import { TestFeed } from "../support/http-feed.ts";
import { HttpStream } from "../support/http-stream.ts";
import { nextPage } from "../support/next-page.ts";
import { TestClock } from "../support/test-clock.ts";
import { WebSocketClient, type ReceivedEvent } from "../support/websocket-client.ts";

const NDJSON = "application/x-ndjson";
const SSE = "text/event-stream";
const isConnectionFrame = ({ type }: ReceivedEvent) =>
  /^nomad\.feed\.(hello|bookmark|error|pong|gap)$/.test(type);
const isBookmark = ({ type }: ReceivedEvent) => type === "nomad.feed.bookmark";
const idsOf = (events: readonly ReceivedEvent[]) =>
  events.filter((event) => !isConnectionFrame(event)).map(({ id }) => id);

let feed: TestFeed;
beforeEach(async () => {
  feed = await TestFeed.open();
});
afterEach(() => feed[Symbol.asyncDispose]());

/** The log, of which another program deletes events, as may happen in Redis, once a reader has looked at `after`. */
function deletedMeanwhile(log: FeedLog, { after, until }: { after: number; until: number }): FeedLog {
  let looks = 0;
  return {
    ...breakable(log),
    read: async (cursor, options) => {
      if (cursor.sequence !== after) return log.read(cursor, options);
      looks += 1;
      if (looks === 1) return log.read(cursor, options);
      throw new EventsMissing(cursor, { ...cursor, sequence: until });
    },
  };
}

/** All events a stream with this query gives, in each of the streaming formats and as a page. */
async function readAll(url: string, query: string, count: number): Promise<Record<string, string[]>> {
  const target = `${url}/v1/events?cursor=earliest&limit=${count}&${query}`;
  const webSocket = await WebSocketClient.connect(target);
  const frames = await webSocket.until(() => false);
  const streamed = async (accept: string) => {
    await using stream = await HttpStream.open(target, accept);
    return (await stream.until(() => false)).map(({ event }) => event);
  };
  const page = (await (await fetch(target)).json()) as object[];
  const texts = (events: readonly ReceivedEvent[]) =>
    events.filter((event) => !isConnectionFrame(event)).map(({ text }) => text);
  return {
    websocket: texts(frames),
    sse: texts(await streamed(SSE)),
    ndjson: texts(await streamed(NDJSON)),
    page: page.map((event) => JSON.stringify(event)),
  };
}

describe("formats", () => {
  it("gives the same bytes in WebSocket, SSE, NDJSON and page", async () => {
    await feed.commitMany("a", 5);
    const { url } = await feed.serve();
    const entries = await feed.log.read({ epoch: (await feed.log.head()).epoch, sequence: 0 }, { limit: 10 });
    const expected = entries.map(({ json }) => json);
    expect(await readAll(url, "", 5)).toEqual({
      websocket: expected,
      sse: expected,
      ndjson: expected,
      page: expected,
    });
  });

  it("says hello first, with where the stream starts and where the feed stands", async () => {
    const head = await feed.commit(draft({ id: "old" }));
    const { url } = await feed.serve();
    const client = await WebSocketClient.connect(`${url}/v1/events`);
    const hello = await client.next();
    expect(hello).toMatchObject({
      type: "nomad.feed.hello",
      source: "nomad://test/global",
      data: { protocol: 1, cursor: head, head, floor: head.replace(/-1$/, "-0"), gap: false },
    });
    await feed.commit(draft({ id: "new" }));
    expect(await client.next()).toMatchObject({ id: "new", cursor: head.replace(/-1$/, "-2") });
    await client.close();
  });

  it("marks SSE messages with the cursor and only its own frames with a name", async () => {
    await feed.commit(draft({ id: "a" }));
    const { url } = await feed.serve();
    await using stream = await HttpStream.open(`${url}/v1/events?cursor=earliest&limit=1`, SSE);
    expect(stream.response.headers.get("content-type")).toBe("text/event-stream; charset=utf-8");
    const [hello, event, bookmark] = await stream.until(() => false);
    expect(hello).toMatchObject({ name: "nomad.feed.hello", id: expect.stringMatching(/-0$/) });
    expect(event).toMatchObject({ id: event?.event.cursor });
    expect(event).not.toHaveProperty("name");
    expect(bookmark).toMatchObject({ name: "nomad.feed.bookmark", id: event?.id });
  });

  it("keeps an idle SSE connection alive with comments", async () => {
    const { url } = await feed.serve({ pingIntervalMs: 10 });
    await using stream = await HttpStream.open(`${url}/v1/events`, SSE);
    const decoder = new TextDecoder();
    let text = "";
    for await (const chunk of stream.response.body ?? []) {
      text += decoder.decode(chunk);
      if (text.includes("\n\n: ")) break;
    }
    expect(text).toMatch(/\n\n: still here\n\n/);
  });

  it("echoes the subprotocol cloudevents.json and no other", async () => {
    const { url } = await feed.serve();
    const client = await WebSocketClient.connect(`${url}/v1/events`, ["other", "cloudevents.json"]);
    expect(client.socket.protocol).toBe("cloudevents.json");
    await client.close();
  });

  it("answers a request that offers HTTP/2 as a plain one", async () => {
    await feed.commit(draft({ id: "a" }));
    const { url } = await feed.serve();
    const { request } = await import("node:http");
    const status = await new Promise((resolve, reject) => {
      const headers = { connection: "Upgrade, HTTP2-Settings", upgrade: "h2c", "http2-settings": "AAMAAABk" };
      request(`${url}/v1/events`, { headers }, (response) => {
        response.resume();
        resolve(response.statusCode);
      })
        .on("error", reject)
        .end();
    });
    expect(status).toBe(200);
  });
});

describe("filters", () => {
  it.each([
    ["types=jobs", ["job", "epoch"]],
    ["types=jobs,nodes", ["job", "node", "epoch"]],
    ["types=jobs&types=nodes", ["job", "node", "epoch"]],
    ["types=nomad.allocation.deleted", ["gone", "stale", "epoch"]],
    ["types=feed", ["stale", "epoch"]],
    ["namespaces=prod", ["job", "epoch"]],
    ["ops=delete", ["gone", "stale", "epoch"]],
    ["aspects=spec&types=jobs", ["job", "epoch"]],
    ["signals=allocation.failed", ["failed", "stale", "epoch"]],
    ["minSeverity=ERROR", ["failed", "epoch"]],
    ["subjects=allocations/default/gone", ["gone", "stale", "epoch"]],
    ["subjects=jobs/prod/job", ["job", "epoch"]],
  ])("%s", async (query, expected) => {
    await feed.commit(
      draft({
        id: "job",
        type: "nomad.job.created",
        resource: "jobs",
        namespace: "prod",
        op: "create",
        aspect: "spec",
      }),
      draft({ id: "failed", signals: ["allocation.failed"], severity: "ERROR" }),
      draft({ id: "gone", type: "nomad.allocation.deleted", op: "delete", aspect: "meta" }),
      draft({ id: "node", type: "nomad.node.updated", resource: "nodes", namespace: "-" }),
      controlDraft("stale", "nomad.feed.scope", { severity: "WARN" }),
      controlDraft("epoch", "nomad.feed.epoch", { resource: null, namespace: null, severity: "ERROR" }),
    );
    const { url } = await feed.serve();
    const all = await readAll(url, query, expected.length);
    const idOf = (text: string) => (JSON.parse(text) as { id: string }).id;
    const ids = Object.fromEntries(Object.entries(all).map(([format, texts]) => [format, texts.map(idOf)]));
    expect(ids).toEqual({ websocket: expected, sse: expected, ndjson: expected, page: expected });
  });

  it("moves a filtered subscriber's cursor by bookmarks", async () => {
    const { url } = await feed.serve({ bookmarkIntervalMs: 10 });
    const client = await WebSocketClient.connect(`${url}/v1/events?types=jobs`);
    await feed.commitMany("a", 3);
    const head = await feed.headCursor();
    const frames = await client.until((frame) => isBookmark(frame) && frame.data["cursor"] === head);
    expect(idsOf(frames)).toEqual([]);
    await client.close();
  });
});

describe("where a stream starts", () => {
  it("resumes by cursor without loss or repetition while commits go on", async () => {
    const { url } = await feed.serve();
    const total = 3000;
    const committing = feed.commitMany("a", total);
    const received: string[] = [];
    let cursor = "earliest";
    let format = 0;
    while (received.length < total) {
      const target = `${url}/v1/events?cursor=${cursor}`;
      const stopAt = received.length + 1 + ((received.length * 7) % 400);
      const isLast = (event: ReceivedEvent) => {
        if (isConnectionFrame(event)) return false;
        received.push(event.id);
        cursor = event.cursor ?? cursor;
        return received.length >= Math.min(stopAt, total);
      };
      if (format++ % 2 === 0) {
        const client = await WebSocketClient.connect(target);
        await client.until(isLast);
        client.socket.terminate();
      } else {
        await using stream = await HttpStream.open(target, NDJSON);
        await stream.until(isLast);
      }
    }
    expect(received).toEqual(await committing);
  });

  it("starts at the time given by since", async () => {
    await feed[Symbol.asyncDispose]();
    let nowMs = Date.parse("2026-08-22T10:00:00Z");
    feed = await TestFeed.open({ clock: { ...systemClock, now: () => nowMs } });
    await feed.commit(draft({ id: "old" }));
    nowMs += 3_600_000;
    await feed.commit(draft({ id: "new" }));
    const { url } = await feed.serve({}, { clock: { ...systemClock, now: () => nowMs + 60_000 } });
    for (const since of ["10m", "0h2m", "2026-08-22T10:30:00Z", "2026-08-22T12:30:00+02:00"]) {
      const page = (await (await fetch(`${url}/v1/events?since=${since}`)).json()) as ReceivedEvent[];
      const client = await WebSocketClient.connect(`${url}/v1/events?limit=1&since=${since}`);
      const stream = await client.until(() => false);
      expect({ since, page: idsOf(page), stream: idsOf(stream) }).toEqual({
        since,
        page: ["new"],
        stream: ["new"],
      });
    }
    const everything = (await (await fetch(`${url}/v1/events?since=2h`)).json()) as ReceivedEvent[];
    expect(idsOf(everything)).toEqual(["old", "new"]);
  });

  it("says so when retention removed what since asked for", async () => {
    await feed.commitMany("a", 10);
    await feed.log.trim({ maxEvents: 4 });
    const { url } = await feed.serve();
    const client = await WebSocketClient.connect(`${url}/v1/events?since=1h&limit=4`);
    const [hello, gap, ...rest] = await client.until(() => false);
    expect(hello?.data["gap"]).toBe(true);
    expect(gap).toMatchObject({
      type: "nomad.feed.gap",
      data: { reason: "expired", cursor: hello?.data["floor"] },
    });
    expect(idsOf(rest)).toEqual(["a7", "a8", "a9", "a10"]);
    const gapOfPage = async (query: string) =>
      (await fetch(`${url}/v1/events?${query}`)).headers.get("x-changefeed-gap");
    expect(await gapOfPage("since=1h")).toBe("true");
    expect(await gapOfPage("cursor=earliest")).toBeNull();
  });

  it.each([
    ["at its limit", 1, ["a4"]],
    ["at the end of the log", 100, ["a4", "a5"]],
  ])("says of a page that ends %s that events went missing while it was begun", async (_, limit, ids) => {
    await feed.commitMany("a", 5);
    const { epoch } = await feed.log.head();
    const { url } = await feed.serve({}, { log: deletedMeanwhile(feed.log, { after: 1, until: 3 }) });
    const page = await fetch(`${url}/v1/events?cursor=${epoch}-1&limit=${limit}`);
    expect(page.headers.get("x-changefeed-gap")).toBe("true");
    expect(idsOf((await page.json()) as ReceivedEvent[])).toEqual(ids);
    const next = await fetch(`${url}${nextPage(page)}`);
    expect(next.headers.get("x-changefeed-gap")).toBeNull();
  });

  it("lets Last-Event-ID go before the parameters, as a reconnecting EventSource needs", async () => {
    await feed.commit(draft({ id: "a" }));
    const seen = await feed.headCursor();
    await feed.commit(draft({ id: "b" }));
    const { url } = await feed.serve();
    const headers = { "last-event-id": seen };
    await using stream = await HttpStream.open(`${url}/v1/events?since=1h&limit=1`, SSE, headers);
    expect(idsOf((await stream.until(() => false)).map(({ event }) => event))).toEqual(["b"]);
  });

  it("ends after limit events with a bookmark and close code 1000", async () => {
    await feed.commitMany("a", 5);
    const { url } = await feed.serve();
    const client = await WebSocketClient.connect(`${url}/v1/events?cursor=earliest&limit=2`);
    const frames = await client.until(() => false);
    expect(idsOf(frames)).toEqual(["a1", "a2"]);
    expect(frames.at(-1)).toMatchObject({
      type: "nomad.feed.bookmark",
      data: { cursor: frames.at(-2)?.cursor },
    });
    expect(await client.closed()).toMatchObject({ code: 1000 });
  });
});

describe("pages", () => {
  it("walks the whole feed by the cursor header and shows when it is caught up", async () => {
    const ids = await feed.commitMany("a", 250);
    const { url } = await feed.serve();
    const received: string[] = [];
    let next = "/v1/events?types=allocations";
    for (;;) {
      const response = await fetch(`${url}${next}`);
      expect(response.headers.get("content-type")).toBe("application/cloudevents-batch+json; charset=utf-8");
      received.push(...idsOf((await response.json()) as ReceivedEvent[]));
      const { "x-changefeed-cursor": cursor, "x-changefeed-head": head } = Object.fromEntries(
        response.headers,
      );
      if (cursor === head) break;
      next = nextPage(response) ?? "";
    }
    expect(received).toEqual(ids);
  });

  it("moves the cursor over what the filter left out", async () => {
    await feed.commitMany("a", 20);
    const { url } = await feed.serve();
    const response = await fetch(`${url}/v1/events?types=jobs`);
    expect(await response.json()).toEqual([]);
    expect(response.headers.get("x-changefeed-cursor")).toBe(await feed.headCursor());
  });
});

describe("looking far for a page", () => {
  const clock = new TestClock();
  const reads = new ReadScheduler({ maxWorkMs: 30_000, clock });

  it("lets others run", async () => {
    await feed.commitMany("a", 2500);
    const { epoch } = await feed.log.head();
    const done: string[] = [];
    setImmediate(() => done.push("others"));
    await readPage(feed.log, await reads.begin(), {
      cursor: { epoch, sequence: 0 },
      filter: () => false,
      limit: 1,
      maxBytes: 1024 * 1024,
    });
    done.push("page");
    expect(done).toEqual(["others", "page"]);
  });

  it("lets others run between the events that a slow filter looks at", async () => {
    const ids = await feed.commitMany("a", 30);
    const { epoch } = await feed.log.head();
    const seen: string[] = [];
    let stretches = 0;
    const countStretch = () => {
      stretches += 1;
      if (seen.length < ids.length) setImmediate(countStretch);
    };
    setImmediate(countStretch);
    const filter = ({ id }: { id: string }) => {
      clock.pass(5);
      seen.push(id);
      return false;
    };
    const page = await readPage(feed.log, await reads.begin(), {
      cursor: { epoch, sequence: 0 },
      filter,
      limit: 1,
      maxBytes: 1024 * 1024,
    });
    expect({ seen, reached: page.cursor.sequence }).toEqual({ seen: ids, reached: 30 });
    expect(stretches).toBeGreaterThan(5);
  });
});

describe("what a WebSocket client sends", () => {
  it("answers a ping with a pong frame", async () => {
    const { url } = await feed.serve();
    const client = await WebSocketClient.connect(`${url}/v1/events`);
    await client.next();
    client.socket.send('{"ping":7}');
    expect(await client.next()).toMatchObject({ type: "nomad.feed.pong", data: { ping: 7 } });
    await client.close();
  });

  it.each([
    "hello",
    "[]",
    "null",
    '{"ping":"7"}',
    '{"ping":1.5}',
    '{"ping":7,"more":1}',
    Buffer.from('{"ping":7}'),
  ])("refuses %s with 4400", async (message) => {
    const { url } = await feed.serve();
    const client = await WebSocketClient.connect(`${url}/v1/events`);
    await client.next();
    client.socket.send(message);
    expect(await client.next()).toMatchObject({
      type: "nomad.feed.error",
      data: { code: "INVALID_MESSAGE" },
    });
    expect(await client.closed()).toEqual({ code: 4400, reason: "INVALID_MESSAGE" });
  });

  it("disconnects a client that answers no ping", async () => {
    const { url } = await feed.serve({ pingIntervalMs: 20 });
    const client = await WebSocketClient.connect(`${url}/v1/events`, [], { autoPong: false });
    expect(await client.closed()).toMatchObject({ code: 1006 });
  });
});
