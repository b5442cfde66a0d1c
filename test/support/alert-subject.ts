import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import type { Random } from "../../packages/nomad-simulator/src/random.ts";
import { alertListSchema, type AlertList } from "../../src/schemas/alert-schema.ts";
import { startBridgeProcess, type BridgeProcess } from "./bridge-process.ts";
import { readLog, type SeenEvent } from "./feed-check.ts";
import { RedisServer } from "./redis-server.ts";
import { until } from "./until.ts";
import { WorkerPlace } from "./worker-place.ts";
import { assignmentsAt } from "./worker-watch.ts";

/** Short, so that whoever is killed is soon followed. */
const WORKER_TIMEOUT_MS = 1_000;

export interface AlertSubjectOptions {
  /** Where the log is, if it is a file. */
  readonly directory: string;
  /** With more than one the log is in Redis. */
  readonly workers: number;
  readonly flags: readonly string[];
}

/** Processes that make alerts, and are killed and started again: one with its log in a file, or several on Redis. */
export class AlertSubject implements AsyncDisposable {
  kills = 0;
  readonly #places: readonly WorkerPlace<BridgeProcess>[];
  readonly #redis: RedisServer | undefined;
  readonly #file: string;
  #nomadAddr = "";

  private constructor({ directory, workers, flags }: AlertSubjectOptions, redis: RedisServer | undefined) {
    this.#redis = redis;
    this.#file = join(directory, "feed.db");
    const feed = redis === undefined ? `sqlite:${this.#file}` : feedOf(redis);
    const shared = redis && ["--workers", "redis", "--worker-timeout", `${WORKER_TIMEOUT_MS}ms`];
    const all = [...flags, ...(shared ?? [])];
    const start = (): BridgeProcess => startBridgeProcess({ nomadAddr: this.#nomadAddr, feed, flags: all });
    this.#places = Array.from({ length: workers }, (_, n) => new WorkerPlace(`worker ${n}`, start));
  }

  static async create(options: AlertSubjectOptions): Promise<AlertSubject> {
    return new AlertSubject(options, options.workers > 1 ? await RedisServer.start() : undefined);
  }

  async start(nomadAddr: string): Promise<void> {
    this.#nomadAddr = nomadAddr;
    for (const place of this.#places) place.begin();
    for (const { worker } of this.#places) await worker?.ready();
  }

  /** One of them, with SIGKILL; it is back soon. */
  kill(random: Random): Promise<void> {
    return this.#kill(random.pick(this.#places), random);
  }

  /** Whoever makes alerts now. */
  async killHolder(random: Random): Promise<void> {
    const place = await until("somebody makes alerts", async () => {
      const holder = await this.#holder();
      return this.#places.find(({ worker }) => holder.includes(`/${worker?.child.pid}/`));
    });
    await this.#kill(place, random);
  }

  async #holder(): Promise<string> {
    for (const { worker } of this.#places) {
      if (worker?.servesAt === undefined) continue;
      const all = await assignmentsAt(worker.servesAt);
      return all.find(({ assignment }) => assignment === "alerts")?.worker ?? "";
    }
    return "";
  }

  async #kill(place: WorkerPlace<BridgeProcess>, random: Random): Promise<void> {
    await place.end("killed");
    this.kills += 1;
    await delay(random.between(0, 500));
    place.begin();
  }

  /** What one of them answers, whichever makes alerts; undefined while none does. */
  async list(): Promise<AlertList | undefined> {
    for (const { worker } of this.#places) {
      if (worker?.servesAt === undefined) continue;
      const signal = AbortSignal.timeout(2_000);
      const response = await fetch(`${worker.servesAt}/v1/alerts`, { signal }).catch(() => undefined);
      if (response?.ok === true) return alertListSchema.parse(await response.json());
    }
    return undefined;
  }

  /** The whole log. */
  events(): Promise<SeenEvent[]> {
    return readLog(this.#redis === undefined ? this.#file : { kind: "redis", url: feedOf(this.#redis) });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#places.map((place) => place.close()));
    await this.#redis?.[Symbol.asyncDispose]();
  }
}

function feedOf({ url }: RedisServer): string {
  return `${url}?feed=alerts`;
}
