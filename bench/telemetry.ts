import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createSimulator } from "../packages/nomad-simulator/src/index.ts";
import { startBridgeProcess } from "../test/support/bridge-process.ts";
import { cpuMsOf } from "../test/support/process-stat.ts";
import { until } from "../test/support/until.ts";
import { WebhookSink } from "../test/support/webhook-sink.ts";
import { median, type BenchRow } from "./harness.ts";

const REGISTRATIONS = 100;
const ROUNDS = 3;

export default [
  {
    name: "telemetry-cost",
    unit: "ms of CPU a change, from Nomad's answer to the webhook's, with every poll traced and sent; a change a poll",
    goal: "at most 1.5 × without",
    against: "the same without --otlp-endpoint",
    run: measureCost,
  },
] satisfies readonly BenchRow[];

async function measureCost() {
  const [traced, untraced]: [number[], number[]] = [[], []];
  await using receiver = await WebhookSink.start();
  for (let round = 0; round < ROUNDS; round += 1) {
    traced.push(await cpuOf("--otlp-endpoint", receiver.url));
    untraced.push(await cpuOf());
  }
  if (receiver.taken.length === 0) throw new Error("nothing was sent");
  return { value: median(traced), against: median(untraced) };
}

async function cpuOf(...flags: readonly string[]): Promise<number> {
  const folder = await mkdtemp(join(tmpdir(), "ncf-bench-"));
  const simulator = createSimulator({ seed: 1, allocations: 0 });
  await using hook = await WebhookSink.start();
  const config = join(folder, "feed.yaml");
  await writeFile(
    config,
    `destinations:\n  hook: { type: webhook, url: "${hook.url}", allowPrivate: true, types: jobs, from: beginning }\n`,
  );
  const bridge = startBridgeProcess({
    nomadAddr: await simulator.listen(),
    feed: `sqlite:${join(folder, "feed.db")}`,
    flags: ["--config", config, "--resources", "jobs", "--log-level", "info", ...flags],
  });
  try {
    await bridge.ready();
    const { pid = 0 } = bridge.child;
    const told = (count: number) => until("it was delivered", () => hook.taken.length >= count);
    const register = async (count: number) => {
      for (let at = 1; at <= count; at += 1) {
        const before = hook.taken.length;
        simulator.cluster.registerJob({ id: "web", priority: 1 + (before % 100) });
        await told(before + 1);
      }
    };
    // What is compiled later is compiled by now.
    await register(REGISTRATIONS / 4);
    const before = cpuMsOf(pid);
    await register(REGISTRATIONS);
    return (cpuMsOf(pid) - before) / REGISTRATIONS;
  } finally {
    await bridge.stop();
    await simulator.close();
    await rm(folder, { recursive: true });
  }
}
