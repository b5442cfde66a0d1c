import { afterEach, beforeEach, expect, it } from "vitest";
import { watchState } from "../../packages/client/src/index.ts";
import { buildChangeEvents } from "../../src/events/build.ts";
import { changeOf, contextOf } from "../support/event-fixtures.ts";
import { TestFeed } from "../support/http-feed.ts";
import { httpProxy } from "../support/http-proxy.ts";
import { openStream, STREAMS } from "../support/protocol-reader.ts";
import { until } from "../support/until.ts";

const BELOW = "/feeds/prod";
const FORWARDED = {
  "x-forwarded-proto": "https",
  "x-forwarded-host": "feeds.example:8443",
  "x-forwarded-prefix": BELOW,
};

let feed: TestFeed;
/** Where the feed itself is, and where clients see it. */
let inner: string;
let proxy: Awaited<ReturnType<typeof httpProxy>>;
beforeEach(async () => {
  feed = await TestFeed.open();
  ({ url: inner } = await feed.serve());
  proxy = await httpProxy(() => inner, { below: BELOW, upgrades: true });
});
afterEach(async () => {
  proxy[Symbol.dispose]();
  await feed[Symbol.asyncDispose]();
});

it.each(["/v1/events?limit=3", "/v1/history?limit=3&order=oldest-first"])(
  "%s leads on by Link as a client resolves it",
  async (first) => {
    const ids = await feed.commitMany("a", 8);
    const got: string[] = [];
    for (let page = `${proxy.url}${first}`; got.length < ids.length;) {
      const answer = await fetch(page);
      expect(answer.status).toBe(200);
      got.push(...((await answer.json()) as { id: string }[]).map(({ id }) => id));
      const next = /^<(.+)>; rel="next"$/.exec(answer.headers.get("link") ?? "")?.[1];
      if (next === undefined) break;
      page = new URL(next, page).href;
    }
    expect(got).toEqual(ids);
  },
);

it.each(STREAMS)("streams over %s", async (format) => {
  const ids = await feed.commitMany("a", 3);
  await using stream = await openStream(format, `${proxy.url}/v1/events?cursor=earliest`);
  const got = await stream.until(({ id }) => id === "a3");
  expect(got.slice(1).map(({ id }) => id)).toEqual(ids);
});

/** A new job that is too large for its event. */
function largeJob() {
  const stub = { ID: "web", Name: "web", Namespace: "default", ModifyIndex: 2, Status: "x".repeat(4000) };
  const change = changeOf("jobs", undefined, stub);
  const [event] = buildChangeEvents(change, contextOf({}, { maxEventBytes: 2000 }));
  if (event === undefined || change.after === undefined) throw new Error("no event");
  return { event, state: { ref: change.ref, next: { rev: "2", stub: change.after.bytes } } };
}

it("gives the client what is too large for its event", async () => {
  const stop = new AbortController();
  const state = watchState({ url: proxy.url, types: ["jobs"], signal: stop.signal });
  await state.ready;
  await feed.commitObjects(largeJob());
  await until("the job", () => state.objects.has("jobs/default/web"));
  expect(state.objects.get("jobs/default/web")?.stub["Status"]).toHaveLength(4000);
  stop.abort();
  await state.ended;
});

it("has what is too large for its event where the dataref leads, relative to the page", async () => {
  await feed.commitObjects(largeJob());
  for (const page of [`${proxy.url}/v1/events`, `${proxy.url}/v1/history`]) {
    const [event] = (await (await fetch(page)).json()) as { dataref: string }[];
    const answer = await fetch(new URL(event?.dataref ?? "", page));
    expect(await answer.json()).toMatchObject({ after: { ID: "web" } });
  }
});

it("shows examples that work where the proxy says which address it has", async () => {
  const plain = (await (await fetch(`${proxy.url}/`)).json()) as { examples: string[] };
  expect(plain.examples[0]).toContain(`'${inner}/v1/events`);
  using saying = await httpProxy(() => inner, { below: BELOW, upgrades: true, headers: FORWARDED });
  const { examples } = (await (await fetch(`${saying.url}/`)).json()) as { examples: string[] };
  expect(examples[0]).toContain("'https://feeds.example:8443/feeds/prod/v1/events");
  expect(examples[2]).toContain("'wss://feeds.example:8443/feeds/prod/v1/events");
  const foul = { headers: { "x-forwarded-prefix": "/'; reboot '", "x-forwarded-proto": "javascript" } };
  expect(await (await fetch(`${inner}/`, foul)).json()).toEqual(plain);
});

it("is where the OpenAPI document says, relative to itself", async () => {
  const document = `${proxy.url}/v1/openapi.json`;
  const { servers } = (await (await fetch(document)).json()) as { servers: { url: string }[] };
  const root = new URL(servers[0]?.url ?? "", document).href.replace(/\/$/, "");
  expect(root).toBe(proxy.url);
});

it("says what a proxy has to do that leaves the path on", async () => {
  const answer = await fetch(`${inner}${BELOW}/v1/events`);
  expect(answer.status).toBe(404);
  expect(await answer.json()).toMatchObject({
    code: "NOT_FOUND",
    hint: "Behind a proxy that serves the feed below /feeds/prod, let it cut that off",
  });
});
