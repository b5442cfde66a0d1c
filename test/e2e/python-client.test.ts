import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { createSimulator, type Simulator } from "../../packages/nomad-simulator/src/index.ts";
import { equalJson, objectOf, parseExact, type Json } from "../../src/schemas/json.ts";
import { startBridgeProcess, type BridgeProcess } from "../support/bridge-process.ts";
import { checkLog, parseEvent, readLog } from "../support/feed-check.ts";
import { killed, own } from "../support/own-processes.ts";
import { PYTHON, pythonLacks } from "../support/python.ts";
import { simulatorTruth } from "../support/simulator-truth.ts";
import { skippedBecause } from "../support/skipped.ts";
import { until } from "../support/until.ts";

const LACKS = pythonLacks("websockets.asyncio.client");
const FOLLOW = join(import.meta.dirname, "../../clients/python/tests/follow.py");

/** clients/python/tests/follow.py: what it was given, and what it holds. */
class Follower {
  readonly events: string[] = [];
  readonly child: ChildProcess;
  #state: Map<string, Json> | undefined;
  #isStateNext = false;

  constructor(url: string) {
    const env = { PATH: process.env["PATH"] ?? "", PYTHONDONTWRITEBYTECODE: "1" };
    const child = own(spawn(PYTHON, [FOLLOW, url], { stdio: ["pipe", "pipe", "inherit"], env }), "follow.py");
    createInterface({ input: child.stdout }).on("line", (line) => this.#take(line));
    this.child = child;
  }

  /** Nomad's objects as the client holds them, every digit. */
  async state(): Promise<Map<string, Json>> {
    this.#state = undefined;
    this.child.stdin?.write("\n");
    return until("the state is told", () => this.#state);
  }

  async end(): Promise<unknown> {
    this.child.stdin?.end();
    const [code] = (await once(this.child, "exit")) as unknown[];
    return code;
  }

  #take(line: string): void {
    if (this.#isStateNext) this.#state = new Map(Object.entries(objectOf(parseExact(line))));
    else if (line !== "") this.events.push(line);
    this.#isStateNext = line === "";
  }
}

describe.skipIf(LACKS !== undefined)(`the Python client beside a bridge${skippedBecause(LACKS)}`, () => {
  let directory: string;
  let file: string;
  let simulator: Simulator;
  let bridge: BridgeProcess | undefined;
  let follower: Follower | undefined;

  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), "ncf-python-"));
    file = join(directory, "feed.db");
    simulator = createSimulator({ seed: 11, allocations: 40 });
  });
  afterEach(async () => {
    await killed(follower?.child);
    await bridge?.kill();
    await simulator.close();
    await rm(directory, { recursive: true, force: true });
  });

  const isInLog = () =>
    until("the log is what the cluster has", async () => {
      const seen = await readLog(file);
      return checkLog(seen, simulatorTruth(simulator)).lost.length === 0 && seen;
    });

  it("has every event once and the cluster's state, though the bridge is killed again and again", async () => {
    const nomadAddr = await simulator.listen();
    const start = (listen: string) =>
      startBridgeProcess({
        nomadAddr,
        feed: `sqlite:${file}`,
        flags: ["--listen", listen, "--baseline", "events", "--wait", "1s"],
      });
    bridge = start("127.0.0.1:0");
    await bridge.ready();
    const url = await bridge.url();
    follower = new Follower(url);
    const { events } = follower;
    for (let kill = 1; kill <= 2; kill += 1) {
      const before = events.length;
      simulator.churn(150);
      // It dies while it has more to say.
      await until("some of them came", () => events.length > before);
      await bridge.kill();
      simulator.churn(20);
      bridge = start(new URL(url).host);
      await bridge.ready();
    }
    const log = await isInLog();
    await until("all of them came", () => events.length >= log.length);
    expect(events.map((text) => parseEvent(text).sequence)).toEqual(log.map(({ sequence }) => sequence));
    expect(new Set(events.map((text) => parseEvent(text).id)).size).toBe(log.length);
    expect(log.length).toBeGreaterThan(300);

    const truth = simulatorTruth(simulator);
    const client = follower;
    await until("the state is the cluster's", async () => {
      const state = await client.state();
      return (
        state.size === truth.size &&
        [...truth].every(([subject, stub]) => equalJson(state.get(subject) ?? null, stub))
      );
    });
    expect(truth.size).toBeGreaterThan(60);
    expect(await client.end()).toBe(0);
  });
});
