import { setTimeout as delay } from "node:timers/promises";
import type { Random } from "../../packages/nomad-simulator/src/random.ts";
import type { BridgeProcess } from "./bridge-process.ts";
import { StartedProcesses, type Traces } from "./chaos-traces.ts";
import { WorkerPlace } from "./worker-place.ts";

/** A bridge that is killed or stopped, and started again. */
export class RestartedBridge {
  restarts = 0;
  readonly #place: WorkerPlace<BridgeProcess>;
  readonly #started = new StartedProcesses();

  constructor(start: () => BridgeProcess) {
    this.#place = new WorkerPlace("the bridge", () => this.#started.add("the bridge", start()));
  }

  /** Where it serves now. */
  get servesAt(): string | undefined {
    return this.#place.worker?.servesAt;
  }

  /** Starts it, and waits until it is ready. */
  async start(): Promise<void> {
    this.#place.begin();
    await this.#place.worker?.ready();
  }

  /** Answers what was done to it. */
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

  /** Never rejects. */
  traces(): Promise<Traces> {
    return this.#started.traces();
  }

  async close(): Promise<void> {
    await this.#place.close();
  }

  async #isReady(): Promise<boolean> {
    const { servesAt: url } = this;
    if (url === undefined) return false;
    return fetch(`${url}/readyz`, { signal: AbortSignal.timeout(1_000) }).then(
      ({ ok }) => ok,
      () => false,
    );
  }
}
