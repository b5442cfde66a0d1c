import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Random } from "../../packages/nomad-simulator/src/random.ts";
import { startBridgeProcess } from "./bridge-process.ts";
import type { ChaosSubject } from "./chaos-subject.ts";
import type { Traces } from "./chaos-traces.ts";
import { readLog, type SeenEvent } from "./feed-check.ts";
import { RestartedBridge } from "./restarted-bridge.ts";

/** One bridge with its log in a file, that is killed or stopped, and started again. */
export class ChaosBridge implements ChaosSubject {
  readonly harmPercent = 10;
  readonly takeoversMs: readonly number[] = [];
  readonly #directory: string;
  readonly #bridge: RestartedBridge;
  #nomadAddr = "";

  private constructor(directory: string, flags: readonly string[]) {
    this.#directory = directory;
    this.#bridge = new RestartedBridge(() =>
      startBridgeProcess({ nomadAddr: this.#nomadAddr, feed: `sqlite:${this.#file}`, flags }),
    );
  }

  static async create(flags: readonly string[]): Promise<ChaosBridge> {
    return new ChaosBridge(await mkdtemp(join(tmpdir(), "ncf-chaos-")), flags);
  }

  get restarts(): number {
    return this.#bridge.restarts;
  }

  async start(nomadAddr: string): Promise<void> {
    this.#nomadAddr = nomadAddr;
    await this.#bridge.start();
  }

  harm(random: Random): Promise<string> {
    return this.#bridge.harm(random);
  }

  async calm(): Promise<void> {
    // It was started again after every harm.
  }

  events(): Promise<SeenEvent[]> {
    return readLog(this.#file);
  }

  traces(): Promise<Traces> {
    return this.#bridge.traces();
  }

  async close(): Promise<void> {
    await this.#bridge.close();
    await rm(this.#directory, { recursive: true, force: true });
  }

  get #file(): string {
    return join(this.#directory, "feed.db");
  }
}
