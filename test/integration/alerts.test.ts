import { writeFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { createSimulator, type Simulator } from "../../packages/nomad-simulator/src/index.ts";
import { rereader } from "../../src/config/reread.ts";
import { resolveConfig } from "../../src/config/resolve.ts";
import { alertListSchema, type AlertJson } from "../../src/schemas/alert-schema.ts";
import { silentLogger } from "../../src/telemetry/logger.ts";
import { startBridge, type StartedBridge } from "../support/started-bridge.ts";
import { until } from "../support/until.ts";

let directory: string;
let simulator: Simulator;
let nomadAddr: string;
let bridge: StartedBridge;

const AT_ONCE = "{ for: 0s, keepFiringFor: 0s }";
/** Nothing waits, and what the simulated cluster has of itself is left out. */
const RULES = `alerts:
  rules:
    NodeDown: ${AT_ONCE}
    NodeDisconnected: ${AT_ONCE}
    DriverUnhealthy: off
    JobOverdue: off
    PlacementBlocked: off
    JobFailing: off
    JobExhausted: off
    OomKilled: off
    JobFlapping: off
`;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "ncf-alerts-"));
  simulator = createSimulator({ seed: 3, allocations: 20, nodes: 3, namespaces: 1 });
  nomadAddr = await simulator.listen();
});
afterEach(async () => {
  await bridge.stop();
  await simulator.close();
  await rm(directory, { recursive: true, force: true });
});

async function start(file = RULES): Promise<void> {
  const config = join(directory, "feed.yaml");
  writeFileSync(config, file);
  const feed = `sqlite:${join(directory, "feed.db")}`;
  const given = { flags: { config, nomadAddr, feed, listen: "127.0.0.1:0" }, env: {} };
  const resolved = resolveConfig(given);
  const reread = rereader(resolved, given);
  bridge = await startBridge(resolved.config, { logger: silentLogger(), ...(reread && { reread }) });
  await bridge.ready();
}

async function alerts() {
  const response = await fetch(`${bridge.url}/v1/alerts`);
  return alertListSchema.parse(await response.json());
}

async function firing(): Promise<AlertJson[]> {
  return (await alerts()).alerts.filter(({ state }) => state === "firing");
}

const node = () => {
  const [row] = simulator.cluster.state.tables.nodes.values();
  if (row === undefined) throw new Error("the cluster has no node");
  return row.key;
};

describe("a bridge", () => {
  it("tells of a node that is down, once, and of its end, also where that came while the bridge was down", async () => {
    await start();
    await until("it has looked", async () => (await alerts()).asOf !== null);
    expect(await firing()).toEqual([]);
    simulator.cluster.setNodeStatus(node(), "down");
    await until("it fires", async () => (await firing()).length > 0);
    const [first, ...others] = await firing();
    expect(others).toEqual([]);
    expect(first).toMatchObject({
      rule: "NodeDown",
      severity: "ERROR",
      labels: { cluster: "nomad", region: "global", node: node() },
      beganMeanwhile: false,
    });
    await bridge.stop();
    await start();
    await until("it goes on", async () => (await firing()).length > 0);
    expect(await firing()).toEqual([first]);
    await bridge.stop();
    simulator.cluster.setNodeStatus(node(), "ready");
    await start();
    await until("it has ended", async () => (await firing()).length === 0);
    expect((await alerts()).ended).toMatchObject([
      { id: first?.id, startsAt: first?.startsAt, reason: "recovered" },
    ]);
  });

  it("takes other rules from the file while it runs, and makes no alerts where it says off", async () => {
    await start();
    simulator.cluster.setNodeStatus(node(), "down");
    await until("it fires", async () => (await firing()).length === 1);
    const configure = (text: string) => {
      writeFileSync(join(directory, "feed.yaml"), text);
      return bridge.reload("the test");
    };
    expect(configure(RULES.replace(`NodeDown: ${AT_ONCE}`, "NodeDown: { severity: FATAL }"))).toMatchObject({
      alerts: true,
    });
    await until("it has the severity", async () => (await firing())[0]?.severity === "FATAL");
    configure("alerts: off\n");
    const assignments = async () => {
      const response = await fetch(`${bridge.url}/v1/assignments`);
      const all = (await response.json()) as { assignments: { assignment: string }[] };
      return all.assignments.map(({ assignment }) => assignment);
    };
    await until("nobody makes any", async () => !(await assignments()).includes("alerts"));
    expect(() => configure("alerts:\n  rules:\n    NodeDwn: off\n")).toThrow(
      /feed\.yaml:3: alerts\.rules\.NodeDwn: .*NodeDown/,
    );
  });
});
