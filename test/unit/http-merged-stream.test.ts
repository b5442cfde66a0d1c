import { duplexPair, PassThrough } from "node:stream";
import { createServer, type IncomingMessage } from "node:http";
import { expect, test } from "vitest";
import { FeedMount } from "../../src/http/feeds/feed-mount.ts";
import { questionOf } from "../../src/http/feeds/merged/question.ts";
import { MergedStream, type MergedStreamDeps } from "../../src/http/feeds/merged/stream.ts";
import type { MountedServer } from "../../src/http/feeds/mount.ts";
import { MountedFeeds } from "../../src/http/feeds/mounted-feeds.ts";
import { abortListeners } from "../support/abort-listeners.ts";
import { TestClock } from "../support/test-clock.ts";
import { until } from "../support/until.ts";

const { signal: NEVER } = new AbortController();

test("a stream that has as many events as were asked for waits for no feed that says nothing", async () => {
  const upstreams = [1, 2].map(() => Object.assign(new PassThrough(), { statusCode: 200 }));
  const sink: Partial<MergedStreamDeps["sink"]> = {
    isClear: true,
    write: () => undefined,
    end: () => undefined,
  };
  const question = { position: [] };
  const deps = { clock: new TestClock(), random: () => 0.5, sink, question, limit: 1, stopping: NEVER };
  const stream = new MergedStream(deps as unknown as MergedStreamDeps);
  const joined = upstreams.map((upstream, at) => ({
    feed: { name: `f${at}`, gone: undefined } as FeedMount,
    response: upstream as unknown as IncomingMessage,
  }));
  const running = stream.run(joined, new MountedFeeds());
  upstreams[0]?.write("id: e.1\ndata: {}\n\n");
  await running;
  expect(upstreams.map(({ destroyed }) => destroyed)).toEqual([true, true]);
});

test("a stream whose last feed lets nobody in any more says so, and closes as that feed would", async () => {
  const clock = new TestClock();
  const refusing = createServer((_request, response) => {
    response.writeHead(401, { "content-type": "application/problem+json" });
    response.end(JSON.stringify({ code: "UNAUTHORIZED", message: "The token is not known" }));
  });
  const connect = () => {
    const [ours, theirs] = duplexPair();
    refusing.emit("connection", theirs);
    return ours;
  };
  const frames: string[] = [];
  let closed: unknown;
  const sink: Partial<MergedStreamDeps["sink"]> = {
    isClear: true,
    write: (written) => void frames.push(...written.map(({ json }) => json)),
    end: (closeCode, reason) => void (closed = { closeCode, reason }),
  };
  const message = { headers: {}, socket: {} } as IncomingMessage;
  const question = { position: [], queryFor: () => new URLSearchParams() };
  const deps = { clock, random: () => 0.5, sink, message, question, limit: undefined, stopping: NEVER };
  const stream = new MergedStream(deps as unknown as MergedStreamDeps);
  const upstream = Object.assign(new PassThrough(), { statusCode: 200 });
  const feed = { name: "eu", gone: undefined, connect } as unknown as FeedMount;
  const running = stream.run(
    [{ feed, response: upstream as unknown as IncomingMessage }],
    new MountedFeeds(),
  );
  upstream.end();
  await clock.finish(running);
  expect(JSON.parse(frames.at(-1) ?? "")).toMatchObject({
    type: "nomad.feed.error",
    data: { code: "UNAUTHORIZED", closeCode: 4401 },
  });
  expect(closed).toEqual({ closeCode: 4401, reason: "UNAUTHORIZED" });
});

test("a slow subscriber of all feeds leaves nothing behind each time it was waited for", async () => {
  using listeners = abortListeners();
  const clock = new TestClock();
  const upstream = Object.assign(new PassThrough(), { statusCode: 200 });
  let written = 0;
  const sink: Partial<MergedStreamDeps["sink"]> = {
    isClear: false,
    whenClear: (onClear) => void setImmediate(onClear),
    write: (frames) => void (written += frames.length),
    end: () => undefined,
  };
  const deps = {
    clock,
    random: () => 0.5,
    sink,
    question: { position: [] },
    limit: undefined,
    stopping: NEVER,
  };
  const stream = new MergedStream(deps as unknown as MergedStreamDeps);
  const feed = { name: "eu", gone: undefined } as FeedMount;
  const running = stream.run(
    [{ feed, response: upstream as unknown as IncomingMessage }],
    new MountedFeeds(),
  );
  const take = async (events: number): Promise<void> => {
    const end = written + events;
    for (let n = 0; n < events; n++) upstream.write(`id: e.${n}\ndata: {}\n\n`);
    await until(`${events} events`, () => written >= end);
  };
  await take(1);
  const before = listeners.count();
  await take(50);
  expect(listeners.count()).toBeLessThanOrEqual(before);
  stream.end();
  upstream.end();
  await running;
});

/** A stream of these feeds: what it told, and what a feed that answers is asked. */
function tellingOf(query: string, feeds: MountedFeeds) {
  const clock = new TestClock();
  const asked: URLSearchParams[] = [];
  const serving = createServer((request, response) => {
    asked.push(new URL(request.url ?? "", "http://feed").searchParams);
    response.writeHead(200, { "content-type": "text/event-stream" });
    response.write('event: nomad.feed.hello\ndata: {"type":"nomad.feed.hello","data":{"cursor":"k-7"}}\n\n');
  });
  const connect = () => {
    const [ours, theirs] = duplexPair();
    ours.once("close", () => theirs.destroy());
    serving.emit("connection", theirs);
    return ours;
  };
  const told: { type: string; data: Record<string, unknown> }[] = [];
  const cursors: (string | undefined)[] = [];
  const sink: Partial<MergedStreamDeps["sink"]> = {
    isClear: true,
    write: (frames) => {
      told.push(...frames.map(({ json }) => JSON.parse(json) as (typeof told)[number]));
      cursors.push(...frames.map(({ cursor }) => cursor));
    },
    end: () => undefined,
  };
  const message = { url: `/v1/events?${query}`, headers: {}, socket: {} } as IncomingMessage;
  const question = questionOf(message, clock.now(), "sse");
  const deps = { clock, random: () => 0.5, sink, message, question, limit: undefined, stopping: NEVER };
  const stream = new MergedStream(deps as unknown as MergedStreamDeps);
  const mounted = (name: string): FeedMount => {
    const feed = new FeedMount(name, { url: "", limits: {} as FeedMount["limits"], clock });
    feeds.add(feed);
    return feed;
  };
  const serve = (feed: FeedMount) => feed.enter({ connect } as unknown as MountedServer);
  const said = (type: string) => told.filter((frame) => frame.type === type);
  return { stream, clock, mounted, serve, said, asked, cursors };
}

test("a feed that is taken out and put back while a subscriber waits for it is not gone", async () => {
  const feeds = new MountedFeeds();
  const { stream, clock, mounted, serve, said } = tellingOf("", feeds);
  const former = mounted("eu");
  const running = stream.run([{ feed: former }], feeds);
  await until("it is away", () => said("nomad.feeds.notice").length === 1);
  feeds.remove(former);
  serve(mounted("eu"));
  await clock.advance(1000);
  await until("it is back", () => said("nomad.feed.hello").length === 1);
  stream.end();
  await running;
  expect(said("nomad.feeds.notice").map(({ data }) => data["state"])).not.toContain("gone");
});

test.each([
  ["since=2026-08-22T09:00:00Z", "2026-08-22T09:00:00.000Z"],
  ["", "2026-08-22T10:00:00.000Z"],
])("a feed that has not said hello yet is in the cursor with where it begins: %j", async (query, since) => {
  const feeds = new MountedFeeds();
  const { stream, clock, mounted, serve, said, asked, cursors } = tellingOf(query, feeds);
  const [eu, us] = [mounted("eu"), mounted("us")];
  serve(us);
  const running = stream.run([{ feed: eu }, { feed: us }], feeds);
  await until("one is there", () => said("nomad.feed.hello").length === 1);
  expect(cursors.at(-1)).toBe(`eu:@${Date.parse(since)},us:k-7`);
  serve(eu);
  await clock.advance(1000);
  await until("both are there", () => said("nomad.feed.hello").length === 2);
  expect(asked.at(-1)?.get("since")).toBe(since);
  expect(cursors.at(-1)).toBe("eu:k-7,us:k-7");
  stream.end();
  await running;
});
