import { describe, expect, test } from "vitest";
import { createSimulator } from "../../packages/nomad-simulator/src/index.ts";
import { startBridgeProcess } from "../support/bridge-process.ts";
import { CHAOS_FLAGS } from "../support/chaos-subject.ts";
import { checkLog, readLog, settledVerdict } from "../support/feed-check.ts";
import { startCluster } from "../support/redis-cluster.ts";
import { redisMissing } from "../support/redis-server.ts";
import { simulatorTruth } from "../support/simulator-truth.ts";
import { skippedBecause } from "../support/skipped.ts";
import { until } from "../support/until.ts";
import { seesAllWatched } from "../support/worker-watch.ts";

const missing = redisMissing();

describe.skipIf(missing !== undefined)(
  `workers that share a log in a Redis cluster${skippedBecause(missing)}`,
  () => {
    test("go on when the master of their slot is killed: all is watched again, and the log tells it all", async () => {
      await using cluster = await startCluster("--appendonly", "yes");
      const simulator = createSimulator({ seed: 6, allocations: 60, namespaces: 2, leaderHoldMs: 100 });
      const nomadAddr = await simulator.listen();
      const url = `${cluster.url}?feed=workers`;
      const workers = [1, 2].map(() =>
        startBridgeProcess({
          nomadAddr,
          feed: url,
          flags: [...CHAOS_FLAGS, "--workers", "redis", "--worker-timeout", "3s"],
        }),
      );
      const allWatched = () =>
        until("all is watched", async () => (await Promise.all(workers.map(seesAllWatched))).every(Boolean));
      try {
        await allWatched();
        simulator.start({ changesPerSecond: 40 });
        const key = "ncf:{workers}:meta";
        const before = await cluster.masterOf(key);
        await before.kill();
        await until("a replica has taken over", async () => (await cluster.masterOf(key)) !== before);
        const changes = simulator.journal.entries.length;
        await until("changes go on", () => simulator.journal.entries.length > changes + 100);
        simulator.stop();
        await allWatched();
        const verdict = await settledVerdict(async () =>
          checkLog(await readLog({ kind: "redis", url }), simulatorTruth(simulator)),
        );
        expect(verdict).toMatchObject({ lost: [], duplicated: [], outOfOrder: [] });
      } finally {
        await Promise.all(workers.map((worker) => worker.kill()));
        await simulator.close();
      }
    });
  },
);
