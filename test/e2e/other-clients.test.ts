import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createSimulator, type Simulator } from "../../packages/nomad-simulator/src/index.ts";
import { equalJson } from "../../src/schemas/json.ts";
import { startBridgeProcess, type BridgeProcess } from "../support/bridge-process.ts";
import { checkLog, parseEvent, readLog, type SeenEvent } from "../support/feed-check.ts";
import { FollowingClient } from "../support/following-client.ts";
import { buildGoProgram, goProgram } from "../support/go-program.ts";
import { killed } from "../support/own-processes.ts";
import { PYTHON, pythonLacks } from "../support/python.ts";
import { simulatorTruth } from "../support/simulator-truth.ts";
import { skippedBecause } from "../support/skipped.ts";
import { until } from "../support/until.ts";

const CLIENTS: readonly {
  name: string;
  lacks: string | undefined;
  command: readonly [string, ...string[]];
}[] = [
  {
    name: "Python",
    lacks: pythonLacks("websockets.asyncio.client"),
    command: [PYTHON, join(import.meta.dirname, "../../clients/python/tests/follow.py")],
  },
  {
    name: "Go",
    lacks: buildGoProgram("go-client-follow").lacks,
    command: [goProgram("go-client-follow")],
  },
];
const PRESENT = CLIENTS.filter(({ lacks }) => lacks === undefined);

describe.skipIf(PRESENT.length === 0)("clients in other languages, beside one bridge", () => {
  let directory: string;
  let file: string;
  let simulator: Simulator;
  let bridge: BridgeProcess | undefined;
  const followers = new Map<string, FollowingClient>();
  let log: SeenEvent[];

  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), "ncf-clients-"));
    file = join(directory, "feed.db");
    simulator = createSimulator({ seed: 11, allocations: 40 });
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
    for (const { name, command } of PRESENT) followers.set(name, new FollowingClient(url, command));
    const counts = () => [...followers.values()].map(({ events }) => events.length);
    for (let kill = 1; kill <= 2; kill += 1) {
      const before = counts();
      simulator.churn(150);
      // It dies while it has more to say.
      await until("some of them came to each", () =>
        counts().every((count, at) => count > (before[at] ?? 0)),
      );
      await bridge.kill();
      simulator.churn(20);
      bridge = start(new URL(url).host);
      await bridge.ready();
    }
    log = await until("the log is what the cluster has", async () => {
      const seen = await readLog(file);
      return checkLog(seen, simulatorTruth(simulator)).lost.length === 0 && seen;
    });
  });
  afterAll(async () => {
    for (const { child } of followers.values()) await killed(child);
    await bridge?.kill();
    await simulator.close();
    await rm(directory, { recursive: true, force: true });
  });

  describe.each(CLIENTS)("in $name", ({ name, lacks }) => {
    it.skipIf(lacks !== undefined)(
      `has every event once and the cluster's state, though the bridge is killed again and again${skippedBecause(lacks)}`,
      async () => {
        const client = followers.get(name) as FollowingClient;
        const { events } = client;
        await until("all of them came", () => events.length >= log.length);
        expect(events.map((text) => parseEvent(text).sequence)).toEqual(log.map(({ sequence }) => sequence));
        expect(new Set(events.map((text) => parseEvent(text).id)).size).toBe(log.length);

        const truth = simulatorTruth(simulator);
        expect(log.length).toBeGreaterThan(truth.size);
        await until("the state is the cluster's", async () => {
          const state = await client.state();
          return (
            state.size === truth.size &&
            [...truth].every(([subject, stub]) => equalJson(state.get(subject) ?? null, stub))
          );
        });
        expect(truth.size).toBeGreaterThan(60);
        expect(await client.end()).toBe(0);
      },
    );
  });
});
