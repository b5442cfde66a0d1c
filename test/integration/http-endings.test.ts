import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { CursorExpired, EpochChanged, FutureCursor, LogUnavailable } from "../../src/feed/errors.ts";
import type { FeedLog } from "../../src/feed/log.ts";
import { createLogger } from "../../src/telemetry/logger.ts";
import { draft } from "../support/drafts.ts";
import { TestFeed } from "../support/http-feed.ts";
import { HttpStream } from "../support/http-stream.ts";
import { until } from "../support/until.ts";
import { WebSocketClient, type ReceivedEvent } from "../support/websocket-client.ts";

let feed: TestFeed;
beforeEach(async () => {
  feed = await TestFeed.open();
});
afterEach(() => feed[Symbol.asyncDispose]());

const isHello = ({ type }: ReceivedEvent) => type === "nomad.feed.hello";
const LARGE = 16 * 1024;

/** The value of a sample in the metrics text; 0 where there is none. */
async function metric(sample: string): Promise<number> {
  const text = await feed.metrics.registry.metrics();
  const line = text.split("\n").find((candidate) => candidate.startsWith(`${sample} `));
  return Number(line?.split(" ")[1] ?? 0);
}

/** How many subscriptions of this format ended for this reason. */
const ended = (format: string, reason: string) =>
  metric(`nomad_changefeed_subscriptions_ended_total{format="${format}",reason="${reason}"}`);

/** A log whose reads fail from when they are told to. */
function breakable(log: FeedLog): { log: FeedLog; failWith: (error: Error) => void } {
  let failure: Error | undefined;
  const read: FeedLog["read"] = async (...args) => {
    if (failure !== undefined) throw failure;
    return log.read(...args);
  };
  // What fails hands nothing over either.
  const waitBeyond: FeedLog["waitBeyond"] = (sequence, options) =>
    log.waitBeyond(sequence, {
      ...options,
      take: (appended) => failure === undefined && options.take?.(appended) === true,
    });
  const proxy = new Proxy(log, {
    get: (target, name) => {
      if (name === "read") return read;
      if (name === "waitBeyond") return waitBeyond;
      const value: unknown = Reflect.get(target, name, target);
      return typeof value === "function" ? (value.bind(target) as unknown) : value;
    },
  });
  return { log: proxy, failWith: (error) => (failure = error) };
}

describe("a subscriber that stops reading", () => {
  it("holds no memory, delays nobody, and misses nothing when it reads on", async () => {
    const { url } = await feed.serve();
    const slow = await WebSocketClient.connect(`${url}/v1/events`);
    await slow.until(isHello);
    slow.socket.pause();
    await using fast = await HttpStream.open(`${url}/v1/events`, "application/x-ndjson");
    await fast.until(isHello);

    const ids = await feed.commitMany("a", 2500, LARGE);
    const last = ids.at(-1);
    const received = await fast.until(({ id }) => id === last);
    expect(received.map(({ event }) => event.id)).toEqual(ids);
    // What the slow one was sent is what the kernel buffers for a socket, of 40 MB.
    expect(await metric('nomad_changefeed_deliveries_total{format="websocket"}')).toBeLessThan(1000);

    slow.socket.resume();
    expect((await slow.until(({ id }) => id === last)).map(({ id }) => id)).toEqual(ids);
    await slow.close();
  });

  it("is told when retention overtook it", async () => {
    const { url } = await feed.serve();
    const slow = await WebSocketClient.connect(`${url}/v1/events`);
    await slow.until(isHello);
    slow.socket.pause();
    await feed.commitMany("a", 1500, LARGE);
    await feed.log.trim({ maxEvents: 10 });
    slow.socket.resume();
    const frames = await slow.until(() => false);
    expect(frames.at(-1)).toMatchObject({
      type: "nomad.feed.error",
      data: { code: "CURSOR_EXPIRED", closeCode: 4410 },
    });
    expect(await slow.closed()).toEqual({ code: 4410, reason: "CURSOR_EXPIRED" });
    const events = frames.slice(0, -1).map(({ id }) => id);
    expect(events).toEqual(Array.from({ length: events.length }, (_, position) => `a${position + 1}`));
  });

  it("is given up over HTTP too", async () => {
    const { url } = await feed.serve({ stallTimeoutMs: 30 });
    await using slow = await HttpStream.open(`${url}/v1/events`, "application/x-ndjson");
    await slow.until(isHello);
    await feed.commitMany("a", 1500, LARGE);
    await until("it is given up", async () => (await ended("ndjson", "TOO_SLOW")) === 1);
    const items = await slow.until(() => false);
    expect(items.at(-1)?.event).toMatchObject({
      data: { code: "TOO_SLOW", cursor: items.at(-2)?.event.cursor },
    });
  });

  it("is given up when it takes nothing for too long", async () => {
    const { url } = await feed.serve({ stallTimeoutMs: 30 });
    const slow = await WebSocketClient.connect(`${url}/v1/events`);
    await slow.until(isHello);
    slow.socket.pause();
    await feed.commitMany("a", 1500, LARGE);
    await until("it is given up", async () => (await ended("websocket", "TOO_SLOW")) === 1);
    slow.socket.resume();
    const frames = await slow.until(() => false);
    expect(await slow.closed()).toEqual({ code: 4408, reason: "TOO_SLOW" });
    // It can go on where it was.
    expect(frames.at(-1)?.data["cursor"]).toBe(frames.at(-2)?.cursor);
  });
});

describe("a log that fails under a stream", () => {
  it.each([
    [
      new LogUnavailable("The disk at /var/lib is away"),
      1013,
      "LOG_UNAVAILABLE",
      "The log cannot be used right now",
    ],
    [new TypeError("secret detail"), 1011, "INTERNAL", "The server failed"],
  ])("%s closes with %i", async (failure, code, name, message) => {
    const broken = breakable(feed.log);
    const { url } = await feed.serve({}, { log: broken.log });
    const client = await WebSocketClient.connect(`${url}/v1/events`);
    const hello = await client.next();
    await using stream = await HttpStream.open(`${url}/v1/events`, "text/event-stream");
    await stream.until(isHello);
    broken.failWith(failure);
    await feed.commit(draft({ id: "a" }));
    const data = { code: name, message, closeCode: code, cursor: hello?.data["cursor"] };
    expect(await client.next()).toMatchObject({ type: "nomad.feed.error", data });
    expect(await client.closed()).toEqual({ code, reason: name });
    const last = (await stream.until(() => false)).at(-1);
    expect(last).toMatchObject({ name: "nomad.feed.error", event: { data } });
    expect(last).not.toHaveProperty("id");
  });
});

describe("a defect before a stream begins", () => {
  it("is told by name only, and logged in full", async () => {
    const lines: string[] = [];
    const logger = createLogger({
      level: "error",
      format: "json",
      destination: { write: (line) => lines.push(line) },
    });
    const broken = breakable(feed.log);
    broken.failWith(new TypeError("secret detail"));
    const served = await feed.serve({}, { logger, log: broken.log });
    const path = `/v1/events?cursor=${await feed.headCursor()}`;
    const response = await fetch(served.url + path);
    expect(await response.json()).toMatchObject({ code: "INTERNAL", message: "The server failed" });
    const refused = await WebSocketClient.connect(served.url + path).catch((error: unknown) => error);
    expect(refused).toMatchObject({ status: 500, body: { code: "INTERNAL", message: "The server failed" } });
    const logged = { url: path, err: { type: "TypeError", message: "secret detail" } };
    expect(lines.map((line) => JSON.parse(line) as object)).toMatchObject([logged, logged]);
  });
});

describe("a cursor that goes bad under a stream", () => {
  const reached = { epoch: "abc", sequence: 9 };
  const head = { epoch: "def", sequence: 1 };
  it.each([
    [new EpochChanged(reached, head), 4409, "EPOCH_CHANGED"],
    [new CursorExpired(reached, head), 4410, "CURSOR_EXPIRED"],
    [new FutureCursor(reached, head), 4412, "FUTURE_CURSOR"],
  ])("%s closes with %i and offers no cursor to go on from", async (failure, code, name) => {
    const broken = breakable(feed.log);
    const { url } = await feed.serve({}, { log: broken.log });
    const client = await WebSocketClient.connect(`${url}/v1/events`);
    await client.until(isHello);
    broken.failWith(failure);
    await feed.commit(draft({ id: "a" }));
    const last = await client.next();
    expect(last?.data).toEqual({ code: name, message: failure.message, hint: failure.hint, closeCode: code });
    expect(await client.closed()).toEqual({ code, reason: name });
  });
});

describe("stop", () => {
  it.each([
    [undefined, 1001, "GOING_AWAY"],
    ["restart", 1012, "RESTARTING"],
  ] as const)("for the reason %s tells every stream and closes with %i", async (reason, code, name) => {
    const { url, server } = await feed.serve();
    const client = await WebSocketClient.connect(`${url}/v1/events`);
    await using sse = await HttpStream.open(`${url}/v1/events`, "text/event-stream");
    await using ndjson = await HttpStream.open(`${url}/v1/events`, "application/x-ndjson");
    const cursor = await feed.headCursor();
    await server.stop(reason);
    expect((await client.until(() => false)).at(-1)).toMatchObject({ data: { code: name, cursor } });
    expect(await client.closed()).toEqual({ code, reason: name });
    for (const stream of [sse, ndjson]) {
      expect((await stream.until(() => false)).at(-1)?.event).toMatchObject({ data: { code: name, cursor } });
    }
    await expect(fetch(`${url}/readyz`)).rejects.toThrow("fetch failed");
    await expect(WebSocketClient.connect(`${url}/v1/events`)).rejects.toThrow("ECONNREFUSED");
  });

  it("does not wait for clients that have stopped reading", async () => {
    const { url, server } = await feed.serve({ stopMs: 50 });
    const target = `${url}/v1/events?cursor=earliest`;
    await feed.commitMany("a", 1500, LARGE);
    const client = await WebSocketClient.connect(target);
    client.socket.pause();
    await using unread = await HttpStream.open(target, "application/x-ndjson");
    expect(unread.response.status).toBe(200);
    for (const format of ["websocket", "ndjson"]) {
      const delivered = `nomad_changefeed_deliveries_total{format="${format}"}`;
      await until("it was sent some", async () => (await metric(delivered)) > 20);
    }
    await server.stop();
    await expect(fetch(url)).rejects.toThrow("fetch failed");
  });

  it("is over at once when called again", async () => {
    const { server } = await feed.serve();
    await expect(Promise.all([server.stop(), server.stop("restart")])).resolves.toBeDefined();
    await expect(server.stop()).resolves.toBeUndefined();
  });

  it("comes with closing the server too", async () => {
    const { url } = await feed.serve();
    const client = await WebSocketClient.connect(`${url}/v1/events`);
    await feed.closeServers();
    expect(await client.closed()).toEqual({ code: 1001, reason: "GOING_AWAY" });
    await expect(fetch(`${url}/readyz`)).rejects.toThrow("fetch failed");
  });

  it("works on a server that never started", async () => {
    const refused = feed.serve({ host: "192.0.2.1", insecureNoAuth: true });
    await expect(refused).rejects.toThrow("this machine has no such address");
  });

  it("counts nobody as subscribed when clients have left by themselves", async () => {
    const { url } = await feed.serve();
    const client = await WebSocketClient.connect(`${url}/v1/events`);
    await client.close();
    const stream = await HttpStream.open(`${url}/v1/events`, "application/x-ndjson");
    await stream.next();
    await stream[Symbol.asyncDispose]();
    const formats = ["websocket", "ndjson"];
    await until("both are gone", async () => {
      const gone = await Promise.all(formats.map((format) => ended(format, "client-gone")));
      return gone.every((count) => count === 1);
    });
    const subscribed = (format: string) => metric(`nomad_changefeed_subscribers{format="${format}"}`);
    await until("nobody is counted", async () =>
      (await Promise.all(formats.map(subscribed))).every((count) => count === 0),
    );
  });
});
