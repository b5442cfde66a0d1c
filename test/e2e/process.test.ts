import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { createSimulator, type Simulator } from "../../packages/nomad-simulator/src/index.ts";
import { startBridgeProcess, type BridgeProcess } from "../support/bridge-process.ts";
import { checkLog, readLog } from "../support/feed-check.ts";
import { own } from "../support/own-processes.ts";
import { simulatorTruth } from "../support/simulator-truth.ts";
import { until } from "../support/until.ts";

describe("the bridge as a process", () => {
  let directory: string;
  let file: string;
  let simulator: Simulator;
  let bridges: BridgeProcess[];

  const start = (
    nomadAddr: string,
    more: { env?: Record<string, string>; flags?: string[] } = {},
  ): BridgeProcess => {
    const { env = {}, flags = [] } = more;
    const all = ["--baseline", "events", "--max-event-bytes", "10MiB", ...flags];
    const bridge = startBridgeProcess({ nomadAddr, feed: `sqlite:${file}`, flags: all, env });
    bridges.push(bridge);
    return bridge;
  };
  const caughtUp = () =>
    until("the log is what the cluster has", async () => {
      const verdict = checkLog(await readLog(file), simulatorTruth(simulator));
      return verdict.lost.length === 0 && verdict;
    });

  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), "ncf-process-"));
    file = join(directory, "feed.db");
    simulator = createSimulator({ seed: 4, allocations: 40 });
    bridges = [];
  });

  afterEach(async () => {
    await Promise.all(bridges.map((bridge) => bridge.kill()));
    await simulator.close();
    await rm(directory, { recursive: true, force: true });
  });

  it("ends at Ctrl-C with a subscriber connected, says so, and has everything in the log", async () => {
    const bridge = start(await simulator.listen());
    await bridge.ready();
    const url = await bridge.url();
    const response = await fetch(`${url}/v1/events`, { headers: { accept: "application/x-ndjson" } });
    const body = response.text();
    simulator.churn(50);
    await caughtUp();
    expect(await bridge.stop()).toBe(0);
    expect(bridge.lines.at(-1)?.msg).toContain("everything that was seen is in the log");
    const modules = new Map(bridge.lines.map(({ msg, module }) => [msg, module]));
    expect(modules.get("subscription ended")).toBe("http");
    expect(modules.get("connected to Nomad; watching it")).toBe("nomad");
    const lines = (await body).trim().split("\n");
    expect(JSON.parse(lines.at(-1) ?? "")).toMatchObject({
      type: "nomad.feed.error",
      data: { code: "GOING_AWAY" },
    });
  });

  it("ends at once at the second Ctrl-C, whatever still runs", async () => {
    const io = new URL("../../src/commands/io.ts", import.meta.url).href;
    const stubborn = `import { processIo } from ${JSON.stringify(io)};
      const { signal } = processIo({ mayReload: false, cameEarly: false });
      signal.addEventListener("abort", () => console.log("asked"));
      setInterval(() => {}, 1000);
      console.log("up");`;
    const child = own(
      spawn(process.execPath, ["--input-type=module", "-e", stubborn], {
        stdio: ["ignore", "pipe", "inherit"],
      }),
      "program",
    );
    let said = "";
    child.stdout.on("data", (chunk: Buffer) => (said += chunk.toString()));
    const exited = once(child, "exit");
    await until("it runs", () => said.includes("up"));
    child.kill("SIGINT");
    await until("it was asked", () => said.includes("asked"));
    expect(child.exitCode).toBeNull();
    child.kill("SIGINT");
    expect(await exited).toEqual([1, null]);
  });

  it("is refused a log that another process writes, and the other goes on", async () => {
    const address = await simulator.listen();
    const first = start(address);
    await first.ready();
    const second = start(address);
    expect(await second.exited).toBe(1);
    const said = second.lines.map((line) => line.msg).join("\n");
    expect(said).toContain(file);
    expect(said).toContain(String(first.child.pid));
    simulator.churn(20);
    expect(await caughtUp()).toMatchObject({ lost: [], duplicated: [], outOfOrder: [] });
  });

  it("waits for a Nomad that is not there, in one clear line that names the demo", async () => {
    const free = createServer().listen(0, "127.0.0.1");
    await once(free, "listening");
    const address = free.address();
    const port = typeof address === "object" && address !== null ? address.port : 0;
    free.close();
    await once(free, "close");
    const bridge = start(`http://127.0.0.1:${port}`);
    await until("it says so", () => bridge.lines.some((line) => line.msg.includes("demo")));
    await simulator.listen({ port });
    await bridge.ready();
    expect(bridge.lines.filter((line) => line.level === "warn" || line.level === "error")).toHaveLength(1);
    expect(await caughtUp()).toMatchObject({ lost: [] });
  });

  it("serves its log while Nomad is away", async () => {
    const bridge = start(await simulator.listen());
    await bridge.ready();
    await bridge.stop();
    const before = await readLog(file);
    await simulator.close();
    const again = start("http://127.0.0.1:9");
    const response = await fetch(`${await again.url()}/v1/events?limit=1000`);
    const events = (await response.json()) as { id: string }[];
    expect(events.map((event) => event.id)).toEqual(before.map((event) => event.id));
    expect((await fetch(`${await again.url()}/readyz`)).status).toBe(503);
  });

  it("writes no token into its log, not even when it is refused", async () => {
    const secret = "5ec2e700-dead-beef-cafe-0123456789ab";
    const guarded = createSimulator({ seed: 4, allocations: 10, acl: true });
    try {
      const bridge = start(await guarded.listen(), {
        env: { NOMAD_TOKEN: secret },
        flags: ["--nomad-region", "global"],
      });
      await until("it is refused", () => bridge.lines.some((line) => line["code"] === "NOMAD_FORBIDDEN"));
      expect(bridge.log()).not.toContain(secret);
    } finally {
      await guarded.close();
    }
  });

  it("refuses another program's file and leaves it as it is", async () => {
    file = new URL("../../package.json", import.meta.url).pathname;
    const bridge = start(await simulator.listen());
    expect(await bridge.exited).toBe(1);
    expect(bridge.lines.map((line) => line.msg).join("\n")).toContain("package.json");
  });

  it("ends where it cannot listen, though Nomad is still awaited", async () => {
    // An address for documentation, which no machine has.
    const flags = ["--listen", "192.0.2.1:0", "--insecure-no-auth", "--nomad-region", "global"];
    const bridge = start("http://127.0.0.1:9", { flags });
    expect(await bridge.exited).toBe(2);
    expect(bridge.log()).toContain("192.0.2.1");
  });
});
