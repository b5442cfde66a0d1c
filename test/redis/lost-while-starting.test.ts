import { describe, it } from "vitest";
import { CHECK } from "../../src/feed/redis/log-scripts.ts";
import { createSimulator } from "../../packages/nomad-simulator/src/index.ts";
import { startBridgeProcess } from "../support/bridge-process.ts";
import { redisMissing, RedisServer } from "../support/redis-server.ts";
import { skippedBecause } from "../support/skipped.ts";
import { TcpProxy } from "../support/tcp-proxy.ts";
import { until } from "../support/until.ts";

const missing = redisMissing();

describe.skipIf(missing !== undefined)(`a bridge that starts${skippedBecause(missing)}`, () => {
  it("serves, and goes on, where Redis goes away just after the log was opened", async () => {
    await using redis = await RedisServer.start();
    await using proxy = await TcpProxy.to(redis.port);
    const simulator = createSimulator({ allocations: 20 });
    const nomadAddr = await simulator.listen();
    // The first check opens the log.
    proxy.at(CHECK.sha, () => proxy.cut(), 1);
    const bridge = startBridgeProcess({ nomadAddr, feed: `redis://127.0.0.1:${proxy.port}` });
    try {
      await bridge.url();
      await until("it notices", () => bridge.log().includes("lost the connection to Redis; retrying"));
      proxy.mend();
      await bridge.ready();
    } finally {
      await bridge.kill();
      await simulator.close();
    }
  });
});
