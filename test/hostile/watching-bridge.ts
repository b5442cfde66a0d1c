import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createSimulator, type Simulator } from "../../packages/nomad-simulator/src/index.ts";
import { resolveConfig } from "../../src/config/resolve.ts";
import type { FeedLog } from "../../src/feed/log.ts";
import { silentLogger } from "../../src/telemetry/logger.ts";
import { startBridge, type StartedBridge } from "../support/started-bridge.ts";
import { untilStarted } from "../support/until-started.ts";

/** A bridge that watches the jobs of a simulated Nomad. Its log has room for what others claim of it. */
export class WatchingBridge implements AsyncDisposable {
  readonly #simulator: Simulator;
  readonly #bridge: StartedBridge;
  readonly #directory: string;
  #jobs = 0;

  private constructor(simulator: Simulator, bridge: StartedBridge, directory: string) {
    this.#simulator = simulator;
    this.#bridge = bridge;
    this.#directory = directory;
  }

  static async start(): Promise<WatchingBridge> {
    const simulator = createSimulator({ seed: 1, allocations: 0 });
    const directory = await mkdtemp(join(tmpdir(), "ncf-hostile-"));
    const flags = {
      nomadAddr: await simulator.listen(),
      feed: `sqlite:${join(directory, "feed.db")}`,
      listen: "127.0.0.1:0",
      resources: "jobs",
      namespaces: "default",
    };
    const { config } = resolveConfig({ flags, env: {} });
    const bridge = await startBridge(config, { logger: silentLogger() });
    await bridge.ready();
    await untilStarted(bridge.url);
    return new WatchingBridge(simulator, bridge, directory);
  }

  get log(): FeedLog {
    return this.#bridge.log;
  }

  /** Registers a job. Resolves with the id of its event when the bridge has that in the log. */
  async changed(): Promise<string> {
    let cursor = await this.log.head();
    this.#jobs += 1;
    const key = `job-${this.#jobs}`;
    this.#simulator.cluster.registerJob({ id: key });
    for (;;) {
      assert(await this.log.waitBeyond(cursor.sequence, { timeoutMs: 30_000 }), "the job is in the log");
      const entries = await this.log.read(cursor, { limit: 100 });
      const event = entries.find((entry) => entry.resource === "jobs" && entry.key === key);
      if (event !== undefined) return event.id;
      cursor = { ...cursor, sequence: entries.at(-1)?.sequence ?? cursor.sequence };
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#bridge.stop();
    await this.#simulator.close();
    await rm(this.#directory, { recursive: true, force: true });
  }
}
