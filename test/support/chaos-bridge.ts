import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import type { Random } from "../../src/simulator/random.ts";
import { startBridgeProcess, type BridgeProcess } from "./bridge-process.ts";
import { CHAOS_FLAGS, type ChaosSubject } from "./chaos-subject.ts";
import { readLog, type SeenEvent } from "./feed-check.ts";

/** One bridge with its log in a file, that is killed or stopped, and started again. */
export class ChaosBridge implements ChaosSubject {
  readonly harmPercent = 10;
  readonly takeoversMs: readonly number[] = [];
  restarts = 0;
  readonly #directory: string;
  #nomadAddr = "";
  #bridge: BridgeProcess | undefined;

  private constructor(directory: string) {
    this.#directory = directory;
  }

  static async create(): Promise<ChaosBridge> {
    return new ChaosBridge(await mkdtemp(join(tmpdir(), "ncf-chaos-")));
  }

  async start(nomadAddr: string): Promise<void> {
    this.#nomadAddr = nomadAddr;
    await this.#begin().ready();
  }

  async harm(random: Random): Promise<string> {
    const gently = random.chance(0.3);
    if (gently) await this.#bridge?.stop();
    else await this.#bridge?.kill();
    this.restarts += 1;
    await delay(random.between(0, 600));
    this.#begin();
    return `bridge ${gently ? "stopped" : "killed"} and started again`;
  }

  async calm(): Promise<void> {
    // It was started again after every harm.
  }

  events(): Promise<SeenEvent[]> {
    return readLog(this.#file);
  }

  async close(): Promise<void> {
    await this.#bridge?.kill();
    await rm(this.#directory, { recursive: true, force: true });
  }

  get #file(): string {
    return join(this.#directory, "feed.db");
  }

  #begin(): BridgeProcess {
    const feed = `sqlite:${this.#file}`;
    this.#bridge = startBridgeProcess({ nomadAddr: this.#nomadAddr, feed, flags: CHAOS_FLAGS });
    return this.#bridge;
  }
}
