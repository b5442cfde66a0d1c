import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { createSimulator, type Simulator } from "../../packages/nomad-simulator/src/index.ts";
import type { Config } from "../../src/config/config.ts";
import { resolveConfig } from "../../src/config/resolve.ts";
import { deliveryDetailsSchema } from "../../src/schemas/delivery-schema.ts";
import { silentLogger } from "../../src/telemetry/logger.ts";
import { runCli } from "../support/cli.ts";
import { startBridge, type StartedBridge } from "../support/started-bridge.ts";
import { until } from "../support/until.ts";

let directory: string;
let simulator: Simulator;
let nomadAddr: string;
let bridge: StartedBridge;
/** What the file says when it is read again. */
let next: Config;

/** The configuration with these destinations. */
function configOf(destinations: string, nomad = nomadAddr) {
  const file = join(directory, "feed.yaml");
  writeFileSync(file, `destinations:\n${destinations}`);
  const feed = `sqlite:${join(directory, "feed.db")}`;
  const flags = { config: file, nomadAddr: nomad, feed, listen: "127.0.0.1:0", baseline: "events" };
  return resolveConfig({ flags, env: {} }).config;
}

const path = (name: string) => join(directory, `${name}.jsonl`);
const toFile = (name: string, more = "") => `  ${name}:\n    type: file\n    path: ${path(name)}\n${more}`;

async function start(destinations: string, nomad = nomadAddr): Promise<void> {
  bridge = await startBridge(configOf(destinations, nomad), {
    logger: silentLogger(),
    reread: () => ({ file: "feed.yaml", config: next, needRestart: [] }),
  });
}

/** Ids of what is in a destination's file, in order. */
function idsIn(name: string): string[] {
  if (!existsSync(path(name))) return [];
  const lines = readFileSync(path(name), "utf8").split("\n").slice(0, -1);
  return lines.map((line) => (JSON.parse(line) as { id: string }).id);
}

async function idsInLog(): Promise<string[]> {
  const { epoch } = await bridge.log.head();
  return (await bridge.log.read({ epoch, sequence: 0 }, { limit: 100_000 })).map(({ id }) => id);
}

async function hasAll(name: string): Promise<boolean> {
  return idsIn(name).join() === (await idsInLog()).join();
}

const deliveries = (...args: string[]) => runCli(["deliveries", ...args, "--url", bridge.url]);

async function shown(name: string) {
  const response = await fetch(`${bridge.url}/v1/deliveries/${name}`);
  return deliveryDetailsSchema.parse(await response.json());
}

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "ncf-deliveries-"));
  simulator = createSimulator({ seed: 3, allocations: 20, namespaces: 1 });
  nomadAddr = await simulator.listen();
});
afterEach(async () => {
  await bridge.stop();
  await simulator.close();
  await rm(directory, { recursive: true, force: true });
});

describe("a bridge with destinations", () => {
  it("delivers every event once and in order, and goes on after a restart where it was", async () => {
    await start(toFile("all"));
    await bridge.ready();
    simulator.churn(30);
    await until("all is delivered", () => hasAll("all"));
    await bridge.stop();
    await start(toFile("all"));
    await bridge.ready();
    simulator.churn(30);
    await until("what came later is too", () => hasAll("all"));
    expect(new Set(idsIn("all")).size).toBe(idsIn("all").length);
  });

  it("delivers while Nomad is away what the log holds", async () => {
    await start(toFile("first"));
    await bridge.ready();
    await bridge.stop();
    await simulator.close();
    await start(toFile("second"));
    await until("it is delivered", () => hasAll("second"));
    const ready = await fetch(`${bridge.url}/readyz`);
    expect(ready.status).toBe(503);
    expect(await ready.text()).not.toContain("deliver/");
  });

  it("takes another configuration while it runs, and does not begin again what stays", async () => {
    await start(toFile("stays") + toFile("goes"));
    await bridge.ready();
    await until("both have all", async () => (await hasAll("stays")) && (await hasAll("goes")));
    const assignment = async () => {
      const { stdout } = await runCli(["assignments", "--url", bridge.url, "--json"]);
      const { assignments } = JSON.parse(stdout) as { assignments: { assignment: string; since: string }[] };
      return assignments.filter((one) => one.assignment.startsWith("deliver/"));
    };
    const before = await assignment();
    next = configOf(toFile("stays") + toFile("comes"));
    expect(bridge.reload("the test")).toMatchObject({
      destinations: { added: ["comes"], removed: ["goes"], changed: [] },
    });
    await until("the new one has all", () => hasAll("comes"));
    const after = await assignment();
    expect(after.map((one) => one.assignment).toSorted()).toEqual(["deliver/comes", "deliver/stays"]);
    const since = before.find((one) => one.assignment === "deliver/stays")?.since;
    expect(after).toContainEqual(expect.objectContaining({ assignment: "deliver/stays", since }));
    const delivered = idsIn("goes").length;
    simulator.churn(10);
    await until("what stays has all", () => hasAll("stays"));
    expect(idsIn("goes")).toHaveLength(delivered);
    expect((await deliveries()).stdout).toMatch(/^goes +removed/m);
  });
});

describe("people", () => {
  it("see how a delivery goes, with its attempts and times", async () => {
    await start(toFile("all"));
    await bridge.ready();
    await until("all is delivered", () => hasAll("all"));
    await until("it says so", async () => (await shown("all")).lagEvents === 0);
    const list = await deliveries();
    expect(list).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(/^all +delivering +0\.0s +0 +0 +file/m),
    });
    const { stdout } = await deliveries("show", "all");
    for (const line of [
      /^state +delivering$/m,
      new RegExp(`^worker +\\S+/${process.pid}/\\w+$`, "m"),
      /^lag +0 events, 0\.0s$/m,
      new RegExp(`^outcomes +${idsIn("all").length} delivered, 0 parked`, "m"),
      /^commit → picked +\d+\.\d +\d+\.\d$/m,
      /^sent → answered +\d+\.\d +\d+\.\d$/m,
      /^\d{4}-\S+Z {2}ok {2}\d+ ms {2}\d+ events/m,
    ]) {
      expect(stdout).toMatch(line);
    }
    expect((await runCli(["assignments", "--url", bridge.url])).stdout).toMatch(/^deliver\/all .* ok /m);
  });

  it("pause and resume, also over a restart; a pause makes nothing unready", async () => {
    await start(toFile("all"));
    await bridge.ready();
    await until("all is delivered", () => hasAll("all"));
    expect((await deliveries("pause", "all", "--reason", "the disk is moved")).code).toBe(0);
    await until("it is paused", async () => (await shown("all")).state === "paused");
    const delivered = idsIn("all").length;
    await bridge.stop();
    await start(toFile("all"));
    await bridge.ready();
    simulator.churn(20);
    await until("more is in the log", async () => (await idsInLog()).length > delivered);
    const paused = await deliveries();
    expect(paused).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(/^all +paused.*\n {2}the disk is moved$/m),
    });
    expect(idsIn("all")).toHaveLength(delivered);
    expect((await fetch(`${bridge.url}/readyz`)).status).toBe(200);
    await deliveries("resume", "all");
    await until("it has the rest", () => hasAll("all"));
  });

  it("have it send again, from a cursor and since a time", async () => {
    await start(toFile("all"));
    await bridge.ready();
    await until("all is delivered", () => hasAll("all"));
    const all = await idsInLog();
    const { epoch } = await bridge.log.head();
    expect((await deliveries("replay", "all", "--cursor", `${epoch}-${all.length - 3}`)).code).toBe(0);
    const last = all.slice(-3);
    await until("three came again", () => idsIn("all").join() === [...all, ...last].join());
    expect((await deliveries("replay", "all", "--since", "1d")).code).toBe(0);
    await until("all came again", () => idsIn("all").join() === [...all, ...last, ...all].join());
    const future = await deliveries("replay", "all", "--cursor", `${epoch}-999999`);
    expect(future).toMatchObject({ code: 1, stderr: expect.stringContaining("beyond the newest event") });
  });

  it("test a destination, whether it takes what it gets or not", async () => {
    await start(toFile("good") + `  bad:\n    type: file\n    path: ${join(directory, "none", "x.jsonl")}\n`);
    await bridge.ready();
    const good = await deliveries("test", "good");
    expect(good).toMatchObject({ code: 0, stdout: expect.stringContaining(" ok ") });
    await until("it has the test", () => readFileSync(path("good"), "utf8").includes("nomad.feed.test"));
    const bad = await deliveries("test", "bad");
    expect(bad.code).toBe(1);
    expect(bad.stdout + bad.stderr).toContain("none");
    await until("it says that it does not deliver", async () => (await deliveries()).code === 1);
    expect((await fetch(`${bridge.url}/readyz`)).status).toBe(200);
  });
});
