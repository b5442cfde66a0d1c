import { expect, test } from "vitest";
import { FeedsServer } from "../../src/http/feeds/server.ts";
import { openWaitingRoom } from "../../src/http/waiting-room.ts";
import { systemClock } from "../../src/shared/clock.ts";
import { silentLogger } from "../../src/telemetry/logger.ts";
import { createMetrics } from "../../src/telemetry/metrics.ts";
import { freePort } from "../support/redis-server.ts";

const APP = "https://app.example";
const LISTEN = { host: "127.0.0.1", insecureNoAuth: true, allowOrigins: [APP] };
const DEPS = { logger: silentLogger(), clock: systemClock };

/** What a page of the app may read of an answer, what one of another origin may, and whether the app may send a token. */
async function readableAt(url: string) {
  const of = async (method: string, headers: Record<string, string>) => {
    const answer = await fetch(url, { method, headers, redirect: "manual" });
    return { status: answer.status, origin: answer.headers.get("access-control-allow-origin") };
  };
  return [
    await of("GET", { origin: APP }),
    await of("GET", { origin: "https://evil.example" }),
    await of("OPTIONS", { origin: APP, "access-control-request-method": "GET" }),
  ];
}

test("a page of an allowed origin reads that there is no log yet", async () => {
  const port = await freePort();
  await using room = await openWaitingRoom({ ...LISTEN, port }, { ...DEPS, why: () => "it starts" });
  expect(room).toBeDefined();
  expect(await readableAt(`http://127.0.0.1:${port}/v1/events`)).toEqual([
    { status: 503, origin: APP },
    { status: 503, origin: null },
    { status: 204, origin: APP },
  ]);
});

test("a page of an allowed origin reads what is said in place of a feed", async () => {
  const metrics = createMetrics({ version: "1" });
  const reload = () => {
    throw new Error("nothing is read again here");
  };
  await using server = new FeedsServer({ ...DEPS, metrics, reload }, { ...LISTEN, port: 0, console: false });
  const { url } = await server.listen();
  server.mount("eu");
  const all = await fetch(`${url}/v1/events`, { headers: { origin: APP } });
  expect(all.headers.get("access-control-expose-headers")).toContain("X-Changefeed-Feeds-Away");
  for (const [path, status] of [
    ["eu/v1/events", 503],
    ["none/v1/events", 404],
    ["eu", 308],
  ] as const) {
    expect(await readableAt(`${url}/v1/feeds/${path}`)).toEqual([
      { status, origin: APP },
      { status, origin: null },
      { status: 204, origin: APP },
    ]);
  }
});
