import { expect, it } from "vitest";
import { consume, StreamRefused, subscribe } from "../../packages/client/src/index.ts";
import { draft } from "../support/drafts.ts";
import { TestFeed } from "../support/http-feed.ts";
import { httpProxy } from "../support/http-proxy.ts";
import { event, hello, scriptedFeed, sends } from "../support/scripted-feed.ts";

const QUICK = { retry: { baseMs: 1, maxMs: 1 } };

async function refusalOf(items: AsyncIterable<unknown>): Promise<unknown> {
  try {
    for await (const item of items) expect(item).toBeUndefined();
  } catch (error) {
    return error;
  }
  return undefined;
}

it("reads the stream in lines where a proxy passes on no Upgrade, through a restart of the server", async () => {
  await using feed = await TestFeed.open();
  await feed.commit(draft({ id: "a" }));
  let { url, server } = await feed.serve();
  using proxy = await httpProxy(() => url, { upgrades: false });
  const seen: string[] = [];
  for await (const item of subscribe({ ...QUICK, url: proxy.url, cursor: "earliest", limit: 3 })) {
    seen.push(item.id);
    if (seen.length === 1) {
      await server.stop("restart");
      await feed.commit(draft({ id: "ü" }));
      ({ url, server } = await feed.serve());
    } else if (seen.length === 2) await feed.commit(draft({ id: "c" }));
  }
  expect(seen).toEqual(["a", "ü", "c"]);
  expect(proxy.requests()).toBeGreaterThan(1);
});

it("is refused through such a proxy as without it", async () => {
  await using feed = await TestFeed.open();
  const { url } = await feed.serve();
  using proxy = await httpProxy(() => url, { upgrades: false });
  expect(await refusalOf(subscribe({ url: proxy.url, minSeverity: "LOUD" as "WARN" }))).toMatchObject({
    reason: "INVALID_PARAMETER",
    field: "minSeverity",
  });
  expect(await refusalOf(subscribe({ url: proxy.url, cursor: `${"0".repeat(12)}-1` }))).toBeInstanceOf(
    StreamRefused,
  );
});

it("names the header to whoever asked for a WebSocket through such a proxy and can read no lines", async () => {
  await using feed = await TestFeed.open();
  const { url } = await feed.serve();
  using proxy = await httpProxy(() => url, { upgrades: false });
  // A browser's, but for what the proxy drops.
  const answer = await fetch(`${proxy.url}/v1/events`, {
    headers: { "sec-websocket-version": "13", "sec-websocket-key": "dGhlIHNhbXBsZSBub25jZQ==" },
  });
  expect([answer.status, answer.headers.get("upgrade")]).toEqual([426, "websocket"]);
  expect(await answer.json()).toMatchObject({
    code: "UPGRADE_REQUIRED",
    hint: expect.stringMatching(/Upgrade and Connection.*SSE or NDJSON/),
  });
});

it.each([404, 302])("ends where a server that was never a feed answers %i", async (status) => {
  using server = await scriptedFeed({ status });
  expect(await refusalOf(subscribe({ ...QUICK, url: server.url }))).toMatchObject({ reason: "NOT_A_FEED" });
  expect(server.queries).toHaveLength(1);
});

it("acks once the feed is back behind a balancer that answered in its place", async () => {
  using server = await scriptedFeed(sends([hello("e-1"), event("e-2")]));
  const stop = new AbortController();
  const consumer = consume({ ...QUICK, url: server.url, consumer: "pager", signal: stop.signal });
  let acked: Promise<void> | undefined;
  for await (const item of consumer) {
    acked = consumer.ack("cursor" in item ? item.cursor : "");
    await server.asked(3);
    server.answerData(200, { name: "pager", cursor: "e-1" });
    await acked;
    stop.abort();
  }
  expect(acked).toBeDefined();
});
