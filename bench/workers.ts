import { setTimeout as delay } from "node:timers/promises";
import { createSimulator } from "../packages/nomad-simulator/src/index.ts";
import { startBridgeProcess, type BridgeProcess } from "../test/support/bridge-process.ts";
import { httpProxy } from "../test/support/http-proxy.ts";
import { RedisServer } from "../test/support/redis-server.ts";
import { until } from "../test/support/until.ts";
import { assignmentsAt, scopesOf, seesAllWatched, takeoverMs } from "../test/support/worker-watch.ts";
import { median, type BenchRow } from "./harness.ts";

const WORKERS = 3;
const KILLS = 5;
const MANY = 8;
const CHANGES = 20;
const COUNTED_S = 20;

const rows: BenchRow[] = [
  {
    name: "takeover",
    unit: `ms from the kill of one of ${WORKERS} workers until others have claimed all that it watched, median of ${KILLS}`,
    goal: "at most 20000",
    against: "nothing; with the default --worker-timeout",
    run: measureTakeovers,
  },
  {
    name: "hinted-requests-8-workers",
    unit: `requests a second to Nomad of ${MANY} workers that share a feed and read it by hints, ${CHANGES} changes a second`,
    goal: "at most 1.1 × one worker",
    against: "one worker, the same churn",
    run: async () => ({ value: await requestsPerSecond(MANY), against: await requestsPerSecond(1) }),
  },
];

export default rows;

async function measureTakeovers(): Promise<number> {
  await using redis = await RedisServer.start("--appendonly", "yes");
  const simulator = createSimulator({ seed: 1, allocations: 60, namespaces: 3 });
  const nomadAddr = await simulator.listen();
  const feed = `${redis.url}?feed=bench`;
  const begin = (): BridgeProcess => startBridgeProcess({ nomadAddr, feed, flags: ["--workers", "redis"] });
  const workers = Array.from({ length: WORKERS }, begin);
  try {
    const times: number[] = [];
    for (let kill = 0; kill < KILLS; kill += 1) {
      const place = kill % WORKERS;
      const victim = workers[place];
      if (victim === undefined) throw new Error("no worker");
      await until("each has its share", () => isShared(workers, feed).catch(() => false), 60_000);
      const watched = await scopesOf(feed, victim);
      await victim.kill();
      times.push(await takeoverMs(feed, victim, watched));
      workers[place] = begin();
    }
    return median(times);
  } finally {
    await Promise.all(workers.map((worker) => worker.kill()));
    await simulator.close();
  }
}

async function isShared(workers: readonly BridgeProcess[], feed: string): Promise<boolean> {
  const shares = await Promise.all(workers.map((worker) => scopesOf(feed, worker)));
  const seen = await Promise.all(workers.map((worker) => seesAllWatched(worker)));
  return shares.every(({ length }) => length > 1) && seen.every(Boolean);
}

async function requestsPerSecond(count: number): Promise<number> {
  await using redis = await RedisServer.start();
  const simulator = createSimulator({ seed: 3, allocations: 1_000, namespaces: 2, connectionLimit: 0 });
  const nomadAddr = await simulator.listen();
  using proxy = await httpProxy(() => nomadAddr, { upgrades: false });
  const flags = ["--workers", "redis", "--reading", "hinted"];
  const workers = Array.from({ length: count }, () =>
    startBridgeProcess({ nomadAddr: proxy.url, feed: redis.url, flags }),
  );
  try {
    simulator.start({ changesPerSecond: CHANGES });
    await until("all is read by hints", () => isHinted(workers), 120_000);
    const before = proxy.requests();
    await delay(COUNTED_S * 1_000);
    return (proxy.requests() - before) / COUNTED_S;
  } finally {
    await Promise.all(workers.map((worker) => worker.kill()));
    await simulator.close();
  }
}

/** Whether each has its share, and the scopes of each large list are read by hints. */
async function isHinted(workers: readonly BridgeProcess[]): Promise<boolean> {
  const found = await assignmentsAt((await workers[0]?.url()) ?? "");
  const busy = new Set(found.map(({ worker }) => worker));
  const large = found.filter(({ assignment }) =>
    /^(jobs|allocations|evaluations)\/default$/.test(assignment),
  );
  return (
    busy.size === workers.length && large.length === 3 && large.every(({ reading }) => reading === "hinted")
  );
}
