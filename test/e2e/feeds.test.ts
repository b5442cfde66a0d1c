import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { createSimulator, type Simulator } from "../../packages/nomad-simulator/src/index.ts";
import { checkLog, readLog } from "../support/feed-check.ts";
import { startFeeds, type RunningFeeds } from "../support/feeds-process.ts";
import { openStream, STREAMS } from "../support/protocol-reader.ts";
import { simulatorTruth } from "../support/simulator-truth.ts";
import { TcpProxy } from "../support/tcp-proxy.ts";
import { until } from "../support/until.ts";

let directory: string;
let eu: Simulator;
let us: Simulator;
let euUrl: string;
let usUrl: string;
/** The way to the cluster of the first. */
let way: TcpProxy;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "ncf-feeds-"));
  eu = createSimulator({ seed: 1, allocations: 20 });
  us = createSimulator({ seed: 2, allocations: 20 });
  way = await TcpProxy.to(Number(new URL(await eu.listen()).port));
  euUrl = `http://127.0.0.1:${way.port}`;
  usUrl = await us.listen();
  await configure();
});
afterEach(async () => {
  await way[Symbol.asyncDispose]();
  await eu.close();
  await us.close();
  await rm(directory, { recursive: true, force: true });
});

function configure(more = ""): Promise<void> {
  return writeFile(
    join(directory, "feeds.yaml"),
    `listen: 127.0.0.1:0
baseline: events
max-event-bytes: 10MiB
wait: 1s
${more}
feeds:
  - name: eu
    nomad-addr: ${euUrl}
    feed: sqlite:${join(directory, "eu.db")}
  - name: us
    nomad-addr: ${usUrl}
    feed: sqlite:${join(directory, "us.db")}
`,
  );
}

async function start(): Promise<RunningFeeds> {
  const feeds = await startFeeds(join(directory, "feeds.yaml"));
  await until("both feeds are ready", async () => (await states(feeds)).every((state) => state === "ready"));
  return feeds;
}

async function json(url: string, headers: Record<string, string> = {}): Promise<unknown> {
  return (await fetch(url, { headers })).json();
}

interface Listed {
  readonly name: string;
  readonly path: string;
  readonly state: string;
  readonly source: string | null;
  readonly lagMs: number | null;
  readonly why: string | null;
}

async function list({ url }: RunningFeeds, headers?: Record<string, string>): Promise<Listed[]> {
  return ((await json(`${url}/v1/feeds`, headers)) as { feeds: Listed[] }).feeds;
}

async function states(feeds: RunningFeeds): Promise<string[]> {
  return (await list(feeds)).map(({ state }) => state);
}

it("serves each cluster below its name, in every format, and tells of all of them", async () => {
  await using feeds = await start();
  expect(await list(feeds)).toEqual([
    expect.objectContaining({
      name: "eu",
      path: "v1/feeds/eu/",
      source: "nomad://eu/global",
      lagMs: 0,
      why: null,
    }),
    expect.objectContaining({
      name: "us",
      path: "v1/feeds/us/",
      source: "nomad://us/global",
      lagMs: 0,
      why: null,
    }),
  ]);
  for (const format of STREAMS) {
    for (const [name, path] of [
      ["eu", "events"],
      ["us", "v1/events"],
    ]) {
      await using stream = await openStream(format, `${feeds.url}/v1/feeds/${name}/${path}?cursor=earliest`);
      const events = await stream.until(({ type }) => type === "nomad.allocation.snapshot");
      expect(events.at(-1)).toMatchObject({ source: `nomad://${name}/global` });
    }
  }
  const page = await fetch(`${feeds.url}/v1/feeds/eu/events?cursor=earliest&limit=1`);
  const next = /<(.*)>; rel="next"/.exec(page.headers.get("link") ?? "")?.[1] ?? "";
  expect((await fetch(new URL(next, page.url))).status).toBe(200);
  expect(await json(`${feeds.url}/v1/feeds/eu/`)).toMatchObject({
    examples: expect.arrayContaining([
      expect.stringContaining(`${feeds.url}/v1/feeds/eu/v1/events`),
    ]) as string[],
  });
});

it("has health, readiness and metrics of all, each with its name", async () => {
  await using feeds = await start();
  expect(await json(`${feeds.url}/healthz`)).toMatchObject({ alive: true, feeds: { eu: { alive: true } } });
  expect(await json(`${feeds.url}/readyz`)).toEqual({
    ready: true,
    feeds: { eu: { ready: true }, us: { ready: true } },
  });
  const metrics = await (await fetch(`${feeds.url}/metrics`)).text();
  for (const name of ["eu", "us"]) {
    expect(metrics).toMatch(new RegExp(`^nomad_changefeed_events_total\\{feed="${name}",type=.* \\d+$`, "m"));
    expect(metrics).toMatch(new RegExp(`^nomad_changefeed_log_sequence\\{feed="${name}"\\} \\d+$`, "m"));
    expect(metrics).toContain(`nomad_changefeed_feed_served{feed="${name}"} 1`);
  }
  expect(metrics.match(/^process_cpu_seconds_total .*$/gm)).toHaveLength(1);
  expect(metrics.match(/^# TYPE nomad_changefeed_events_total /gm)).toHaveLength(1);
});

it("goes on with one cluster while the other is away, and neither loses anything", async () => {
  await using feeds = await start();
  await using stream = await openStream("ndjson", `${feeds.url}/v1/feeds/us/events?types=allocations`);
  way.cut();
  await until("the feed misses its cluster", async () =>
    /^nomad_changefeed_nomad_errors_total\{feed="eu",.*\} [1-9]/m.test(
      await (await fetch(`${feeds.url}/metrics`)).text(),
    ),
  );
  const churning = setInterval(() => {
    us.churn(2);
    eu.churn(2);
  }, 50);
  try {
    for (let event = 0; event < 20; event += 1) await stream.until(({ data }) => data["op"] === "update");
    expect((await fetch(`${feeds.url}/readyz`)).status).toBe(200);
    expect((await fetch(`${feeds.url}/v1/feeds/eu/events?cursor=earliest&limit=1`)).status).toBe(200);
  } finally {
    clearInterval(churning);
  }
  way.mend();
  for (const [name, simulator] of [
    ["eu", eu],
    ["us", us],
  ] as const) {
    await until(`the log of ${name} has what its cluster has`, async () => {
      const { lost } = checkLog(await readLog(join(directory, `${name}.db`)), simulatorTruth(simulator));
      return lost.length === 0;
    });
    expect(checkLog(await readLog(join(directory, `${name}.db`)), simulatorTruth(simulator))).toMatchObject({
      lost: [],
      duplicated: [],
      outOfOrder: [],
    });
  }
});

it("begins a feed anew that cannot go on, and serves the others meanwhile", async () => {
  await writeFile(join(directory, "eu.db"), "this is no log");
  await using feeds = await startFeeds(join(directory, "feeds.yaml"));
  await until("the other feed is ready", async () => (await states(feeds))[1] === "ready");
  const [broken] = await list(feeds);
  expect(broken).toMatchObject({
    name: "eu",
    state: "starting",
    why: expect.stringContaining("it cannot go on"),
  });
  const refused = await fetch(`${feeds.url}/v1/feeds/eu/events`);
  expect(refused.status).toBe(503);
  expect(refused.headers.get("retry-after")).not.toBeNull();
  const metrics = await (await fetch(`${feeds.url}/metrics`)).text();
  expect(metrics).toContain('nomad_changefeed_feed_served{feed="eu"} 0');
  await rm(join(directory, "eu.db"));
  await until("the feed is served again", async () => (await states(feeds))[0] === "ready");
});

it("says which feeds there are to who asks for another one, or for the feed of a process that has one", async () => {
  await using feeds = await start();
  for (const path of ["/v1/feeds/asia/events", "/v1/state"]) {
    const answer = await fetch(`${feeds.url}${path}`);
    expect(answer.status).toBe(404);
    expect(await answer.text()).toContain("GET /v1/feeds lists");
  }
  const moved = await fetch(`${feeds.url}/v1/feeds/eu`, { redirect: "manual" });
  expect([moved.status, moved.headers.get("location")]).toEqual([308, "eu/"]);
  const page = await fetch(`${feeds.url}/`, { headers: { accept: "text/html" } });
  expect(await page.text()).toContain('<a href="v1/feeds/us/">us</a>');
});

it("lets each request in by its token, also where all feeds are meant", async () => {
  await writeFile(
    join(directory, "tokens.yaml"),
    "tokens: [{ name: ops, token: ops-token-0123456789abcdef, namespaces: ['*'], resources: ['*'] }]\n",
    { mode: 0o600 },
  );
  const auth = `auth: tokens\nauth-tokens-file: ${join(directory, "tokens.yaml")}`;
  await configure(auth);
  await using feeds = await startFeeds(join(directory, "feeds.yaml"));
  const ops = { authorization: "Bearer ops-token-0123456789abcdef" };
  await until("both feeds are ready", async () => {
    const listed = await list(feeds, ops).catch(() => []);
    return listed.length === 2 && listed.every(({ state }) => state === "ready");
  });
  for (const path of [
    "/v1/feeds",
    "/v1/events",
    "/readyz",
    "/metrics",
    "/v1/feeds/eu/events",
    "/v1/feeds/us/state",
  ]) {
    const without = await fetch(`${feeds.url}${path}`);
    expect([path, without.status]).toEqual([path, 401]);
    await without.body?.cancel();
    const asked = await fetch(`${feeds.url}${path}`, { headers: ops });
    expect([path, asked.status]).toEqual([path, 200]);
    await asked.body?.cancel();
  }
  expect(await json(`${feeds.url}/healthz`)).toEqual({ alive: true });
});

it("tells streams why they end when the process stops", async () => {
  const feeds = await start();
  await using stream = await openStream("ndjson", `${feeds.url}/v1/feeds/us/events`);
  const ended = stream.until(({ type }) => type === "nomad.feed.error");
  await feeds[Symbol.asyncDispose]();
  expect((await ended).at(-1)?.data).toMatchObject({ code: "GOING_AWAY" });
  expect(await feeds.done).toBe(true);
});
