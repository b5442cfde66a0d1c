import { afterEach, beforeEach, expect, it } from "vitest";
import { LogUnavailable } from "../../src/feed/errors.ts";
import { draft } from "../support/drafts.ts";
import { TestFeed } from "../support/http-feed.ts";
import { HttpStream } from "../support/http-stream.ts";

let feed: TestFeed;
beforeEach(async () => {
  feed = await TestFeed.open();
});
afterEach(() => feed[Symbol.asyncDispose]());

const SSE = "text/event-stream";
const asEventSource = (url: string) => fetch(url, { headers: { accept: SSE } });

it("takes lastEventId for Last-Event-ID, as clients of SSE send it that cannot send the header", async () => {
  await feed.commit(draft({ id: "a" }));
  const seen = await feed.headCursor();
  await feed.commit(draft({ id: "b" }));
  const { url } = await feed.serve();
  await using stream = await HttpStream.open(`${url}/v1/events?since=1h&limit=1&lastEventId=${seen}`, SSE);
  const frames = (await stream.until(() => false)).map(({ event }) => event);
  expect(frames.filter(({ type }) => type === "nomad.allocation.updated").map(({ id }) => id)).toEqual(["b"]);
  expect((await fetch(`${url}/v1/events?lastEventId=`)).status).toBe(200);
  const wrong = await fetch(`${url}/v1/events?lastEventId=7`);
  expect(await wrong.json()).toMatchObject({ code: "INVALID_PARAMETER", field: "lastEventId" });
});

it("answers an EventSource with a stream that ends while the log is away, so that it comes back by itself", async () => {
  const log = new Proxy(feed.log, {
    get: (target, name): unknown => {
      if (name === "head") return () => Promise.reject(new LogUnavailable("The log is away"));
      const value: unknown = Reflect.get(target, name, target);
      return typeof value === "function" ? (value.bind(target) as unknown) : value;
    },
  });
  const { url } = await feed.serve({ limits: { requestsPerSecond: 2 } }, { log });
  const answer = await asEventSource(`${url}/v1/events`);
  expect([answer.status, answer.headers.get("content-type")]).toEqual([200, `${SSE}; charset=utf-8`]);
  const text = await answer.text();
  expect(text).toMatch(
    /^retry: 5000\nevent: nomad\.feed\.error\ndata: \{.*"code":"LOG_UNAVAILABLE".*\}\n\n$/,
  );
  expect(text).not.toContain("id:");
  // Nobody else needs that: a status says it better.
  expect((await fetch(`${url}/v1/events`, { headers: { accept: "application/x-ndjson" } })).status).toBe(503);
  // What the client did wrong does not become right by coming back.
  expect((await asEventSource(`${url}/v1/events?types=x`)).status).toBe(400);
  await asEventSource(`${url}/v1/events`);
  const limited = await (await asEventSource(`${url}/v1/events`)).text();
  expect(limited).toMatch(/^retry: 1000\n.*"code":"LIMIT"/s);
});

it.each([
  ["HEAD", "/v1/events", 405, "GET"],
  ["HEAD", "/v1/state?types=jobs", 405, "GET"],
  ["HEAD", "/v1/history", 405, "GET"],
  ["POST", "/v1/events", 405, "GET"],
  ["PUT", "/v1/consumers/pager", 405, "GET, POST, DELETE"],
  ["GET", "/v1/tickets", 405, "POST"],
  ["HEAD", "/healthz", 200, null],
  ["HEAD", "/", 200, null],
  ["POST", "/v1/nothing", 404, null],
])("%s %s is answered with %d and Allow: %s", async (method, path, status, allow) => {
  const { url } = await feed.serve();
  const answer = await fetch(`${url}${path}`, { method });
  expect([answer.status, answer.headers.get("allow")]).toEqual([status, allow]);
});
