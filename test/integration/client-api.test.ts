import { createServer } from "node:http";
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import {
  ClientOptionInvalid,
  feedApi,
  originalText,
  RequestFailed,
  subscribe,
  type EventPage,
  type EventsQuery,
} from "../../packages/client/src/index.ts";
import { draft, objectChange, refOf } from "../support/drafts.ts";
import { TestFeed } from "../support/http-feed.ts";
import { DELIVERY, LETTER, ScriptedDeliveries } from "../support/scripted-deliveries.ts";
import { watchCluster } from "../support/watched-cluster.ts";

let feed: TestFeed;
beforeEach(async () => {
  feed = await TestFeed.open();
});
afterEach(() => feed[Symbol.asyncDispose]());

const idsOf = ({ events }: Pick<EventPage, "events">) => events.map(({ id }) => id);

/** Whatever a server answers, by path and query. */
async function answering(
  answer: (request: string) => { status?: number; headers?: object; body: string; isCut?: boolean },
) {
  const asked: { what: string; headers: Record<string, unknown> }[] = [];
  const server = createServer(({ method, url = "", headers }, response) => {
    asked.push({ what: `${method} ${url}`, headers });
    const { status = 200, headers: more = {}, body, isCut = false } = answer(`${method} ${url}`);
    response.writeHead(status, { ...more });
    if (isCut) response.write(body, () => response.destroy());
    else response.end(body);
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    asked,
    [Symbol.dispose]: () => void (server.closeAllConnections(), server.close()),
  };
}

describe("the pages of a feed", () => {
  it("follow each other to the end, and later bring what came", async () => {
    const ids = await feed.commitMany("a", 7);
    const api = feedApi({ url: (await feed.serve()).url });
    const seen: string[] = [];
    let query: EventsQuery | undefined = { limit: 3, since: "1h" };
    let page: EventPage | undefined;
    while (query !== undefined && page?.cursor !== (await feed.headCursor())) {
      page = await api.events(query);
      seen.push(...idsOf(page));
      query = page.next;
    }
    expect(seen).toEqual(ids);
    expect(page).toMatchObject({ head: await feed.headCursor(), hasGap: false });
    await feed.commitMany("b", 1);
    expect(idsOf(await api.events(query))).toEqual(["b1"]);
  });

  it("hold what was chosen, and each event's text with the digits that JavaScript would lose", async () => {
    const data = '{"op":"update","after":{"ModifyTime":1787393730123456789}}';
    await feed.commit(
      draft({ id: "one", data }),
      draft({ id: "two", severity: "ERROR", data }),
      draft({ id: "three", severity: "ERROR", resource: "jobs", data }),
    );
    const api = feedApi({ url: (await feed.serve()).url });
    const page = await api.events({
      types: ["allocations"],
      minSeverity: "WARN",
      filter: ['op == "update"', 'severity == "ERROR"'],
    });
    expect(idsOf(page)).toEqual(["two"]);
    expect(page.events.map(originalText).join()).toContain("1787393730123456789");
  });

  it("go back from the newest to the oldest, after which there is none", async () => {
    await feed.commitMany("a", 5);
    const api = feedApi({ url: (await feed.serve()).url });
    let page = await api.events({ order: "newest-first", limit: 2, since: "1h", types: ["allocations"] });
    const { epoch } = await feed.log.head();
    expect(page).toMatchObject({ head: await feed.headCursor(), floor: `${epoch}-0` });
    await feed.commitMany("b", 1);
    const seen = [idsOf(page)];
    while (page.next !== undefined) {
      page = await api.events(page.next);
      seen.push(idsOf(page));
    }
    expect(seen).toEqual([["a5", "a4"], ["a3", "a2"], ["a1"]]);
  });

  it("have single events beside them", async () => {
    await feed.commitMany("a", 2);
    const api = feedApi({ url: (await feed.serve()).url });
    const { events } = await api.events();
    const one = await api.event(events[0]?.cursor ?? "");
    expect(originalText(one)).toBe(originalText(events[0] ?? {}));
    await expect(api.event("another1-1")).rejects.toMatchObject({ code: "EPOCH_CHANGED", status: 409 });
  });

  it("of the history name the next one, and the last none", async () => {
    await feed.commitMany("a", 3);
    const api = feedApi({ url: (await feed.serve()).url });
    const first = await api.history({ namespace: "default", limit: 2 });
    expect(idsOf(first)).toEqual(["a3", "a2"]);
    const last = await api.history(first.next);
    expect(idsOf(last)).toEqual(["a1"]);
    expect(last.next).toBeUndefined();
  });
});

describe("the state", () => {
  it("comes object by object, with the cursor before the first", async () => {
    const names = Array.from({ length: 500 }, (_, n) => `job-${String(n).padStart(3, "0")}`);
    await feed.commitObjects(...names.map((name) => objectChange(refOf("jobs", name), "1")));
    await feed.commitObjects(objectChange(refOf("nodes", "n1", "-"), "2"));
    const api = feedApi({ url: (await feed.serve()).url });
    const state = await api.state({ types: ["jobs"] });
    expect(state.cursor).toBe(await feed.headCursor());
    const seen: unknown[] = [];
    for await (const object of state) seen.push(object.data.after?.["ID"]);
    expect(seen).toEqual(names);
  });

  it("fails where the server breaks it off, with what the server says", async () => {
    const object = '{"type":"nomad.job.snapshot","subject":"jobs/default/a"}';
    const error = { code: "LOG_UNAVAILABLE", message: "not now", closeCode: 1013 };
    const frame = JSON.stringify({ type: "nomad.feed.error", data: error });
    const headers = { "content-type": "application/x-ndjson", "x-changefeed-cursor": "e-1" };
    using server = await answering(() => ({ headers, body: `${object}\n${frame}\n` }));
    const state = await feedApi({ url: server.url }).state();
    const seen: string[] = [];
    const reading = (async () => {
      for await (const { subject } of state) seen.push(subject);
    })();
    await expect(reading).rejects.toMatchObject({
      code: "LOG_UNAVAILABLE",
      message: "not now",
      retryable: true,
    });
    expect(seen).toEqual(["jobs/default/a"]);
  });

  it("fails where the connection is cut before its end", async () => {
    const headers = { "content-type": "application/x-ndjson", "x-changefeed-cursor": "e-1" };
    const body = '{"type":"nomad.job.snapshot"}\n';
    using server = await answering(() => ({ headers, body, isCut: true }));
    const state = await feedApi({ url: server.url }).state();
    const read = Array.fromAsync(state);
    await expect(read).rejects.toMatchObject({ code: "FEED_UNREACHABLE", status: 0 });
  });
});

describe("deliveries and silences", () => {
  it("are steered", async () => {
    const deliveries = new ScriptedDeliveries([DELIVERY], [LETTER]);
    const { url } = await feed.serve({}, { deliveries, assignments: deliveries.assignments });
    const api = feedApi({ url });
    expect(await api.deliveries()).toEqual([expect.objectContaining({ name: "hook", state: "delivering" })]);
    expect(await api.delivery("hook")).toEqual(DELIVERY);
    await api.pauseDelivery("hook", { reason: "a fault" });
    await api.resumeDelivery("hook");
    await api.replayDelivery("hook", { since: "10m" });
    expect(await api.testDelivery("hook")).toMatchObject({ outcome: "ok" });
    expect(await api.deadLetters("hook", { limit: 5 })).toEqual([LETTER]);
    expect(await api.deadLetters("hook", { after: LETTER.cursor })).toEqual([]);
    expect(await api.retryDeadLetters("hook", [LETTER.cursor, "abc123-9"])).toBe(2);
    expect(await api.dropDeadLetters("hook", "all")).toBe(1);
    expect(deliveries.asked.map(([what]) => what)).toEqual([
      "pause",
      "resume",
      "replay",
      "test",
      "retry",
      "drop",
    ]);
    expect(deliveries.asked[0]).toEqual(["pause", "hook", "a fault"]);
    await expect(api.delivery("a/b?c")).rejects.toMatchObject({ code: "NO_DELIVERY", status: 404 });
  });

  it("begin and end", async () => {
    const api = feedApi({ url: (await feed.serve()).url });
    const silence = await api.addSilence({ rules: ["Node*", "JobDead"], for: "1h", comment: "a, b & c" });
    expect(silence).toMatchObject({ matchers: { rules: ["Node*", "JobDead"] }, comment: "a, b & c" });
    expect(await api.silences()).toEqual([silence]);
    expect(await api.endSilence(silence.id)).toMatchObject({ id: silence.id });
    expect(await api.silences()).toEqual([]);
  });

  it("have their consumers beside them", async () => {
    await feed.commitMany("a", 2);
    const api = feedApi({ url: (await feed.serve()).url });
    await fetch(`${(await feed.serve()).url}/v1/consumers/pager?ack=${await feed.headCursor()}`, {
      method: "POST",
    });
    expect(await api.consumers()).toEqual([await api.consumer("pager")]);
    await api.deleteConsumer("pager");
    await expect(api.consumer("pager")).rejects.toMatchObject({ code: "NO_CONSUMER" });
  });
});

describe("what goes wrong", () => {
  it("is one error, with what the server says of a parameter", async () => {
    const api = feedApi({ url: (await feed.serve()).url });
    const failure = await api
      .events({ types: ["allocation" as "allocations"] })
      .catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(RequestFailed);
    expect(failure).toMatchObject({
      code: "INVALID_PARAMETER",
      status: 400,
      field: "types",
      nearest: "allocations",
      hint: "Did you mean allocations?",
      retryable: false,
    });
    expect((failure as RequestFailed).allowed).toContain("allocations");
  });

  it("says where a filter is wrong, and which cursors there are", async () => {
    await feed.commitMany("a", 3);
    const api = feedApi({ url: (await feed.serve()).url });
    const filter = 'Status = "x"';
    await expect(api.events({ filter })).rejects.toMatchObject({ code: "INVALID_FILTER", position: 8 });
    await feed.log.trim({ maxEvents: 1 });
    const { epoch } = await feed.log.head();
    const expired = api.events({ cursor: `${epoch}-1` });
    await expect(expired).rejects.toMatchObject({ code: "CURSOR_EXPIRED", status: 410, floor: `${epoch}-2` });
    const future = api.events({ cursor: `${epoch}-9` });
    await expect(future).rejects.toMatchObject({ code: "FUTURE_CURSOR", head: `${epoch}-3` });
  });

  it("is told apart: nobody there, something else there, too much, no address", async () => {
    using login = await answering((request) =>
      request.includes("alerts")
        ? { status: 429, headers: { "retry-after": "7" }, body: '{"code":"LIMIT","message":"wait"}' }
        : { body: "<html>" },
    );
    const api = feedApi({ url: login.url });
    const notAFeed = { code: "NOT_A_FEED", message: `${login.url} answered 200`, retryable: false };
    await expect(api.about()).rejects.toMatchObject(notAFeed);
    await expect(api.events()).rejects.toMatchObject(notAFeed);
    await expect(api.state()).rejects.toMatchObject(notAFeed);
    await expect(api.alerts()).rejects.toMatchObject({ code: "LIMIT", retryAfterMs: 7000, retryable: true });
    login[Symbol.dispose]();
    await expect(api.about()).rejects.toMatchObject({ code: "FEED_UNREACHABLE", status: 0, retryable: true });
    expect(() => feedApi({ url: "nowhere" })).toThrow(ClientOptionInvalid);
  });

  it("is not said where it was ended on purpose", async () => {
    using server = await answering(() => ({ headers: { "content-length": 9 }, body: "" }));
    const stop = new AbortController();
    const asked = feedApi({ url: server.url, signal: stop.signal }).about();
    stop.abort(new Error("enough"));
    await expect(asked).rejects.toThrow("enough");
  });

  it("is not said where it was ended while no token came", async () => {
    const stop = new AbortController();
    const token = () => new Promise<string>(() => undefined);
    const asked = feedApi({ url: "http://127.0.0.1:1", token, signal: stop.signal }).about();
    stop.abort(new Error("enough"));
    await expect(asked).rejects.toThrow("enough");
  });
});

describe("who asks", () => {
  it("is known by a token where one is given, else by a session that no other site's page can use", async () => {
    using server = await answering(() => ({ body: "{}" }));
    await feedApi({ url: server.url, token: async () => "secret" }).resumeDelivery("a");
    await feedApi({ url: server.url }).resumeDelivery("a");
    await feedApi({ url: server.url }).signIn("mine", { remember: true });
    const bearerAndMark = server.asked.map(({ headers }) => [
      headers["authorization"],
      headers["x-changefeed-csrf"],
    ]);
    expect(bearerAndMark).toEqual([
      ["Bearer secret", undefined],
      [undefined, "1"],
      ["Bearer mine", "1"],
    ]);
    expect(server.asked.at(-1)?.what).toBe("POST /v1/session?remember=true");
  });
});

it("asks a real bridge for all that it tells", async () => {
  const cluster = await watchCluster();
  const api = feedApi({ url: cluster.bridge.url });
  const about = await api.about();
  expect(about).toMatchObject({ name: "nomad-changefeed", protocol: 1 });
  const state = await api.state({ types: ["allocations"] });
  const objects = await Array.fromAsync(state);
  expect(objects).toHaveLength(60);
  const { events } = await api.events({ types: ["allocations"], limit: 1000 });
  const subjects = new Set(events.map(({ subject }) => subject));
  expect(objects.filter(({ subject }) => !subjects.has(subject))).toEqual([]);
  expect((await api.assignments()).map(({ assignment }) => assignment)).toContain("plan");
  for await (const { type } of subscribe({ url: cluster.bridge.url, cursor: "earliest" })) {
    expect(type).toMatch(/^nomad\./);
    expect(await api.streams()).toEqual([{ format: "websocket", open: 1 }]);
    break;
  }
  expect(await api.alerts()).toMatchObject({ alerts: expect.any(Array) });
  expect(await api.deliveries()).toEqual([]);
  await cluster.close();
});
