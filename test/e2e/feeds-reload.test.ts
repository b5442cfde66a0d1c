import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { createSimulator, type Simulator } from "../../packages/nomad-simulator/src/index.ts";
import { FeedRun, type Feed } from "../../src/bridge/feed-run.ts";
import { FILTER_LANGUAGE } from "../../src/commands/support/filter-language.ts";
import { rereader } from "../../src/config/reread.ts";
import { resolveConfig } from "../../src/config/resolve.ts";
import { Limits } from "../../src/http/access/limits.ts";
import { FeedMount } from "../../src/http/feeds/feed-mount.ts";
import { systemClock } from "../../src/shared/clock.ts";
import { silentLogger } from "../../src/telemetry/logger.ts";
import { runCli } from "../support/cli.ts";
import { readLog } from "../support/feed-check.ts";
import { startFeeds, type RunningFeeds } from "../support/feeds-process.ts";
import { openStream, type Reader } from "../support/protocol-reader.ts";
import { until } from "../support/until.ts";

type Name = "eu" | "us" | "asia";
const NAMES: readonly Name[] = ["eu", "us", "asia"];

let directory: string;
let clusters: ReadonlyMap<Name, Simulator>;
let urls: ReadonlyMap<Name, string>;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "ncf-feeds-reload-"));
  clusters = new Map(NAMES.map((name, at) => [name, createSimulator({ seed: at + 1, allocations: 10 })]));
  const listening = [...clusters].map(async ([name, one]) => [name, await one.listen()] as const);
  urls = new Map(await Promise.all(listening));
});
afterEach(async () => {
  for (const cluster of clusters.values()) await cluster.close();
  await rm(directory, { recursive: true, force: true });
});

/** A file with these feeds, each with more lines of its own. */
function configure(feeds: Partial<Record<Name, string>>, top = ""): Promise<void> {
  const entries = Object.entries(feeds).map(
    ([name, more]) =>
      `  - name: ${name}\n    nomad-addr: ${urls.get(name as Name)}\n    feed: sqlite:${logOf(name)}\n${more}`,
  );
  const shared = `listen: 127.0.0.1:0\nbaseline: events\nwait: 1s\n${top}`;
  return writeFile(join(directory, "feeds.yaml"), `${shared}feeds:\n${entries.join("")}`);
}

function logOf(name: string): string {
  return join(directory, `${name}.db`);
}

async function start(feeds: Partial<Record<Name, string>>): Promise<RunningFeeds> {
  await configure(feeds);
  const running = await startFeeds(join(directory, "feeds.yaml"));
  await ready(running, Object.keys(feeds));
  return running;
}

function ready({ url }: RunningFeeds, names: readonly string[]): Promise<unknown> {
  return until(`ready: ${names.join(", ")}`, async () => {
    const { feeds } = (await (await fetch(`${url}/v1/feeds`)).json()) as { feeds: Listed[] };
    const found = feeds.filter(({ state }) => state === "ready").map(({ name }) => name);
    return names.length === feeds.length && names.every((name) => found.includes(name));
  });
}

interface Listed {
  readonly name: string;
  readonly state: string;
}

/** Reads on until the feed has so many events more; answers their sequences, and what was told of feeds meanwhile. */
async function read(stream: Reader, name: Name, count: number) {
  const sequences: number[] = [];
  const events = await stream.until(({ text }) => {
    const { source, sequence } = JSON.parse(text) as { source: string; sequence?: string };
    return (
      source === `nomad://${name}/global` &&
      sequence !== undefined &&
      sequences.push(Number(sequence)) === count
    );
  });
  return { sequences, notices: noticesIn(events) };
}

function noticesIn(events: readonly { type: string; data: object }[]): object[] {
  return events.filter(({ type }) => type === "nomad.feeds.notice").map(({ data }) => data);
}

it("begins feeds that come into the file and ends those that leave it, and the others do not notice", async () => {
  await using feeds = await start({ eu: "", us: "" });
  await using stream = await openStream("ndjson", `${feeds.url}/v1/events?cursor=earliest`);
  await using beside = await openStream("ndjson", `${feeds.url}/v1/feeds/eu/events`);
  await configure({ eu: "", asia: "" });
  const cli = await runCli(["reload", "--url", feeds.url]);
  expect(cli).toMatchObject({
    code: 0,
    stdout: expect.stringMatching(/: feeds added: asia; feeds removed: us\n$/) as string,
  });

  const events = await stream.until(({ data }) => data["state"] === "gone");
  expect(noticesIn(events).filter((notice) => !("feed" in notice && notice.feed === "asia"))).toEqual([
    { feed: "us", state: "gone", why: expect.stringContaining("its log stays") as string },
  ]);
  expect((await read(stream, "asia", 5)).sequences).toEqual([1, 2, 3, 4, 5]);
  await ready(feeds, ["eu", "asia"]);
  expect((await fetch(`${feeds.url}/v1/feeds/us/events`)).status).toBe(404);
  clusters.get("eu")?.churn(5);
  expect(noticesIn(await beside.until(({ data }) => data["op"] === "update"))).toEqual([]);

  // It goes on in its log.
  const end = (await readLog(logOf("us"))).length;
  clusters.get("us")?.churn(10);
  await configure({ eu: "", asia: "", us: "" });
  expect(await (await fetch(`${feeds.url}/v1/reload`, { method: "POST" })).json()).toMatchObject({
    added: ["us"],
    removed: [],
    restarted: [],
  });
  expect((await read(stream, "us", 1)).sequences).toEqual([end + 1]);
});

it("begins a feed anew whose options are others, and applies the rest to those that go on", async () => {
  await using feeds = await start({ eu: "", us: "" });
  await using stream = await openStream("ndjson", `${feeds.url}/v1/events`);
  await stream.until(({ type }) => type === "nomad.feed.hello");
  const end = (await readLog(logOf("eu"))).length;
  await configure(
    { eu: "    wait: 2s\n", us: "    redaction: [{ paths: [/NodeName] }]\n" },
    "log-level: debug\n",
  );
  expect(await (await fetch(`${feeds.url}/v1/reload`, { method: "POST" })).json()).toMatchObject({
    added: [],
    removed: [],
    restarted: ["eu"],
    applied: { us: { redaction: true, needRestart: [] } },
    needRestart: ["--log-level"],
  });
  await ready(feeds, ["eu", "us"]);
  clusters.get("eu")?.churn(10);
  const { sequences, notices } = await read(stream, "eu", 3);
  expect(sequences).toEqual([end + 1, end + 2, end + 3]);
  expect(notices).toMatchObject([{ feed: "eu", state: "away" }]);
});

it("refuses a file with a mistake whole", async () => {
  await using feeds = await start({ eu: "", us: "" });
  await configure({ eu: "    wait: soon\n", asia: "" });
  const refused = await fetch(`${feeds.url}/v1/reload`, { method: "POST" });
  expect(refused.status).toBe(422);
  expect(await refused.json()).toMatchObject({
    code: "RELOAD_REFUSED",
    message: expect.stringMatching(/^--wait: "soon" is not allowed .*feeds\[0\]\.wait/) as string,
  });
  await ready(feeds, ["eu", "us"]);
  expect((await fetch(`${feeds.url}/v1/reload`)).status).toBe(405);
});

it("holds to what one feed alone read again where that feed is begun anew", async () => {
  await configure({ eu: "" });
  const given = { flags: { config: join(directory, "feeds.yaml") }, env: {}, language: FILTER_LANGUAGE };
  const [eu] = resolveConfig(given).feeds ?? [];
  if (eu === undefined) throw new Error("the file has no feeds");
  const begun: string[] = [];
  const overrides = {
    logger: silentLogger(),
    onBridge: ({ config }: Feed) => void begun.push(JSON.stringify(config.redaction)),
  };
  const run = new FeedRun({ ...eu, reread: rereader(eu, given, "eu") }, overrides, undefined);
  const limits = new Limits({}, systemClock);
  const mount = new FeedMount("eu", { url: "http://127.0.0.1", limits, clock: systemClock });
  const server = createServer((message, response) => mount.request(message, response)).listen(0, "127.0.0.1");
  await once(server, "listening");
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const stop = new AbortController();
  const done = run.run(mount, stop.signal);
  await until("it serves", () => Promise.resolve(mount.isServed));

  await configure({ eu: "    redaction: [{ paths: [/NodeName] }]\n" });
  const report = await (await fetch(`${url}/v1/reload`, { method: "POST" })).json();
  expect(report).toMatchObject({ redaction: true });
  run.beginAnew(run.feed);
  await until("it is begun anew", () => Promise.resolve(begun.length === 2));
  expect(begun[1]).toContain("/NodeName");
  expect(begun[0]).not.toContain("/NodeName");
  stop.abort(new Error("the test is over"));
  await done;
  server.close();
});
