import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { startBridge, type StartedBridge } from "./started-bridge.ts";
import type { Config } from "../../src/config/config.ts";
import { resolveConfig } from "../../src/config/resolve.ts";
import {
  createSimulator,
  type Simulator,
  type SimulatorOptions,
} from "../../packages/nomad-simulator/src/index.ts";
import { silentLogger } from "../../src/telemetry/logger.ts";
import { checkLog, readLog, settledVerdict, type SeenEvent, type Verdict } from "./feed-check.ts";
import { falseDeletes, simulatorTruth, type SeenAs } from "./simulator-truth.ts";
import { until } from "./until.ts";

export interface WatchOptions {
  readonly simulator?: SimulatorOptions;
  /** More flags of `run`, by option name: `{ nomadToken: "…" }`. */
  readonly flags?: Readonly<Record<string, string>>;
}

/** A simulated cluster and a bridge that watches it, in this process: the log is a real file. */
export class WatchedCluster {
  readonly simulator: Simulator;
  readonly file: string;
  readonly #config: Config;
  readonly #directory: string;
  readonly #seenAs: SeenAs;
  #bridge: StartedBridge;

  constructor(simulator: Simulator, bridge: StartedBridge, config: Config, directory: string, file: string) {
    this.simulator = simulator;
    this.#bridge = bridge;
    this.#config = config;
    this.#directory = directory;
    const { managementToken } = simulator;
    const isManagement = managementToken?.secretId === config.nomad.token;
    this.#seenAs = { hidesLeftovers: managementToken !== undefined && !isManagement };
    this.file = file;
  }

  get bridge(): StartedBridge {
    return this.#bridge;
  }

  /** Starts a bridge on the same log after the first one was stopped. */
  async startAgain(): Promise<void> {
    this.#bridge = await readyBridge(this.#config);
  }

  events(): Promise<SeenEvent[]> {
    return readLog(this.file);
  }

  async verdict(): Promise<Verdict> {
    return checkLog(await this.events(), simulatorTruth(this.simulator, this.#seenAs));
  }

  /** Waits until the folded log is what the cluster has; answers the verdict. Rejects with what differs. */
  async settled(): Promise<Verdict> {
    const verdict = await settledVerdict(() => this.verdict());
    if (verdict.lost.length === 0) return verdict;
    throw new Error(`the feed did not catch up: ${verdict.lost.slice(0, 5).join("; ")}`);
  }

  /** Waits until Nomad was asked so many times more, whatever came of it. */
  async polls(more: number): Promise<void> {
    const answered = async (): Promise<number> => {
      // The server may just be ending the connection that was kept from the last time.
      const asked = () => fetch(`${this.bridge.url}/metrics`).then((response) => response.text());
      const text = await asked().catch(asked);
      const counts = [...text.matchAll(/^nomad_changefeed_polls_total\{.*\} (\d+)$/gm)].map((match) =>
        Number(match[1]),
      );
      return counts.reduce((sum, count) => sum + count, 0);
    };
    const before = await answered();
    await until(`${more} more polls`, async () => (await answered()) >= before + more);
  }

  /** The first event that passes; waits for it. */
  seen(what: string, test: (event: SeenEvent) => boolean): Promise<SeenEvent> {
    return until(what, async () => (await this.events()).find(test));
  }

  async falseDeletes(): Promise<string[]> {
    return falseDeletes(this.simulator, await this.events(), this.#seenAs);
  }

  async close(): Promise<void> {
    await this.bridge.stop();
    await this.simulator.close();
    await rm(this.#directory, { recursive: true, force: true });
  }
}

/** Resolves when every scope has its baseline. */
export async function watchCluster(options: WatchOptions = {}): Promise<WatchedCluster> {
  const simulator = createSimulator({
    seed: 1,
    allocations: 60,
    namespaces: 2,
    leaderHoldMs: 100,
    ...options.simulator,
  });
  return watchSimulator(simulator, options.flags);
}

/** The same for a simulator that the test has prepared. */
export async function watchSimulator(
  simulator: Simulator,
  flags: Readonly<Record<string, string>> = {},
): Promise<WatchedCluster> {
  const directory = await mkdtemp(join(tmpdir(), "ncf-e2e-"));
  const file = join(directory, "feed.db");
  const { config } = resolveConfig({
    flags: {
      nomadAddr: await simulator.listen(),
      feed: `sqlite:${file}`,
      listen: "127.0.0.1:0",
      baseline: "events",
      maxEventBytes: "10MiB",
      // A restore leaves queries asleep until their wait ends.
      wait: "1s",
      ...flags,
    },
    env: {},
  });
  return new WatchedCluster(simulator, await readyBridge(config), config, directory, file);
}

async function readyBridge(config: Config): Promise<StartedBridge> {
  const bridge = await startBridge(config, { logger: silentLogger(), signal: new AbortController().signal });
  await bridge.ready();
  return bridge;
}
