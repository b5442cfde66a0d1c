import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { draft } from "../support/drafts.ts";
import { TestFeed } from "../support/http-feed.ts";
import { WebSocketClient } from "../support/websocket-client.ts";

let feed: TestFeed;
beforeEach(async () => {
  feed = await TestFeed.open();
});
afterEach(() => feed[Symbol.asyncDispose]());

describe("health", () => {
  it("is alive while the loops move", async () => {
    let alive = true;
    const { url } = await feed.serve(
      {},
      { liveness: () => ({ alive, details: { stuck: alive ? [] : ["jobs/*"] } }) },
    );
    expect((await fetch(`${url}/healthz`)).status).toBe(200);
    alive = false;
    const dead = await fetch(`${url}/healthz`);
    expect(dead.status).toBe(503);
    expect(await dead.json()).toEqual({ alive: false, stuck: ["jobs/*"] });
  });

  it("is ready once every scope has a baseline, and says which have none", async () => {
    let waiting = [{ scope: "jobs/prod", why: "403 Permission denied" }];
    const { url } = await feed.serve({}, { readiness: () => ({ ready: waiting.length === 0, waiting }) });
    const unready = await fetch(`${url}/readyz`);
    expect(unready.status).toBe(503);
    expect(await unready.json()).toEqual({ ready: false, waiting });
    waiting = [];
    const ready = await fetch(`${url}/readyz`);
    expect(ready.status).toBe(200);
    expect(await ready.json()).toEqual({ ready: true });
  });

  it("counts subscribers and deliveries", async () => {
    await feed.commitMany("a", 3);
    const { url } = await feed.serve();
    const client = await WebSocketClient.connect(`${url}/v1/events?cursor=earliest`);
    await client.until(({ id }) => id === "a3");
    const response = await fetch(`${url}/metrics`);
    expect(response.headers.get("content-type")).toContain("text/plain");
    const text = await response.text();
    expect(text).toContain('nomad_changefeed_subscribers{format="websocket"} 1');
    expect(text).toContain('nomad_changefeed_deliveries_total{format="websocket"} 3');
    await client.close();
  });
});

describe("index", () => {
  it("says what this is, where the feed stands, and how to go on", async () => {
    await feed.commitMany("a", 3);
    const { url } = await feed.serve({}, { status: () => ({ scopes: 6 }) });
    const response = await fetch(url);
    const index = (await response.json()) as { examples: string[] };
    expect(index).toMatchObject({
      name: "nomad-changefeed",
      source: "nomad://test/global",
      feed: { head: await feed.headCursor(), events: 3 },
      status: { scopes: 6 },
      routes: expect.arrayContaining(["GET /v1/events"]),
    });
    const example = /'(http[^']+)'/.exec(index.examples[0] ?? "")?.[1] ?? "";
    expect(await (await fetch(example)).json()).toHaveLength(3);
  });
});

describe("data of oversized events", () => {
  it("is where the event's dataref says", async () => {
    const data = '{"op":"update","after":{"ModifyTime":1795434687866379238}}';
    const cursor = await feed.commit(draft({ id: "large", overflow: data }));
    const { url } = await feed.serve();
    const [event] = (await (await fetch(`${url}/v1/events`)).json()) as { dataref: string }[];
    expect(event?.dataref).toBe(`data/${cursor}`);
    const response = await fetch(new URL(event?.dataref ?? "", `${url}/v1/events`));
    expect(response.headers.get("content-type")).toBe("application/json; charset=utf-8");
    expect(await response.text()).toBe(data);
  });

  it("tells apart what is whole, what never was, what is gone and what is no cursor", async () => {
    await feed.commit(draft({ id: "gone", overflow: "{}" }), draft({ id: "whole" }));
    const { epoch } = await feed.log.head();
    await feed.log.trim({ maxEvents: 1 });
    const { url } = await feed.serve();
    const answerOf = async (cursor: string) => {
      const response = await fetch(`${url}/v1/data/${cursor}`);
      return [response.status, ((await response.json()) as { code: string }).code];
    };
    expect(await answerOf(`${epoch}-1`)).toEqual([410, "CURSOR_EXPIRED"]);
    expect(await answerOf(`${epoch}-2`)).toEqual([404, "NO_DATA"]);
    expect(await answerOf(`${epoch}-3`)).toEqual([404, "NO_DATA"]);
    expect(await answerOf("other-2")).toEqual([409, "EPOCH_CHANGED"]);
    expect(await answerOf("nonsense")).toEqual([400, "INVALID_PARAMETER"]);
  });
});
