import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { consume, type ConsumeOptions } from "../../packages/client/src/index.ts";
import { TestFeed } from "../support/http-feed.ts";

let feed: TestFeed;
let url: string;
let stopServer: () => Promise<void>;
beforeEach(async () => {
  feed = await TestFeed.open();
  const { url: at, server } = await feed.serve();
  url = at;
  stopServer = () => server.stop("restart");
});
afterEach(() => feed[Symbol.asyncDispose]());

const pager = (options: Partial<ConsumeOptions> = {}) =>
  consume({
    url,
    consumer: "pager",
    cursor: "earliest",
    types: ["allocations"],
    retry: { baseMs: 1, maxMs: 1 },
    ...options,
  });

/** Takes so many events, with an ack of those that are to be acked. */
async function take(consumer: ReturnType<typeof pager>, count: number, mayAck: (id: string) => boolean) {
  const ids: string[] = [];
  for await (const event of consumer) {
    if (!("id" in event && "cursor" in event)) continue;
    ids.push(event.id);
    if (mayAck(event.id)) await consumer.ack(event);
    if (ids.length === count) break;
  }
  return ids;
}

const stored = async () =>
  (await (await fetch(`${url}/v1/consumers/pager`)).json()) as { cursor: string; behind: number };

describe("consume", () => {
  it("goes on behind the last ack, and gives again what was not acked", async () => {
    await feed.commitMany("a", 5);
    expect(await take(pager(), 3, (id) => id === "a1" || id === "a2")).toEqual(["a1", "a2", "a3"]);
    expect((await stored()).behind).toBe(3);
    expect(await take(pager(), 3, (id) => id === "a5")).toEqual(["a3", "a4", "a5"]);
    await feed.commitMany("b", 1);
    expect(await take(pager(), 1, () => false)).toEqual(["b1"]);
    expect((await stored()).behind).toBe(1);
  });

  it("gives nothing twice because a connection was lost", async () => {
    await feed.commitMany("a", 2);
    const consumer = pager();
    const ids: string[] = [];
    for await (const event of consumer) {
      if ("id" in event) ids.push(event.id);
      if (ids.length === 2) {
        await stopServer();
        await feed.commitMany("b", 1);
        await feed.serve({ port: Number(new URL(url).port) });
      }
      if (ids.length === 3) break;
    }
    expect(ids).toEqual(["a1", "a2", "b1"]);
    expect((await stored()).behind).toBe(3);
  });

  it("acks once the server is back, the newest for all", async () => {
    await feed.commitMany("a", 3);
    const consumer = pager();
    const cursors: string[] = [];
    for await (const event of consumer) {
      if ("cursor" in event) cursors.push(event.cursor);
      if (cursors.length === 3) break;
    }
    await stopServer();
    const acks = Promise.all(cursors.map((cursor) => consumer.ack(cursor)));
    await feed.serve({ port: Number(new URL(url).port) });
    await acks;
    expect((await stored()).behind).toBe(0);
  });

  it("gives an ack up when its signal aborts", async () => {
    await stopServer();
    const stop = new AbortController();
    const consumer = pager({ signal: stop.signal });
    const ack = consumer.ack("e-1");
    stop.abort(new Error("enough"));
    await expect(ack).rejects.toThrow("enough");
  });

  it("refuses an ack of what has not happened, and a name that is none", async () => {
    const cursor = await feed.commit();
    const consumer = pager();
    await expect(consumer.ack(cursor.replace(/\d+$/, "999"))).rejects.toMatchObject({
      reason: "FUTURE_CURSOR",
    });
    const nameless = pager({ consumer: "a b" })[Symbol.asyncIterator]();
    await expect(nameless.next()).rejects.toMatchObject({ reason: "INVALID_PARAMETER", field: "consumer" });
  });
});
