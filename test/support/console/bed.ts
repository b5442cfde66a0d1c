import { createServer } from "node:net";
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  createSimulator,
  type Simulator,
  type SimulatorOptions,
} from "../../../packages/nomad-simulator/src/index.ts";
import type { Config } from "../../../src/config/config.ts";
import { resolveConfig } from "../../../src/config/resolve.ts";
import { silentLogger } from "../../../src/telemetry/logger.ts";
import { startBridge, type StartedBridge } from "../started-bridge.ts";

export interface ConsoleBedOptions {
  readonly simulator?: SimulatorOptions;
  /** More flags of `run`, by option name. */
  readonly flags?: Readonly<Record<string, string>>;
  /** Of the tokens file; with them everybody is asked for a token. */
  readonly tokens?: string;
}

/** A simulated cluster, and a bridge that serves the console to browsers, always at the same address. */
export class ConsoleBed implements AsyncDisposable {
  readonly simulator: Simulator;
  readonly url: string;
  readonly #config: Config;
  readonly #consoleFolder: string;
  readonly #directory: string;
  #bridge: StartedBridge | undefined;

  private constructor(simulator: Simulator, config: Config, consoleFolder: string, directory: string) {
    this.simulator = simulator;
    this.#config = config;
    this.#consoleFolder = consoleFolder;
    this.#directory = directory;
    this.url = `http://${config.listen.host}:${config.listen.port}`;
  }

  /** Resolves when every scope has its baseline. */
  static async start(consoleFolder: string, options: ConsoleBedOptions = {}): Promise<ConsoleBed> {
    const directory = await mkdtemp(join(tmpdir(), "ncf-console-bed-"));
    const simulator = createSimulator({ seed: 1, allocations: 60, namespaces: 2, ...options.simulator });
    const tokens = join(directory, "tokens.yaml");
    if (options.tokens !== undefined) await writeFile(tokens, options.tokens, { mode: 0o600 });
    const { config } = resolveConfig({
      flags: {
        nomadAddr: await simulator.listen(),
        feed: `sqlite:${join(directory, "feed.db")}`,
        listen: `127.0.0.1:${await freePort()}`,
        cluster: "prod",
        baseline: "events",
        wait: "1s",
        ...(options.tokens !== undefined && { auth: "tokens", authTokensFile: tokens }),
        ...options.flags,
      },
      env: {},
    });
    const bed = new ConsoleBed(simulator, config, consoleFolder, directory);
    await bed.startBridge();
    return bed;
  }

  get bridge(): StartedBridge {
    if (this.#bridge === undefined) throw new Error("the bridge is stopped");
    return this.#bridge;
  }

  /** After `stopBridge`: another one on the same log, at the same address. */
  async startBridge(): Promise<void> {
    const overrides = { logger: silentLogger(), consoleFolder: this.#consoleFolder };
    this.#bridge = await startBridge(this.#config, overrides);
    await this.#bridge.ready();
  }

  /** While the bridge is stopped: its log is lost, and the next one begins a new history. */
  async loseLog(): Promise<void> {
    for (const end of ["", "-wal", "-shm"]) await rm(join(this.#directory, `feed.db${end}`), { force: true });
  }

  async stopBridge(): Promise<void> {
    await this.#bridge?.stop();
    this.#bridge = undefined;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stopBridge();
    await this.simulator.close();
    await rm(this.#directory, { recursive: true, force: true });
  }
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  return port;
}
