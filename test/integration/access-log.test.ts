import { afterEach, beforeEach, expect, it } from "vitest";
import { systemClock } from "../../src/shared/clock.ts";
import { LogUnavailable } from "../../src/feed/errors.ts";
import { createLogger, type Logger } from "../../src/telemetry/logger.ts";
import { AccessFeed, bearer } from "../support/access-feed.ts";
import { breakable } from "../support/breakable-log.ts";
import { HttpStream } from "../support/http-stream.ts";
import { until } from "../support/until.ts";
import { WebSocketClient } from "../support/websocket-client.ts";

const TOKEN = "static-token-that-no-line-has-1";
const UNKNOWN = "a-token-that-nobody-ever-made-1";

let access: AccessFeed;
let written: string[];
let logger: Logger;
beforeEach(async () => {
  access = await AccessFeed.open();
  access.writeTokens([{ name: "grafana", token: TOKEN, namespaces: ["*"], resources: ["*"] }]);
  written = [];
  const destination = { write: (line: string) => written.push(line) };
  logger = createLogger({ level: "info", format: "json", destination });
});
afterEach(() => access[Symbol.asyncDispose]());

const lines = (message: string) =>
  written.map((line) => JSON.parse(line) as Record<string, unknown>).filter(({ msg }) => msg === message);
const lineOf = (message: string) => until(`"${message}"`, () => lines(message)[0]);

it("streams have a line when they open, with the token's name and the address, by which their end is found", async () => {
  const { url } = await access.serve({}, { logger });
  const options = { headers: bearer(TOKEN) };
  const client = await WebSocketClient.connect(`${url}/v1/events?consumer=pager&types=jobs`, [], options);
  const opened = await lineOf("stream opened");
  expect(opened).toMatchObject({
    subscriber: "token grafana",
    address: "127.0.0.1",
    format: "websocket",
    consumer: "pager",
    url: "/v1/events?consumer=pager&types=jobs",
  });
  await client.close();
  expect((await lineOf("subscription ended"))["connectionId"]).toBe(opened["connectionId"]);
});

it("streams by ticket are named like those by token; neither token nor ticket is in any line", async () => {
  const { url } = await access.serve({}, { logger });
  const response = await fetch(`${url}/v1/tickets`, { method: "POST", headers: bearer(TOKEN) });
  const { ticket } = (await response.json()) as { ticket: string };
  {
    await using stream = await HttpStream.open(`${url}/v1/events?ticket=${ticket}`, "text/event-stream");
    await stream.next();
    expect(await lineOf("stream opened")).toMatchObject({
      subscriber: "token grafana",
      format: "sse",
      url: "/v1/events?ticket=[redacted]",
    });
  }
  await fetch(`${url}/v1/events?%74icket=${ticket}`);
  await fetch(`${url}/v1/events?token=${TOKEN}`);
  await fetch(`${url}/v1/events`, { headers: bearer(UNKNOWN) });
  await until("the refusals", () => lines("request refused").length === 1);
  expect(written.join("")).not.toMatch(new RegExp(`${TOKEN}|${UNKNOWN}|${ticket}`));
});

it("refusals have a line with the reason, once in a while for the same of an address, and how many there were", async () => {
  let elapsedMs = 0;
  const { url } = await access.serve(
    { limits: { connectionsPerToken: 1 } },
    { logger, clock: { ...systemClock, elapsed: () => elapsedMs } },
  );
  const options = { headers: bearer(TOKEN) };
  const client = await WebSocketClient.connect(`${url}/v1/events`, [], options);
  const refuse = () => WebSocketClient.connect(`${url}/v1/events`, [], options).catch(() => undefined);
  for (let count = 0; count < 5; count += 1) await refuse();
  await fetch(`${url}/v1/events`, { headers: bearer(UNKNOWN) });
  await until("both lines", () => lines("request refused").length === 2);
  expect(lines("request refused")).toMatchObject([
    { code: "LIMIT", subscriber: "token grafana", address: "127.0.0.1", url: "/v1/events" },
    { code: "UNAUTHORIZED", reason: "The token is not known", address: "127.0.0.1" },
  ]);
  elapsedMs += 10_000;
  await refuse();
  await until("the next line", () => lines("request refused").length === 3);
  expect(lines("request refused")[2]).toMatchObject({ code: "LIMIT", more: 4 });
  await client.close();
});

it("what a client got wrong has no line at level info, what it may not do has one", async () => {
  const { url } = await access.serve({}, { logger });
  const headers = bearer(TOKEN);
  const wrong = [
    "why?subject=jobs/default/none",
    "job-versions?namespace=default&job=none",
    "events?types=cats",
    "none",
  ];
  for (const path of wrong)
    expect((await fetch(`${url}/v1/${path}`, { headers })).status).toBeGreaterThanOrEqual(400);
  await fetch(`${url}/v1/why`, { method: "DELETE", headers });
  await fetch(`${url}/v1/events`, { headers: bearer(UNKNOWN) });
  await lineOf("request refused");
  expect(lines("request refused")).toMatchObject([{ code: "UNAUTHORIZED" }]);
});

it("trouble of ours is in the line in full, and in the answer without what is ours", async () => {
  const log = breakable(access.feed.log);
  log.head = () => Promise.reject(new LogUnavailable("Redis at redis.internal:6379 cannot be reached"));
  const { url } = await access.feed.serve({}, { logger, log });
  const response = await fetch(`${url}/v1/events?cursor=earliest`);
  expect(response.status).toBe(503);
  expect(await response.text()).not.toContain("redis.internal");
  expect(await lineOf("request refused")).toMatchObject({
    code: "LOG_UNAVAILABLE",
    reason: "Redis at redis.internal:6379 cannot be reached",
  });
});
