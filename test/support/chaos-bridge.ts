import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import type { Random } from "../../packages/nomad-simulator/src/random.ts";
import { startBridgeProcess, type BridgeProcess } from "./bridge-process.ts";
import type { ChaosSubject } from "./chaos-subject.ts";
import { StartedProcesses, type Traces } from "./chaos-traces.ts";
import { readLog, type SeenEvent } from "./feed-check.ts";
import { WorkerPlace } from "./worker-place.ts";

/** One bridge with its log in a file, that is killed or stopped, and started again. */
export class ChaosBridge implements ChaosSubject {
  readonly harmPercent = 10;
  readonly takeoversMs: readonly number[] = [];
  restarts = 0;
  readonly #directory: string;
  readonly #flags: readonly string[];
  readonly #place: WorkerPlace<BridgeProcess>;
  readonly #started = new StartedProcesses();
  #nomadAddr = "";

  private constructor(directory: string, flags: readonly string[]) {
    this.#directory = directory;
    this.#flags = flags;
    this.#place = new WorkerPlace("the bridge", () => this.#started.add("the bridge", this.#startBridge()));
  }

  static async create(flags: readonly string[]): Promise<ChaosBridge> {
    return new ChaosBridge(await mkdtemp(join(tmpdir(), "ncf-chaos-")), flags);
  }

  async start(nomadAddr: string): Promise<void> {
    this.#nomadAddr = nomadAddr;
    this.#place.begin();
    await this.#place.worker?.ready();
  }

  async harm(random: Random): Promise<string> {
    // A slow machine would otherwise end each before it has read anything.
    if (!(await this.#isReady()) && random.chance(0.95)) return "bridge left to start";
    const gently = random.chance(0.3);
    await this.#place.end(gently ? "stopped" : "killed");
    this.restarts += 1;
    await delay(random.between(0, 600));
    this.#place.begin();
    return `bridge ${gently ? "stopped" : "killed"} and started again`;
  }

  async calm(): Promise<void> {
    // It was started again after every harm.
  }

  events(): Promise<SeenEvent[]> {
    return readLog(this.#file);
  }

  traces(): Promise<Traces> {
    return this.#started.traces();
  }

  async close(): Promise<void> {
    await this.#place.close();
    await rm(this.#directory, { recursive: true, force: true });
  }

  async #isReady(): Promise<boolean> {
    const url = this.#place.worker?.servesAt;
    if (url === undefined) return false;
    return fetch(`${url}/readyz`, { signal: AbortSignal.timeout(1_000) }).then(
      ({ ok }) => ok,
      () => false,
    );
  }

  get #file(): string {
    return join(this.#directory, "feed.db");
  }

  #startBridge(): BridgeProcess {
    const feed = `sqlite:${this.#file}`;
    return startBridgeProcess({ nomadAddr: this.#nomadAddr, feed, flags: this.#flags });
  }
}
