import { expect, test } from "vitest";
import { createSimulator } from "../../packages/nomad-simulator/src/index.ts";
import { startBridgeProcess } from "../support/bridge-process.ts";
import { CHAOS_FLAGS } from "../support/chaos-subject.ts";
import { checkLog, readLog, settledVerdict } from "../support/feed-check.ts";
import { redisMissing, RedisServer } from "../support/redis-server.ts";
import { simulatorTruth } from "../support/simulator-truth.ts";
import { skippedBecause } from "../support/skipped.ts";
import { until } from "../support/until.ts";
import { WebSocketClient } from "../support/websocket-client.ts";

const missing = redisMissing();

test.skipIf(missing !== undefined)(
  `a password that is changed and changed back is told once, answered with 503, and loses nothing${skippedBecause(missing)}`,
  async () => {
    await using redis = await RedisServer.start("--appendonly", "yes");
    const operator = redis.client();
    const feedUser = (...rules: string[]) => operator.call("ACL", "SETUSER", "feed", ...rules);
    await feedUser("on", ">old", "~*", "&*", "+@all");
    const simulator = createSimulator({ seed: 8, allocations: 40, namespaces: 3, leaderHoldMs: 100 });
    const url = redis.url.replace("//", "//feed:old@");
    const bridge = startBridgeProcess({
      nomadAddr: await simulator.listen(),
      feed: url,
      flags: CHAOS_FLAGS,
    });
    try {
      await bridge.ready();
      simulator.start({ changesPerSecond: 20 });
      const address = `${await bridge.url()}/v1/events`;
      const stream = await WebSocketClient.connect(address);
      const before = bridge.lines.length;

      await feedUser("resetpass", ">new");
      await operator.call("CLIENT", "KILL", "USER", "feed");
      expect((await stream.until(() => false)).at(-1)).toMatchObject({ data: { code: "LOG_UNAVAILABLE" } });
      const paused = () => bridge.lines.slice(before).filter(({ msg }) => msg.startsWith("paused"));
      await until("many scopes have tried", () => new Set(paused().map(({ scope }) => scope)).size > 5);
      for (let tries = 0; tries < 3; tries += 1) {
        const answer = await fetch(address);
        expect([answer.status, await answer.json()]).toMatchObject([503, { code: "LOG_UNAVAILABLE" }]);
      }
      await feedUser("resetpass", ">old");
      await until("the feed is back", async () => (await fetch(address)).status === 200);

      const lines = bridge.lines.slice(before);
      expect(lines.filter(({ level }) => level === "error").map(({ msg }) => msg)).toEqual([
        "Redis refuses the credentials; retrying",
      ]);
      const warnings = lines.filter(({ level }) => level === "warn").map(({ msg }) => msg);
      // A command that was under way when the connection was cut is told first.
      const consequences = warnings.filter((msg) => !msg.startsWith("lost the connection to Redis"));
      expect(consequences).toEqual([
        expect.stringMatching(/^paused, nothing is lost: Redis .* refuses access/),
      ]);
      simulator.stop();
      const verdict = await settledVerdict(async () =>
        checkLog(await readLog({ kind: "redis", url }), simulatorTruth(simulator)),
      );
      expect(verdict).toMatchObject({ lost: [], duplicated: [], outOfOrder: [] });
    } finally {
      operator.disconnect();
      await bridge.kill();
      await simulator.close();
    }
  },
);
