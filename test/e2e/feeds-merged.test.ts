import { appendFile, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { createSimulator, type Simulator } from "../../packages/nomad-simulator/src/index.ts";
import { feedsFrameSchema } from "../../src/schemas/frames-schema.ts";
import { readLog } from "../support/feed-check.ts";
import { startFeeds, type RunningFeeds } from "../support/feeds-process.ts";
import { openStream, STREAMS } from "../support/protocol-reader.ts";
import { until } from "../support/until.ts";
import { WebSocketClient, type ReceivedEvent } from "../support/websocket-client.ts";

const NAMES = ["eu", "us"] as const;

let directory: string;
let clusters: Simulator[];
let urls: string[];

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "ncf-feeds-merged-"));
  clusters = NAMES.map((_name, at) => createSimulator({ seed: at + 1, allocations: 20 }));
  urls = await Promise.all(clusters.map((cluster) => cluster.listen()));
  await configure();
});
afterEach(async () => {
  for (const cluster of clusters) await cluster.close();
  await rm(directory, { recursive: true, force: true });
});

/** A file with both feeds; `logs`: the names of logs that are not those of their feeds. */
function configure(logs: Partial<Record<string, string>> = {}): Promise<void> {
  const entries = NAMES.map(
    (name, at) =>
      `  - name: ${name}\n    nomad-addr: ${urls[at]}\n    feed: sqlite:${logOf(logs[name] ?? name)}\n`,
  );
  return writeFile(
    join(directory, "feeds.yaml"),
    `listen: 127.0.0.1:0\nbaseline: events\nwait: 1s\nfeeds:\n${entries.join("")}`,
  );
}

function logOf(name: string): string {
  return join(directory, `${name}.db`);
}

async function start(headers: Record<string, string> = {}): Promise<RunningFeeds> {
  const feeds = await startFeeds(join(directory, "feeds.yaml"));
  await until("both feeds are ready", async () => {
    const { feeds: all } = (await (await fetch(`${feeds.url}/readyz`, { headers })).json()) as {
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

it("leads to the next page up to the time that the first was asked for", async () => {
  await using feeds = await start();
  const page = await fetch(`${feeds.url}/v1/events?limit=5&until=0s`);
  const link = /<(.*)>; rel="next"/.exec(page.headers.get("link") ?? "")?.[1] ?? "";
  expect(new URL(link, page.url).searchParams.get("until")).toMatch(/^\d{4}-\d\d-\d\dT.*Z$/);
  const pretty = await fetch(`${feeds.url}/v1/events?limit=1&pretty`);
  expect(await pretty.text()).toMatch(/^\[\n {4}\{\n {8}"specversion": "1.0",\n/);
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
  // The log line names the file; who reads here may be anybody.
  for (const told of [notices[0]?.text, await (await fetch(`${feeds.url}/v1/feeds`)).text()]) {
    expect(told).toContain("(LOG_UNUSABLE)");
    expect(told).not.toContain(directory);
  }
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
    for (const path of ["/v1/events", "/v1/feeds/eu/v1/events"]) {
      const stream = await fetch(feeds.url + path, { headers: { accept: "text/event-stream" } });
      expect([path, stream.status]).toEqual([path, 200]);
      expect(await stream.text()).toMatch(/^retry: 5000\nevent: nomad\.feed\.error\n.*"LOG_UNAVAILABLE"/);
    }
  },
);

it("counts what is asked of all feeds as one request", async () => {
  await appendFile(join(directory, "feeds.yaml"), "max-requests-per-second: 20\n");
  await using feeds = await start();
  for (let asked = 0; asked < 12; asked += 1) {
    const { feeds: listed } = (await (await fetch(`${feeds.url}/v1/feeds`)).json()) as { feeds: object[] };
    expect(listed).toHaveLength(NAMES.length);
  }
});

it("has an EventSource come back that asks too often", async () => {
  await appendFile(join(directory, "feeds.yaml"), "max-requests-per-second: 20\n");
  await using feeds = await start();
  const ask = async () => {
    const answer = await fetch(`${feeds.url}/v1/events?limit=1&cursor=earliest`, {
      headers: { accept: "text/event-stream" },
    });
    return { status: answer.status, text: await answer.text() };
  };
  // On a slow machine it takes more than one round.
  const refused = await until("one is refused", async () => {
    const answers = await Promise.all(Array.from({ length: 200 }, ask));
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200]));
    return answers.find(({ text }) => text.includes('"LIMIT"'));
  });
  expect(refused.text).toMatch(/^retry: 1000\n.*"LIMIT"/s);
});

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
  const last = JSON.parse(lines.at(-1) ?? "") as { type: string; data: { cursor: string } };
  expect(last).toMatchObject({
    type: "nomad.feed.bookmark",
    data: { cursor: expect.stringMatching(/^eu:/) },
  });
  const rest = await fetch(
    `${feeds.url}/v1/events?cursor=${encodeURIComponent(last.data.cursor)}&limit=1000`,
  );
  const heads = await Promise.all(NAMES.map(headOf));
  expect((await rest.json()) as object[]).toHaveLength(heads.reduce((sum, head) => sum + head, -7));
});

/** How a WebSocket ended: the error that it was told of, and its close code. */
async function endingOf(client: WebSocketClient): Promise<{ code: unknown; closeCode: number }> {
  const error = (await client.until(({ type }) => type === "nomad.feed.error")).at(-1);
  return { code: error?.data["code"], closeCode: (await client.closed()).code };
}

it("says to a WebSocket why it ends, and to a page why it does not begin", async () => {
  await using feeds = await start();
  const url = `${feeds.url}/v1/events`;
  const client = await WebSocketClient.connect(url);
  client.socket.send("nonsense");
  expect(await endingOf(client)).toEqual({ code: "INVALID_MESSAGE", closeCode: 4400 });
  const page = await WebSocketClient.connect(`${url}?cursor=nothing`, [], { origin: feeds.url });
  expect(await endingOf(page)).toEqual({ code: "INVALID_PARAMETER", closeCode: 4400 });
});

it("has no more methods than a feed's own events have", async () => {
  await using feeds = await start();
  for (const method of ["HEAD", "POST"]) {
    const answer = await fetch(`${feeds.url}/v1/events`, { method });
    expect([answer.status, answer.headers.get("allow")]).toEqual([405, "GET"]);
  }
});

it("takes a token as a subprotocol, and never sends it back", async () => {
  const token = "a-token-of-more-than-20-characters";
  const tokens = join(directory, "tokens.yaml");
  await writeFile(
    tokens,
    `tokens: [{ name: ops, token: ${token}, namespaces: ["*"], resources: ["*"], management: true }]\n`,
    { mode: 0o600 },
  );
  await appendFile(join(directory, "feeds.yaml"), `auth: tokens\nauth-tokens-file: ${tokens}\n`);
  const authorization = `Bearer ${token}`;
  await using feeds = await start({ authorization });
  const bearer = `bearer.${Buffer.from(token).toString("base64url")}`;
  const client = await WebSocketClient.connect(`${feeds.url}/v1/events`, [bearer, "cloudevents.json"]);
  expect(client.socket.protocol).toBe("cloudevents.json");
  await client.until(({ type }) => type === "nomad.feed.hello");
  await client.close();
  const refused = await WebSocketClient.connect(`${feeds.url}/v1/events`, [], { origin: feeds.url });
  expect(await endingOf(refused)).toEqual({ code: "UNAUTHORIZED", closeCode: 4401 });
});

it("ends where a feed cannot go on at its cursor, since that is of another log", async () => {
  await using feeds = await start();
  await using stream = await openStream("ndjson", `${feeds.url}/v1/events?cursor=earliest`);
  await stream.until(({ type }) => type === "nomad.feed.bookmark");
  await configure({ eu: "eu-again" });
  expect((await fetch(`${feeds.url}/v1/reload`, { method: "POST" })).status).toBe(200);
  const last = (await stream.until(({ type }) => type === "nomad.feed.error")).at(-1);
  expect(last?.data).toMatchObject({
    code: "EPOCH_CHANGED",
    message: expect.stringMatching(/^eu: /) as string,
    closeCode: 4409,
  });
});

it.each(STREAMS)("tells who reads all feeds why it ends when the process stops, as %s", async (format) => {
  const feeds = await start();
  await using stream = await openStream(format, `${feeds.url}/v1/events?cursor=earliest`);
  await stream.until(({ type }) => type === "nomad.feed.bookmark");
  const ended = stream.until(({ type }) => type === "nomad.feed.error");
  await feeds[Symbol.asyncDispose]();
  const events = await ended;
  expect(events.map(({ type }) => type)).not.toContain("nomad.feeds.notice");
  expect(events.at(-1)?.data).toMatchObject({
    code: "GOING_AWAY",
    closeCode: 1001,
    cursor: expect.stringMatching(/^eu:\w+-\d+,us:\w+-\d+$/) as string,
  });
});

it("says with times where a page ends, so that those after it end there too", async () => {
  await using feeds = await start();
  const answer = await fetch(`${feeds.url}/v1/events?since=1h&until=0s&limit=1`);
  const link = /<(.*)>; rel="next"/.exec(answer.headers.get("link") ?? "")?.[1];
  const next = new URL(link ?? "", answer.url).searchParams;
  expect(Date.parse(next.get("until") ?? "")).toBeLessThanOrEqual(Date.now());
  expect(next.has("since")).toBe(false);
});

it("refuses what is wrong for any feed, and what only one feed has", async () => {
  await using feeds = await start();
  for (const query of [
    "cursor=nothing",
    "cursor=eu:x",
    "consumer=me",
    "types=jbs",
    "limit=none",
    "since=soon",
    "onexpired=snapshot",
  ]) {
    for (const accept of ["application/json", "application/x-ndjson"]) {
      const answer = await fetch(`${feeds.url}/v1/events?${query}`, { headers: { accept } });
      expect([query, answer.status]).toEqual([query, 400]);
      expect(await answer.json()).toMatchObject({ code: "INVALID_PARAMETER", field: query.split("=")[0] });
    }
  }
});
