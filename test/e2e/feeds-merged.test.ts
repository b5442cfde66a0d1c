import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { createSimulator, type Simulator } from "../../packages/nomad-simulator/src/index.ts";
import { feedsFrameSchema } from "../../src/schemas/frames-schema.ts";
import { readLog } from "../support/feed-check.ts";
import { startFeeds, type RunningFeeds } from "../support/feeds-process.ts";
import { openStream, STREAMS } from "../support/protocol-reader.ts";
import { until } from "../support/until.ts";
import type { ReceivedEvent } from "../support/websocket-client.ts";

const NAMES = ["eu", "us"] as const;

let directory: string;
let clusters: Simulator[];

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "ncf-feeds-merged-"));
  clusters = NAMES.map((_name, at) => createSimulator({ seed: at + 1, allocations: 20 }));
  const urls = await Promise.all(clusters.map((cluster) => cluster.listen()));
  const entries = NAMES.map(
    (name, at) => `  - name: ${name}\n    nomad-addr: ${urls[at]}\n    feed: sqlite:${logOf(name)}\n`,
  );
  await writeFile(
    join(directory, "feeds.yaml"),
    `listen: 127.0.0.1:0\nbaseline: events\nwait: 1s\nfeeds:\n${entries.join("")}`,
  );
});
afterEach(async () => {
  for (const cluster of clusters) await cluster.close();
  await rm(directory, { recursive: true, force: true });
});

function logOf(name: string): string {
  return join(directory, `${name}.db`);
}

async function start(): Promise<RunningFeeds> {
  const feeds = await startFeeds(join(directory, "feeds.yaml"));
  await until("both feeds are ready", async () => {
    const { feeds: all } = (await (await fetch(`${feeds.url}/readyz`)).json()) as {
      feeds: Record<string, { ready: boolean }>;
    };
    return Object.values(all).every(({ ready }) => ready);
  });
  return feeds;
}

/** Sequences of each feed's events, in the order in which they came. */
function sequencesOf(events: readonly ReceivedEvent[], name: string): number[] {
  return events.flatMap(({ text }) => {
    const { source, sequence } = JSON.parse(text) as { source: string; sequence?: string };
    return sequence === undefined || source !== `nomad://${name}/global` ? [] : [Number(sequence)];
  });
}

async function headOf(name: string): Promise<number> {
  return (await readLog(logOf(name))).at(-1)?.sequence ?? 0;
}

it.each(STREAMS)(
  "gives all events of all feeds, each in its order, as %s, and goes on at its cursor",
  async (format) => {
    await using feeds = await start();
    const heads = await Promise.all(NAMES.map(headOf));
    await using stream = await openStream(format, `${feeds.url}/v1/events?cursor=earliest`);
    const events: ReceivedEvent[] = [];
    const hasAll = () => NAMES.every((name, at) => sequencesOf(events, name).length >= (heads[at] ?? 0));
    await stream.until((event) => events.push(event) > 0 && hasAll());
    for (const [at, name] of NAMES.entries()) {
      const expected = Array.from({ length: heads[at] ?? 0 }, (_one, index) => index + 1);
      expect(sequencesOf(events, name).slice(0, expected.length)).toEqual(expected);
    }
    const bookmark = (await stream.until(({ type }) => type === "nomad.feed.bookmark")).at(-1);
    const cursor = String(bookmark?.data["cursor"]);
    expect(cursor).toMatch(/^eu:\w+-\d+,us:\w+-\d+$/);
    for (const cluster of clusters) cluster.churn(30);
    await using later = await openStream(
      format,
      `${feeds.url}/v1/events?cursor=${encodeURIComponent(cursor)}`,
    );
    const more: ReceivedEvent[] = [];
    const hasBoth = () => NAMES.every((name) => sequencesOf(more, name).length > 0);
    await later.until((event) => more.push(event) > 0 && hasBoth());
    for (const [at, name] of NAMES.entries()) {
      const place = Number(cursor.split(",")[at]?.split("-").at(-1));
      expect([name, sequencesOf(more, name)[0]]).toEqual([name, place + 1]);
    }
  },
);

it("gives pages over all feeds, to the last, and nothing twice", async () => {
  await using feeds = await start();
  const heads = await Promise.all(NAMES.map(headOf));
  const found: { source: string; sequence: string }[] = [];
  for (let next: string | undefined = `${feeds.url}/v1/events?limit=20`; next !== undefined;) {
    const page: Response = await fetch(next);
    expect(page.status).toBe(200);
    const events = (await page.json()) as { source: string; sequence: string }[];
    expect(events.length).toBeLessThanOrEqual(20);
    found.push(...events);
    const link = /<(.*)>; rel="next"/.exec(page.headers.get("link") ?? "")?.[1];
    const hasAll = page.headers.get("x-changefeed-cursor") === page.headers.get("x-changefeed-head");
    next = link === undefined || hasAll ? undefined : new URL(link, page.url).href;
  }
  for (const [at, name] of NAMES.entries()) {
    const sequences = found
      .filter(({ source }) => source.includes(`//${name}/`))
      .map(({ sequence }) => Number(sequence));
    expect(sequences.slice(0, heads[at])).toEqual(Array.from({ length: heads[at] ?? 0 }, (_one, i) => i + 1));
  }
});

it("tells of a feed that is down, and goes on with the others and then with it", async () => {
  await writeFile(logOf("eu"), "this is no log");
  await using feeds = await startFeeds(join(directory, "feeds.yaml"));
  await until("the other feed is served", async () => (await fetch(`${feeds.url}/v1/feeds/us/readyz`)).ok);
  await using stream = await openStream("ndjson", `${feeds.url}/v1/events?cursor=earliest`);
  const events: ReceivedEvent[] = [];
  await stream.until((event) => events.push(event) > 0 && sequencesOf(events, "us").length > 20);
  const notices = events.filter(({ type }) => type === "nomad.feeds.notice");
  for (const { text } of notices) feedsFrameSchema.parse(JSON.parse(text));
  expect(notices.map(({ data }) => data)).toEqual([
    { feed: "eu", state: "away", why: expect.stringContaining("it cannot go on") as string },
  ]);
  await rm(logOf("eu"));
  await stream.until((event) => events.push(event) > 0 && sequencesOf(events, "eu").length > 20);
  expect(sequencesOf(events, "eu")).toEqual(sequencesOf(events, "eu").map((_one, index) => index + 1));
});

it.each(["application/json", "application/x-ndjson"])(
  "says to come again while no feed is served, and not that there is nothing: %s",
  async (accept) => {
    for (const name of NAMES) await writeFile(logOf(name), "this is no log");
    await using feeds = await startFeeds(join(directory, "feeds.yaml"));
    await until("neither is served", async () => {
      const overview = await (await fetch(`${feeds.url}/v1/feeds`)).text();
      return overview.split("it cannot go on").length > NAMES.length;
    });
    const answer = await fetch(`${feeds.url}/v1/events?cursor=earliest`, { headers: { accept } });
    expect([answer.status, answer.headers.get("retry-after")]).toEqual([503, expect.any(String)]);
    expect(await answer.json()).toMatchObject({ code: "LOG_UNAVAILABLE" });
  },
);

it("ends after as many events as were asked for", async () => {
  await using feeds = await start();
  const answer = await fetch(`${feeds.url}/v1/events?cursor=earliest&limit=7`, {
    headers: { accept: "application/x-ndjson" },
  });
  const lines = (await answer.text()).trim().split("\n");
  expect(feedsFrameSchema.parse(JSON.parse(lines[0] ?? ""))).toMatchObject({
    data: { protocol: 1, feeds: NAMES },
  });
  expect(lines.filter((line) => line.includes('"sequence":'))).toHaveLength(7);
});

it("refuses what is wrong for any feed, and what only one feed has", async () => {
  await using feeds = await start();
  for (const query of ["cursor=nothing", "cursor=eu:x", "consumer=me", "types=jbs", "limit=none"]) {
    for (const accept of ["application/json", "application/x-ndjson"]) {
      const answer = await fetch(`${feeds.url}/v1/events?${query}`, { headers: { accept } });
      expect([query, answer.status]).toEqual([query, 400]);
      expect(await answer.json()).toMatchObject({ code: "INVALID_PARAMETER", field: query.split("=")[0] });
    }
  }
});
