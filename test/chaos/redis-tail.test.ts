import { describe, expect, it } from "vitest";
import { createSimulator } from "../../packages/nomad-simulator/src/index.ts";
import { startBridgeProcess } from "../support/bridge-process.ts";
import { CHAOS_FLAGS } from "../support/chaos-subject.ts";
import { checkLog, readLog, type SeenEvent, type Verdict } from "../support/feed-check.ts";
import { redisMissing, RedisServer } from "../support/redis-server.ts";
import { simulatorTruth } from "../support/simulator-truth.ts";
import { skippedBecause } from "../support/skipped.ts";
import { until } from "../support/until.ts";

const missing = redisMissing();

describe.skipIf(missing !== undefined)(
  `a Redis that comes back without its newest writes${skippedBecause(missing)}`,
  () => {
    it.each([
      ["one bridge", 1, []],
      ["two workers", 2, ["--workers", "redis"]],
    ] as const)(
      "%s: the feed says so, and what was lost is derived from Nomad again",
      async (_, count, flags) => {
        await using redis = await RedisServer.start();
        const simulator = createSimulator({ seed: 4, allocations: 60, namespaces: 2, leaderHoldMs: 100 });
        const nomadAddr = await simulator.listen();
        const feed = `${redis.url}?feed=tail`;
        const bridges = Array.from({ length: count }, () =>
          startBridgeProcess({ nomadAddr, feed, flags: [...CHAOS_FLAGS, ...flags] }),
        );
        const read = (): Promise<SeenEvent[]> => readLog({ kind: "redis", url: feed });
        const settled = (): Promise<{ verdict: Verdict; events: SeenEvent[] }> =>
          until("the folded log is what the cluster has", async () => {
            const events = await read().catch(() => []);
            const verdict = checkLog(events, simulatorTruth(simulator));
            return verdict.lost.length === 0 && { verdict, events };
          });
        const churn = async (): Promise<void> => {
          const before = simulator.journal.entries.length;
          simulator.start({ changesPerSecond: 60 });
          await until("enough changes", () => simulator.journal.entries.length > before + 150);
          simulator.stop();
        };
        try {
          await Promise.all(bridges.map((bridge) => bridge.ready()));
          await churn();
          const saved = await settled();
          const client = redis.client();
          await client.save();
          client.disconnect();
          await churn();
          const lost = (await settled()).events.length - saved.events.length;
          expect(lost).toBeGreaterThan(10);
          await redis.kill();
          await redis.start();
          // Nothing changes in Nomad from here on: the scopes have to look by themselves.
          const after = await settled();
          expect(after.verdict).toMatchObject({ duplicated: [], outOfOrder: [] });
          const epochs = after.events.filter(({ type }) => type === "nomad.feed.epoch");
          expect(epochs).toHaveLength(1);
          expect(epochs[0]).toMatchObject({ severity: "ERROR", subject: "feed" });
        } finally {
          await Promise.all(bridges.map((bridge) => bridge.kill()));
          await simulator.close();
        }
      },
    );
  },
);
