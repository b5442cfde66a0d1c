import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createSimulator } from "../packages/nomad-simulator/src/index.ts";
import { resolveConfig } from "../src/config/resolve.ts";
import { silentLogger } from "../src/telemetry/logger.ts";
import { startBridge } from "../test/support/started-bridge.ts";
import { until } from "../test/support/until.ts";
import { median, type BenchRow } from "./harness.ts";

/** No more than are asked about at once: beyond that events go without. */
const REGISTRATIONS = 100;
const ROUNDS = 5;

export default [
  {
    name: "enrich-cost",
    unit: "ms of CPU a registration of a job, from Nomad to the log, with --enrich spec; the simulator's answers too",
    goal: "at most 3 × without",
    against: "the same without --enrich",
    run: measureCost,
  },
] satisfies readonly BenchRow[];

async function measureCost() {
  const [withSpec, without]: [number[], number[]] = [[], []];
  for (let round = 0; round <= ROUNDS; round += 1) {
    const [one, other] = [await cpuOf({ enrich: "spec" }), await cpuOf({})];
    // The first one only warms up.
    if (round === 0) continue;
    withSpec.push(one);
    without.push(other);
  }
  return { value: median(withSpec), against: median(without) };
}

async function cpuOf(flags: Readonly<Record<string, string>>): Promise<number> {
  const folder = await mkdtemp(join(tmpdir(), "ncf-bench-"));
  const simulator = createSimulator({ seed: 1 });
  const { config } = resolveConfig({
    flags: {
      nomadAddr: await simulator.listen(),
      feed: `sqlite:${join(folder, "feed.db")}`,
      listen: "127.0.0.1:0",
      resources: "jobs",
      ...flags,
    },
    env: {},
  });
  const bridge = await startBridge(config, { logger: silentLogger() });
  try {
    await bridge.ready();
    const told = async () => (await bridge.log.head()).sequence;
    const begun = await told();
    const before = process.cpuUsage();
    for (let at = 1; at <= REGISTRATIONS; at += 1) {
      simulator.cluster.registerJob({ id: "web", priority: 1 + (at % 100) });
      await until("it is told", async () => (await told()) >= begun + at);
    }
    const { user, system } = process.cpuUsage(before);
    if (flags["enrich"] !== undefined) await assertFound(bridge.url);
    return (user + system) / 1000 / REGISTRATIONS;
  } finally {
    await bridge.stop();
    await simulator.close();
    await rm(folder, { recursive: true });
  }
}

/** Events that went without would cost less. */
async function assertFound(url: string): Promise<void> {
  const metrics = await (await fetch(`${url}/metrics`)).text();
  const found = /^nomad_changefeed_enrichments_total\{what="spec",outcome="found"\} (\d+)$/m.exec(
    metrics,
  )?.[1];
  if (found !== String(REGISTRATIONS))
    throw new Error(`of ${REGISTRATIONS} events ${found} have their specification`);
}
