import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { createSimulator, type Simulator } from "../../packages/nomad-simulator/src/index.ts";
import { checkLog, readLog } from "../support/feed-check.ts";
import { federatedNomad, type FederatedNomad } from "../support/federated-nomad.ts";
import { startRegions, type RunningFeeds } from "../support/feeds-process.ts";
import { openStream } from "../support/protocol-reader.ts";
import { simulatorTruth } from "../support/simulator-truth.ts";
import { until } from "../support/until.ts";

const REGIONS = ["eu", "us"] as const;

let directory: string;
let clusters: Simulator[];
let nomad: FederatedNomad;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "ncf-regions-"));
  clusters = REGIONS.map((region, at) => createSimulator({ seed: at + 1, allocations: 20, region }));
  const urls = await Promise.all(clusters.map((cluster) => cluster.listen()));
  nomad = await federatedNomad(new Map(REGIONS.map((region, at) => [region, urls[at] ?? ""])));
});
afterEach(async () => {
  await nomad[Symbol.asyncDispose]();
  for (const cluster of clusters) await cluster.close();
  await rm(directory, { recursive: true, force: true });
});

function start(more: { config?: string } = {}): Promise<RunningFeeds> {
  const feed = `sqlite:${join(directory, "feed.db")}`;
  const flags = {
    nomadAddr: nomad.url,
    regions: "all",
    feed,
    listen: "127.0.0.1:0",
    cluster: "prod",
    baseline: "events",
    maxEventBytes: "10MiB",
    wait: "1s",
    ...more,
  };
  return startRegions(flags, { lookEveryMs: 50, goneAfterMs: 200 });
}

interface Listed {
  readonly name: string;
  readonly state: string;
  readonly source: string;
}

async function ready({ url }: RunningFeeds): Promise<string[]> {
  const { feeds } = (await (await fetch(`${url}/v1/feeds`)).json()) as { feeds: Listed[] };
  return feeds
    .filter(({ state }) => state === "ready")
    .map(({ source }) => source)
    .toSorted();
}

it("makes a feed of each region, with a log of its own, as regions come and go", async () => {
  nomad.regions = ["eu"];
  await using feeds = await start();
  await until("the first region is read", async () => (await ready(feeds)).length === 1);
  expect(await ready(feeds)).toEqual(["nomad://prod/eu"]);
  await using stream = await openStream("ndjson", `${feeds.url}/v1/events?cursor=earliest`);

  nomad.regions = ["eu", "us"];
  await stream.until(
    ({ text }) => text.includes('"source":"nomad://prod/us"') && text.includes('"sequence"'),
  );
  await until("both regions are read", async () => (await ready(feeds)).length === 2);

  nomad.regions = ["eu"];
  await until("the feed of the other ends", async () => (await ready(feeds)).length === 1);
  expect((await fetch(`${feeds.url}/v1/feeds/us/events`)).status).toBe(404);
  for (const cluster of clusters) cluster.churn(20);

  nomad.regions = ["eu", "us"];
  for (const [at, region] of REGIONS.entries()) {
    const truth = () => simulatorTruth(clusters[at] as Simulator);
    const log = () => readLog(join(directory, `feed-${region}.db`));
    await until(`the log of ${region} has all`, async () => checkLog(await log(), truth()).lost.length === 0);
    expect(checkLog(await log(), truth())).toMatchObject({ lost: [], duplicated: [], outOfOrder: [] });
  }
});

it("has regions that come after a reload begin with what was read then", async () => {
  const config = join(directory, "changefeed.yaml");
  await writeFile(config, "redaction: []\n");
  nomad.regions = ["eu"];
  await using feeds = await start({ config });
  await until("the first region is read", async () => (await ready(feeds)).length === 1);
  await writeFile(config, "redaction: [{ resources: [nodes], paths: [/Datacenter] }]\n");
  const report = await (await fetch(`${feeds.url}/v1/reload`, { method: "POST" })).json();
  expect(report).toMatchObject({ file: config, restarted: [], applied: { eu: { redaction: true } } });

  nomad.regions = ["eu", "us"];
  await until("both regions are read", async () => (await ready(feeds)).length === 2);
  for (const region of REGIONS) {
    const nodes = await (await fetch(`${feeds.url}/v1/feeds/${region}/state?types=nodes`)).text();
    expect(nodes).toContain('"Datacenter":"[redacted]"');
    expect(nodes).not.toMatch(/"Datacenter":"(?!\[redacted\])/);
  }
});
