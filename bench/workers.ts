import { createSimulator } from "../packages/nomad-simulator/src/index.ts";
import { startBridgeProcess, type BridgeProcess } from "../test/support/bridge-process.ts";
import { RedisServer } from "../test/support/redis-server.ts";
import { until } from "../test/support/until.ts";
import { scopesOf, seesAllWatched, takeoverMs } from "../test/support/worker-watch.ts";
import { median, type BenchRow } from "./harness.ts";

const WORKERS = 3;
const KILLS = 5;

const rows: BenchRow[] = [
  {
    name: "takeover",
    unit: `ms from the kill of one of ${WORKERS} workers until others have claimed all that it watched, median of ${KILLS}`,
    goal: "at most 20000",
    against: "nothing; with the default --worker-timeout",
    run: measureTakeovers,
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
