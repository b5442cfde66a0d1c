import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { draft, objectChange, refOf } from "../support/drafts.ts";
import { TestFeed } from "../support/http-feed.ts";
import { frameName, openStream } from "../support/protocol-reader.ts";
import { openTestLog } from "../support/redis-logs.ts";
import { redisMissing, RedisServer } from "../support/redis-server.ts";
import { skippedBecause } from "../support/skipped.ts";
import { until } from "../support/until.ts";
import { WebSocketClient } from "../support/websocket-client.ts";

const missing = redisMissing();
const title = skippedBecause(missing);

describe.skipIf(missing !== undefined)(`the protocol over a log in Redis${title}`, () => {
  let server: RedisServer;
  let feed: TestFeed;
  let url: string;
  let feeds = 0;
  beforeAll(async () => {
    server = await RedisServer.start();
  });
  afterAll(() => server[Symbol.asyncDispose]());
  beforeEach(async () => {
    feeds += 1;
    feed = await TestFeed.open({ log: await openTestLog(`${server.url}?feed=protocol-${feeds}`) });
    ({ url } = await feed.serve());
  });
  afterEach(() => feed[Symbol.asyncDispose]());

  test("the state is one consistent read, and its cursor is where the events go on", async () => {
    const keys = Array.from({ length: 1200 }, (_, n) => `k${String(n).padStart(4, "0")}`);
    for (let first = 0; first < keys.length; first += 300) {
      await feed.commitObjects(
        ...keys.slice(first, first + 300).map((key) => objectChange(refOf("allocations", key), "1")),
      );
    }
    const response = await fetch(`${url}/v1/state`);
    await feed.commitObjects(objectChange(refOf("allocations", "k0001"), null, { id: "gone" }));
    const objects = (await response.json()) as { data: { resource: { id: string } } }[];
    expect(objects.map(({ data }) => data.resource.id)).toEqual(keys);
    const cursor = response.headers.get("x-changefeed-cursor");
    const page = await fetch(`${url}/v1/events?cursor=${cursor}`);
    expect(await page.json()).toMatchObject([{ id: "gone" }]);
  });

  test("a snapshot, then live; a consumer goes on where it acknowledged; history tells it again", async () => {
    await feed.commitObjects(objectChange(refOf("allocations", "a"), "1", { id: "first" }));
    await using stream = await openStream("sse", `${url}/v1/events?snapshot=true&limit=1`);
    const opening = await stream.until(({ data }) => data["phase"] === "end");
    const head = await feed.commit(draft({ id: "second" }));
    expect([...opening, ...(await stream.until(() => false))].map(frameName)).toEqual([
      "hello",
      "snapshot begin",
      "object allocations/default/a",
      "snapshot end",
      "second",
      "bookmark",
    ]);
    const client = await WebSocketClient.connect(`${url}/v1/events?consumer=pager&cursor=earliest`);
    await client.until(({ id }) => id === "second");
    client.socket.send(JSON.stringify({ ack: head }));
    await until("the ack is stored", async () => {
      const consumer = await fetch(`${url}/v1/consumers/pager`);
      return ((await consumer.json()) as { cursor: string }).cursor === head;
    });
    await client.close();
    await feed.commit(draft({ id: "third" }));
    const page = await fetch(`${url}/v1/events?consumer=pager`);
    expect(await page.json()).toMatchObject([{ id: "third" }]);
    const history = await fetch(`${url}/v1/history?subject=allocations/default/a`);
    expect(await history.json()).toMatchObject([{ id: "first" }]);
  });
});
