import { mkdirSync, writeFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { createSimulator, type Simulator } from "../../packages/nomad-simulator/src/index.ts";
import { deliveriesSchema } from "../../src/schemas/delivery-schema.ts";
import { generateNoteKey } from "../../src/tlog/note-keys.ts";
import { eventsOfTrail } from "../support/audit-trail.ts";
import { startBridgeProcess, type BridgeProcess } from "../support/bridge-process.ts";
import { readLog } from "../support/feed-check.ts";
import { RedisServer, redisMissing } from "../support/redis-server.ts";
import { skippedBecause } from "../support/skipped.ts";
import { until } from "../support/until.ts";

const missing = redisMissing();
const { privateKey, verifierKey } = generateNoteKey("example.com/nomad");

describe.skipIf(missing !== undefined)(`workers that share a feed${skippedBecause(missing)}`, () => {
  let root: string;
  let trail: string;
  let simulator: Simulator;
  let nomadAddr: string;
  let redis: RedisServer;
  const workers: BridgeProcess[] = [];
  beforeEach(async () => {
    root = await mkdtemp(join(tmpdir(), "ncf-audit-"));
    trail = join(root, "trail");
    mkdirSync(trail);
    simulator = createSimulator({ seed: 5, allocations: 20, namespaces: 1 });
    nomadAddr = await simulator.listen();
    redis = await RedisServer.start("--appendonly", "yes");
  });
  afterEach(async () => {
    await Promise.all(workers.splice(0).map((worker) => worker.kill()));
    await simulator.close();
    await redis[Symbol.asyncDispose]();
    await rm(root, { recursive: true });
  });

  async function start(): Promise<BridgeProcess> {
    const config = join(root, "feed.yaml");
    writeFileSync(join(root, "key"), privateKey);
    writeFileSync(
      config,
      `destinations:
  trail:
    type: audit
    directory: ${trail}
    key: file:${join(root, "key")}
    batch: { age: 50ms }
    retry: { first: 50ms, most: 500ms }
`,
    );
    const shared = ["--workers", "redis", "--worker-timeout", "2s"];
    const flags = ["--config", config, "--baseline", "events", ...shared];
    const worker = startBridgeProcess({ nomadAddr, feed: redis.url, flags });
    workers.push(worker);
    return worker;
  }

  /** Which of them writes the trail. */
  async function writer(): Promise<BridgeProcess> {
    return until("one of them writes the trail", async () => {
      const response = await fetch(`${await workers[0]?.url()}/v1/deliveries`).catch(() => undefined);
      if (response?.ok !== true) return undefined;
      const { deliveries } = deliveriesSchema.parse(await response.json());
      return workers.find(({ child }) => String(child.pid) === deliveries[0]?.worker?.split("/")[1]);
    });
  }

  async function hasAll(): Promise<void> {
    await until("all is in the trail", async () => {
      const wanted = (await readLog({ kind: "redis", url: redis.url })).map(({ id }) => id);
      const events = await eventsOfTrail(trail, verifierKey);
      return (
        wanted.length > 0 &&
        events.length === wanted.length &&
        events.every(({ id }, at) => id === wanted[at])
      );
    });
  }

  it("write one trail in a directory that they share: by one of them, and by another once that is killed", async () => {
    for (let count = 0; count < 2; count += 1) await (await start()).ready();
    await hasAll();
    const before = (await eventsOfTrail(trail, verifierKey)).length;
    simulator.churn(40);
    const first = await writer();
    workers.splice(workers.indexOf(first), 1);
    await first.kill();
    simulator.churn(40);
    await hasAll();
    expect((await eventsOfTrail(trail, verifierKey)).length).toBeGreaterThan(before);
  });
});
