import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { createSimulator, type Simulator } from "../../packages/nomad-simulator/src/index.ts";
import { startBridgeProcess, type BridgeProcess } from "../support/bridge-process.ts";
import { checkLog, readLog } from "../support/feed-check.ts";
import { RedisServer, redisMissing } from "../support/redis-server.ts";
import { simulatorTruth } from "../support/simulator-truth.ts";
import { skippedBecause } from "../support/skipped.ts";
import { until } from "../support/until.ts";
import { assignmentsAt } from "../support/worker-watch.ts";

const missing = redisMissing();

describe.skipIf(missing !== undefined)(`workers that share hints${skippedBecause(missing)}`, () => {
  let redis: RedisServer;
  let simulator: Simulator;
  let workers: BridgeProcess[];
  let frames: string;

  beforeEach(async () => {
    redis = await RedisServer.start("--appendonly", "yes");
    simulator = createSimulator({ seed: 11, allocations: 200, namespaces: 2 });
    const nomadAddr = await simulator.listen();
    const flags = [
      "--workers",
      "redis",
      "--worker-timeout",
      "3s",
      "--reading",
      "hinted",
      "--baseline",
      "events",
    ];
    frames = await mkdtemp(join(tmpdir(), "ncf-frames-"));
    workers = [1, 2, 3].map((n) =>
      startBridgeProcess({
        nomadAddr,
        feed: redis.url,
        flags: [...flags, "--max-event-bytes", "10MiB", "--record-frames", join(frames, `${n}.ndjson`)],
      }),
    );
  });
  afterEach(async () => {
    await Promise.all(workers.map((worker) => worker.kill()));
    await simulator.close();
    await rm(frames, { recursive: true });
    await redis[Symbol.asyncDispose]();
  });

  const of = (worker: BridgeProcess, name: string | null) => name?.split("/")[1] === String(worker.child.pid);
  /** Waits until these do all there is to do, and each reads by hints; answers who does what. */
  const allHinted = (those: readonly BridgeProcess[]) =>
    until("each reads by hints", async () => {
      const found = await assignmentsAt((await those[0]?.url()) ?? "");
      const held = found.every(({ worker }) => those.some((each) => of(each, worker)));
      const hinted = found.filter(({ reading }) => reading === "hinted");
      const each = those.every((worker) => hinted.some((assignment) => of(worker, assignment.worker)));
      return found.length > 6 && held && each && simulator.subscriptions === 1 && found;
    });
  const caughtUp = () =>
    until("the log is what the cluster has", async () => {
      const verdict = checkLog(await readLog({ kind: "redis", url: redis.url }), simulatorTruth(simulator));
      return verdict.lost.length === 0 && verdict;
    });
  /** Scopes of which an event was seen by a hint, after so many events. */
  const seenByHints = async (after: number) => {
    const events = (await readLog({ kind: "redis", url: redis.url })).slice(after);
    const hinted = events.filter(
      ({ data }) => (data["observed"] as { via?: string } | undefined)?.via === "hint",
    );
    return new Set(hinted.map(({ subject }) => subject.split("/").slice(0, 2).join("/")));
  };

  it("follow one event stream, whose hints reach the scopes of all; another follows it when that worker is killed", async () => {
    const before = await allHinted(workers);
    expect(before.find(({ assignment }) => assignment === "hints")).toMatchObject({
      state: "held",
      reason: null,
    });
    const logged = (await readLog({ kind: "redis", url: redis.url })).length;
    await until("changes of each worker's scopes are seen by hints", async () => {
      simulator.churn(20);
      const seen = await seenByHints(logged);
      return workers.every((worker) =>
        before.some((assignment) => of(worker, assignment.worker) && seen.has(assignment.assignment)),
      );
    });

    // Whoever follows the stream records it.
    const [file, ...others] = await readdir(frames);
    expect(others).toEqual([]);
    const recorded = (await readFile(join(frames, file ?? ""), "utf8")).trimEnd().split("\n");
    const frame = { Index: expect.any(Number), Events: expect.any(Array) };
    expect(recorded.map((line) => JSON.parse(line) as unknown)).toEqual(recorded.map(() => frame));

    const dead = workers.find((worker) =>
      before.some(({ assignment, worker: name }) => assignment === "hints" && of(worker, name)),
    );
    await dead?.kill();
    simulator.churn(100);
    const left = workers.filter((worker) => worker !== dead);
    await allHinted(left);
    simulator.churn(100);
    expect(await caughtUp()).toMatchObject({ lost: [], duplicated: [], outOfOrder: [] });
    expect(simulator.subscriptions).toBe(1);
  });
});
