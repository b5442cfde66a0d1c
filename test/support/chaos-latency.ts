import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { median } from "../../bench/harness.ts";
import { createSimulator, type Simulator } from "../../packages/nomad-simulator/src/index.ts";
import { createRandom } from "../../packages/nomad-simulator/src/random.ts";
import { startBridgeProcess, type BridgeProcess } from "./bridge-process.ts";
import { readLog, type SeenEvent } from "./feed-check.ts";
import { untilStarted } from "./until-started.ts";
import { until } from "./until.ts";
import { assignmentsAt } from "./worker-watch.ts";

export interface LatencyOptions {
  readonly reading: "lists" | "hinted";
  readonly seed: number;
  readonly seconds: number;
  readonly allocations: number;
}

export interface Latency {
  readonly updates: number;
  /** From the write in Nomad to its event in the log. */
  readonly medianMs: number;
  readonly longestGapMs: number;
}

const BETWEEN_UPDATES_MS = 50;

/** How long ordinary updates of allocations take to get into the log, while nothing is harmed and nothing fails. */
export async function measureLatency(options: LatencyOptions): Promise<Latency> {
  const { reading, seed, seconds, allocations } = options;
  const directory = await mkdtemp(join(tmpdir(), "ncf-latency-"));
  const file = join(directory, "feed.db");
  const simulator = createSimulator({ seed, allocations, journalLimit: 1_000_000 });
  const nomadAddr = await simulator.listen();
  const bridge = startBridgeProcess({ nomadAddr, feed: `sqlite:${file}`, flags: ["--reading", reading] });
  try {
    await untilReadBy(bridge, reading);
    await untilStarted(await bridge.url());
    await update(simulator, { seed, seconds });
    const gaps = await until("every update is in the log", async () =>
      gapsMs(simulator, await readLog(file)),
    );
    return { updates: gaps.length, medianMs: median(gaps), longestGapMs: Math.max(...gaps) };
  } finally {
    await bridge.kill();
    await simulator.close();
    await rm(directory, { recursive: true, force: true });
  }
}

async function untilReadBy(bridge: BridgeProcess, wanted: "lists" | "hinted"): Promise<void> {
  await bridge.ready();
  const url = await bridge.url();
  await until(`allocations are read by ${wanted}`, async () =>
    (await assignmentsAt(url)).some(
      ({ assignment, reading }) => assignment === "allocations/default" && reading === wanted,
    ),
  );
}

async function update({ cluster }: Simulator, run: { seed: number; seconds: number }): Promise<void> {
  const random = createRandom(run.seed);
  const keys = [...cluster.state.tables.allocations.values()].map(({ key }) => key);
  const endAt = Date.now() + run.seconds * 1000;
  while (Date.now() < endAt) {
    const key = random.pick(keys);
    const now = cluster.state.tables.allocations.get("default", key)?.stub.ClientStatus;
    cluster.setAllocStatus(key, now === "running" ? "pending" : "running");
    await delay(BETWEEN_UPDATES_MS);
  }
}

/** From each update to the first event of this or a later version; undefined while one is missing. */
function gapsMs({ journal }: Simulator, events: readonly SeenEvent[]): number[] | undefined {
  const told = Map.groupBy(events, ({ subject }) => subject);
  const updates = journal.entries.filter(({ resource, op }) => resource === "allocations" && op === "update");
  const gaps = updates.flatMap(({ namespace, key, index, at }) => {
    const of = told.get(`allocations/${namespace}/${key}`) ?? [];
    const first = of.find(({ current }) => Number(current) >= index);
    return first === undefined ? [] : [first.recordedMs - at];
  });
  return gaps.length === updates.length && gaps.length > 0 ? gaps : undefined;
}
