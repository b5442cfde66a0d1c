import { spawnSync } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { createSimulator, type Simulator } from "../../packages/nomad-simulator/src/index.ts";
import { startBridgeProcess, type BridgeProcess } from "../support/bridge-process.ts";
import { sharedRedis } from "../support/shared-redis.ts";
import { until } from "../support/until.ts";

const { redisUrl, missing } = await sharedRedis();
const noPromtool = spawnSync("promtool", ["--version"]).error !== undefined;

let directory: string;
let simulator: Simulator;
let nomadAddr: string;
let allocation: string;
const bridges: BridgeProcess[] = [];

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "ncf-job-metrics-"));
  simulator = createSimulator({ seed: 5, allocations: 10, nodes: 2, namespaces: 1 });
  const groups = [{ name: "frontend", count: 1, tasks: ["main"] }];
  [allocation = ""] = simulator.cluster.runJob({ id: "shop", groups });
  nomadAddr = await simulator.listen();
});
afterEach(async () => {
  await Promise.all(bridges.splice(0).map((bridge) => bridge.kill()));
  await simulator.close();
  await rm(directory, { recursive: true, force: true });
});

function start(feed: string, ...flags: string[]): BridgeProcess {
  const bridge = startBridgeProcess({ nomadAddr, feed, flags: ["--wait", "1s", ...flags] });
  bridges.push(bridge);
  return bridge;
}

/** A task restarts in place, one time after the other. */
function restart(times: number): void {
  for (let count = 0; count < times; count += 1) simulator.cluster.restartTask(allocation);
}

async function metricsOf(bridge: BridgeProcess): Promise<string> {
  const url = bridge.servesAt;
  const response = url === undefined ? undefined : await fetch(`${url}/metrics`).catch(() => undefined);
  return response?.ok === true ? response.text() : "";
}

const RESTARTS =
  /^nomad_changefeed_job_restarts_total\{namespace="default",job_name="shop",group="frontend"\} (\d+)$/m;

/** Undefined where this worker does not count. */
async function restartsAt(bridge: BridgeProcess): Promise<number | undefined> {
  const [, count] = RESTARTS.exec(await metricsOf(bridge)) ?? [];
  return count === undefined ? undefined : Number(count);
}

const isCounted = (bridge: BridgeProcess, count: number) =>
  until(`${count} restarts are counted`, async () => (await restartsAt(bridge)) === count);

describe("what is counted of jobs", () => {
  it("begins at 0, and goes on where the bridge was killed: what happened meanwhile is in it, and nothing twice", async () => {
    const feed = `sqlite:${join(directory, "feed.db")}`;
    const first = start(feed);
    await isCounted(first, 0);
    restart(3);
    await isCounted(first, 3);
    await first.kill();
    restart(2);
    const second = start(feed);
    await isCounted(second, 5);
    restart(1);
    await isCounted(second, 6);
    await second.stop();
    const third = start(feed);
    const [seen] = await until("it counts", async () => {
      const count = await restartsAt(third);
      return count === undefined ? undefined : [count];
    });
    expect(seen).toBe(6);
    if (noPromtool) return;
    const input = await metricsOf(third);
    const { status, stdout, stderr } = spawnSync("promtool", ["check", "metrics"], {
      input,
      encoding: "utf8",
    });
    expect({ status, said: stdout + stderr }).toEqual({ status: 0, said: "" });
  });

  it.skipIf(redisUrl === undefined)(
    `is shown by one of several workers, and goes on at another where that one is killed${missing}`,
    async () => {
      const feed = `${redisUrl}?feed=job-metrics-${process.pid}`;
      const workers = [1, 2].map(() => start(feed, "--workers", "redis", "--worker-timeout", "2s"));
      const counting = await until("one counts", async () => {
        const counts = await Promise.all(workers.map(restartsAt));
        const [place, ...others] = counts.flatMap((count, worker) => (count === 0 ? [worker] : []));
        return others.length === 0 && place !== undefined ? workers[place] : undefined;
      });
      const other = workers.find((worker) => worker !== counting);
      if (other === undefined) throw new Error("there are two");
      restart(4);
      await isCounted(counting, 4);
      expect(await restartsAt(other)).toBeUndefined();
      await counting.kill();
      restart(1);
      await isCounted(other, 5);
    },
  );
});
