import { once } from "node:events";
import { connect } from "node:net";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { LogUnavailable } from "../../src/feed/errors.ts";
import type { FeedLog } from "../../src/feed/log.ts";
import { frameSchema, objectFrameSchema } from "../../src/schemas/frames-schema.ts";
import { breakable } from "../support/breakable-log.ts";
import { draft, objectChange, refOf } from "../support/drafts.ts";
import { TestFeed } from "../support/http-feed.ts";
import { HttpStream } from "../support/http-stream.ts";
import { frameName, openStream, STREAMS } from "../support/protocol-reader.ts";
import { until } from "../support/until.ts";
import { WebSocketClient, type ReceivedEvent } from "../support/websocket-client.ts";

let feed: TestFeed;
beforeEach(async () => {
  feed = await TestFeed.open();
});
afterEach(() => feed[Symbol.asyncDispose]());

const isEnd = ({ type, data }: ReceivedEvent) => type === "nomad.feed.snapshot" && data["phase"] === "end";

describe.each(STREAMS)("snapshot=true over %s", (format) => {
  it("is the objects, then what happens to them, from one consistent read", async () => {
    const cursor = await feed.commitObjects(
      objectChange(refOf("allocations", "a"), "1"),
      objectChange(refOf("jobs", "web"), "2"),
    );
    const { url } = await feed.serve();
    await using stream = await openStream(format, `${url}/v1/events?snapshot=true&limit=1`);
    const opening = await stream.until(isEnd);
    await feed.commit(draft({ id: "later" }));
    const frames = [...opening, ...(await stream.until(() => false))];
    expect(frames.map(frameName)).toEqual([
      "hello",
      "snapshot begin",
      "object allocations/default/a",
      "object jobs/default/web",
      "snapshot end",
      "later",
      "bookmark",
    ]);
    expect(frames[0]?.data).toMatchObject({ cursor, head: cursor, gap: false });
    expect(frames[1]?.data).toEqual({ phase: "begin", cursor });
    expect(frames[4]?.data).toEqual({ phase: "end", cursor, count: 2 });
    for (const { text, type } of frames.slice(0, 5)) {
      const schema = type.startsWith("nomad.feed.") ? frameSchema : objectFrameSchema;
      expect(schema.safeParse(JSON.parse(text)).error).toBeUndefined();
    }
  });

  it("takes the filters that choose objects, not those about changes", async () => {
    await feed.commitObjects(
      objectChange(refOf("allocations", "a"), "1"),
      objectChange(refOf("jobs", "web", "prod"), "2"),
      objectChange(refOf("jobs", "web"), "2"),
    );
    const { url } = await feed.serve();
    const query = "types=nomad.job.updated&namespaces=prod&ops=delete&minSeverity=ERROR&signals=node.down";
    await using stream = await openStream(format, `${url}/v1/events?snapshot=true&${query}`);
    expect((await stream.until(isEnd)).map(frameName)).toEqual([
      "hello",
      "snapshot begin",
      "object jobs/prod/web",
      "snapshot end",
    ]);
  });

  it("asks the objects what a filter asks the events, also where their stubs are left out", async () => {
    await feed.commitObjects(objectChange(refOf("jobs", "web"), "1"), objectChange(refOf("jobs", "db"), "2"));
    const { url } = await feed.serve();
    const filter = encodeURIComponent("ModifyIndex == 2");
    const query = `snapshot=true&payload=thin&limit=1&filter=${filter}`;
    await using stream = await openStream(format, `${url}/v1/events?${query}`);
    const objects = await stream.until(isEnd);
    expect(objects.map(frameName).slice(2, -1)).toEqual(["object jobs/default/db"]);
    await feed.commitObjects(
      objectChange(refOf("jobs", "web"), "3"),
      objectChange(refOf("jobs", "db"), "2", { id: "db again" }),
    );
    expect((await stream.until(() => false)).map(frameName)).toEqual(["db again", "bookmark"]);
  });

  it("leaves the stubs out with a payload that has none", async () => {
    await feed.commitObjects(objectChange(refOf("allocations", "a"), "1"));
    const { url } = await feed.serve();
    await using stream = await openStream(format, `${url}/v1/events?snapshot=true&payload=thin`);
    const object = (await stream.until(isEnd))[2];
    expect(object?.data).not.toHaveProperty("after");
    expect(objectFrameSchema.safeParse(JSON.parse(object?.text ?? "")).error).toBeUndefined();
  });
});

describe("a snapshot", () => {
  it("misses nothing and doubles nothing while objects change under it", async () => {
    const state = new Map<string, string>();
    const write = async (round: number) => {
      const changes = Array.from({ length: 40 }, (_, n) => {
        const key = `k${(round * 7 + n * 3) % 300}`;
        const rev = (round + n) % 5 === 0 ? null : String(round * 100 + n + 1);
        if (rev === null) state.delete(key);
        else state.set(key, rev);
        return objectChange(refOf("allocations", key), rev);
      });
      await feed.commitObjects(...changes);
    };
    for (let round = 0; round < 20; round += 1) await write(round);
    const { url } = await feed.serve();
    const clients = [];
    for (let round = 20; round < 60; round += 1) {
      if (round % 4 === 0) clients.push(await WebSocketClient.connect(`${url}/v1/events?snapshot=true`));
      await write(round);
    }
    const head = await feed.commit(draft({ id: "last" }));
    for (const client of clients) {
      const folded = new Map<string, string>();
      const events = await client.until(({ cursor }) => cursor === head);
      for (const { data, id } of events.slice(0, -1)) {
        const [, subject = "", rev = ""] = /^(?:0\/)?allocations\/default\/(\w+)@([^!]*)/.exec(id) ?? [];
        if (data["op"] === "delete") folded.delete(subject);
        else if (subject !== "") folded.set(subject, rev);
      }
      expect(folded).toEqual(state);
      await client.close();
    }
  });

  it("has nothing to resume from in its middle: a browser that comes back there begins again", async () => {
    const cursor = await feed.commitObjects(objectChange(refOf("allocations", "a"), "1"));
    const { url } = await feed.serve();
    await using stream = await HttpStream.open(`${url}/v1/events?snapshot=true`, "text/event-stream");
    const items = await stream.until(isEnd);
    expect(items.map(({ id, name }) => [name, id])).toEqual([
      ["nomad.feed.hello", undefined],
      ["nomad.feed.snapshot", undefined],
      [undefined, undefined],
      ["nomad.feed.snapshot", cursor],
    ]);
    await using resumed = await HttpStream.open(`${url}/v1/events?snapshot=true`, "text/event-stream", {
      "last-event-id": cursor,
    });
    await feed.commit(draft({ id: "later" }));
    const after = await resumed.until(({ id }) => id === "later");
    expect(after.map(({ event }) => frameName(event))).toEqual(["hello", "later"]);
  });

  it("that breaks off names no cursor to go on from", async () => {
    await feed.commitObjects(objectChange(refOf("allocations", "a"), "1"));
    let reads = 0;
    const log: FeedLog = {
      ...breakable(feed.log),
      consistentRead: async () => {
        const read = await feed.log.consistentRead();
        return {
          cursor: read.cursor,
          async *entries(filter) {
            reads += 1;
            yield* read.entries(filter);
            throw new LogUnavailable("The log is away");
          },
          [Symbol.asyncDispose]: () => read[Symbol.asyncDispose](),
        };
      },
    };
    const { url } = await feed.serve({}, { log });
    const client = await WebSocketClient.connect(`${url}/v1/events?snapshot=true`);
    const error = (await client.until(() => false)).at(-1);
    expect(error).toMatchObject({
      type: "nomad.feed.error",
      data: { code: "LOG_UNAVAILABLE", closeCode: 1013 },
    });
    expect(error?.data).not.toHaveProperty("cursor");
    expect(reads).toBe(1);
  });

  it("waits for who reads slowly, delays nobody, and ends for who reads nothing", async () => {
    const big = (key: string) => {
      const change = objectChange(refOf("allocations", key), "1");
      const stub = Buffer.from(JSON.stringify({ ID: key, Padding: "x".repeat(20_000) }));
      return { ...change, state: { ...change.state, next: { rev: "1", stub } } };
    };
    for (let round = 0; round < 6; round += 1) {
      await feed.commitObjects(...Array.from({ length: 100 }, (_, n) => big(`k${round}-${n}`)));
    }
    const { url } = await feed.serve({ stallTimeoutMs: 400, bookmarkIntervalMs: 20 });
    const { hostname, port } = new URL(url);
    const slow = connect(Number(port), hostname);
    slow.on("error", () => undefined);
    slow.pause();
    slow.write(
      "GET /v1/events?snapshot=true HTTP/1.1\r\nhost: 127.0.0.1\r\naccept: application/x-ndjson\r\n\r\n",
    );
    const fast = await WebSocketClient.connect(`${url}/v1/events?snapshot=true`);
    const frames = await fast.until(isEnd);
    expect(frames).toHaveLength(603);
    // Bookmarks would name a place that the snapshot has not reached yet.
    expect(frames.map(({ type }) => type)).not.toContain("nomad.feed.bookmark");
    expect((await fast.next())?.type).toBe("nomad.feed.bookmark");
    await fast.close();
    await until("the slow one was ended", async () =>
      (await feed.metrics.registry.metrics()).includes('format="ndjson",reason="TOO_SLOW"'),
    );
    slow.resume();
    await once(slow, "close");
  });
});
