import { writeFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { createSimulator, type Simulator } from "../../packages/nomad-simulator/src/index.ts";
import { deliveriesSchema } from "../../src/schemas/delivery-schema.ts";
import { startBridgeProcess, type BridgeProcess } from "../support/bridge-process.ts";
import { readLog } from "../support/feed-check.ts";
import { RedisServer, redisMissing } from "../support/redis-server.ts";
import { skippedBecause } from "../support/skipped.ts";
import { until } from "../support/until.ts";
import { WebhookSink } from "../support/webhook-sink.ts";

const missing = redisMissing();

let directory: string;
let simulator: Simulator;
let nomadAddr: string;
let hook: WebhookSink;
let workers: BridgeProcess[];

/** A configuration file with the destination. */
function configFile(name: string): string {
  const file = join(directory, name);
  const destination = `  hook:
    type: webhook
    url: ${hook.url}
    allowPrivate: true
    from: beginning
    retry: { first: 50ms, most: 500ms }
`;
  writeFileSync(file, `destinations:\n${destination}`);
  return file;
}

function start(feed: string, config: string, ...flags: string[]): BridgeProcess {
  const all = ["--config", config, "--baseline", "events", ...flags];
  const worker = startBridgeProcess({ nomadAddr, feed, flags: all });
  workers.push(worker);
  return worker;
}

/** Ids of what was delivered, each as often as it came. */
function delivered(): string[] {
  return hook.taken.map(({ body }) => (JSON.parse(body.toString()) as { id: string }).id);
}

async function hookOf(worker: BridgeProcess) {
  const response = await fetch(`${await worker.url()}/v1/deliveries`).catch(() => undefined);
  if (response?.ok !== true) return undefined;
  return deliveriesSchema.parse(await response.json()).deliveries.find(({ name }) => name === "hook");
}

/** Waits until all that the log holds was delivered, in the order of each object. */
async function hasAll(feed: Parameters<typeof readLog>[0]): Promise<void> {
  await until("all is delivered", async () => {
    const got = new Set(delivered());
    return (await readLog(feed)).every(({ id }) => got.has(id));
  });
}

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "ncf-failover-"));
  simulator = createSimulator({ seed: 5, allocations: 20, namespaces: 1 });
  nomadAddr = await simulator.listen();
  hook = await WebhookSink.start();
  workers = [];
});
afterEach(async () => {
  await Promise.all(workers.map((worker) => worker.kill()));
  await hook[Symbol.asyncDispose]();
  await simulator.close();
  await rm(directory, { recursive: true, force: true });
});

describe.skipIf(missing !== undefined)(`workers that share a feed${skippedBecause(missing)}`, () => {
  let redis: RedisServer;
  beforeEach(async () => {
    redis = await RedisServer.start("--appendonly", "yes");
  });
  afterEach(() => redis[Symbol.asyncDispose]());

  const shared = ["--workers", "redis", "--worker-timeout", "2s"];
  const delivers = async (those: readonly BridgeProcess[]) =>
    until("one of them delivers", async () => {
      const [one] = those;
      const pid = one === undefined ? undefined : (await hookOf(one))?.worker?.split("/")[1];
      return those.find(({ child }) => String(child.pid) === pid);
    });

  it("deliver to a destination by one of them, whoever is asked to steer it, and by another once that is killed", async () => {
    const feed = { kind: "redis", url: redis.url } as const;
    const config = configFile("feed.yaml");
    for (let count = 0; count < 2; count += 1) start(redis.url, config, ...shared);
    await Promise.all(workers.map((worker) => worker.ready()));
    await hasAll(feed);
    const dead = await delivers(workers);
    const other = workers.find((worker) => worker !== dead) ?? dead;
    const steer = async (what: string) =>
      fetch(`${await other.url()}/v1/deliveries/hook/${what}`, { method: "POST" });
    expect((await steer("pause")).status).toBe(200);
    await until("who delivers pauses", async () => (await hookOf(dead))?.state === "paused");
    expect((await steer("resume")).status).toBe(200);
    simulator.churn(40);
    await dead.kill();
    simulator.churn(40);
    expect(await delivers([other])).toBe(other);
    await hasAll(feed);
    expect((await fetch(`${await other.url()}/readyz`)).status).toBe(200);
  });
});

it("one process alone that is killed goes on, when it is back, where it was", async () => {
  const config = configFile("feed.yaml");
  const path = join(directory, "feed.db");
  const first = start(`sqlite:${path}`, config);
  await first.ready();
  await hasAll({ kind: "sqlite", path });
  await until("its position is kept", async () => (await hookOf(first))?.lagEvents === 0);
  const before = delivered().length;
  simulator.churn(40);
  await first.kill();
  simulator.churn(40);
  const second = start(`sqlite:${path}`, config);
  await second.ready();
  await hasAll({ kind: "sqlite", path });
  expect(new Set(delivered().slice(0, before)).size).toBe(before);
});
