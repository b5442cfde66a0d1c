import { expect, it } from "vitest";
import { TestFeed } from "../support/http-feed.ts";
import { until } from "../support/until.ts";
import { WebSocketClient } from "../support/websocket-client.ts";

it.each([
  ["messages", (client: WebSocketClient, n: number) => client.socket.send(`{"ping":${n}}`)],
  ["ping frames", (client: WebSocketClient) => client.socket.ping()],
])("ends a connection that floods it with pings, as %s, by its name", async (_kind, ping) => {
  await using feed = await TestFeed.open();
  const { url } = await feed.serve();
  const client = await WebSocketClient.connect(`${url}/v1/events`);
  for (let n = 0; n < 5000; n += 1) ping(client, n);
  const frames = await client.until(() => false);
  expect(await client.closed()).toEqual({ code: 4429, reason: "LIMIT" });
  expect(frames.at(-1)).toMatchObject({ type: "nomad.feed.error", data: { code: "LIMIT", closeCode: 4429 } });
  // Nothing is answered that was not asked for in time.
  expect(frames.filter(({ type }) => type === "nomad.feed.pong").length).toBeLessThan(100);
});

it("answers a few pings at once, one after the other", async () => {
  await using feed = await TestFeed.open();
  const { url } = await feed.serve();
  const client = await WebSocketClient.connect(`${url}/v1/events`);
  for (let n = 0; n < 20; n += 1) client.socket.send(`{"ping":${n}}`);
  const frames = await client.until(({ data }) => data["ping"] === 19);
  const answers = frames.filter(({ type }) => type === "nomad.feed.pong").map(({ data }) => data["ping"]);
  expect(answers).toEqual(Array.from({ length: 20 }, (_, n) => n));
  await client.close();
});

it("stores the newest of a flood of acks, and few of the others", async () => {
  await using feed = await TestFeed.open();
  await feed.commitMany("a", 3000);
  const { epoch } = await feed.log.head();
  const { url } = await feed.serve();
  const client = await WebSocketClient.connect(`${url}/v1/events?consumer=pager&cursor=earliest`);
  await client.until(({ id }) => id === "a3000");
  const put = feed.log.consumers.put.bind(feed.log.consumers);
  let writes = 0;
  feed.log.consumers.put = (...given: Parameters<typeof put>) => {
    writes += 1;
    return put(...given);
  };
  for (let n = 1; n <= 3000; n += 1) client.socket.send(`{"ack":"${epoch}-${n}"}`);
  await until("the newest is stored", async () => {
    return (await feed.log.consumers.get("pager"))?.cursor.sequence === 3000;
  });
  expect(writes).toBeLessThan(1000);
  await client.close();
});
