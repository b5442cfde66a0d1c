import { setTimeout as delay } from "node:timers/promises";
import type { Random } from "../../packages/nomad-simulator/src/random.ts";
import { openLogToRead } from "../../src/bridge/log.ts";
import { systemClock } from "../../src/shared/clock.ts";
import { silentLogger } from "../../src/telemetry/logger.ts";
import { startBridgeProcess, type BridgeProcess } from "./bridge-process.ts";
import type { ChaosSubject } from "./chaos-subject.ts";
import { StartedProcesses, type Traces } from "./chaos-traces.ts";
import { readLog, type SeenEvent } from "./feed-check.ts";
import { RedisServer } from "./redis-server.ts";
import { TcpProxy } from "./tcp-proxy.ts";
import { until } from "./until.ts";
import { WorkerPlace } from "./worker-place.ts";
import { scopesOf, seesAllWatched, takeoverMs } from "./worker-watch.ts";

/** Short, so that many workers die and are followed in the time there is. */
const WORKER_TIMEOUT_MS = 3_000;
/** A busy machine lets workers look dead that are not, and their scopes move more than once. */
const WHOLE_WITHIN_MS = 120_000;

export interface ChaosWorkersOptions {
  readonly count: number;
  readonly flags: readonly string[];
  readonly say: (line: string) => void;
}

/**
 * Several workers that share a log in Redis: they are killed and frozen, Redis is killed and frozen, and connections
 * are cut before or after Redis has done what it was asked.
 */
export class ChaosWorkers implements ChaosSubject {
  readonly harmPercent = 12;
  readonly takeoversMs: number[] = [];
  restarts = 0;
  readonly #redis: RedisServer;
  readonly #proxy: TcpProxy;
  readonly #flags: readonly string[];
  readonly #say: (line: string) => void;
  readonly #places: readonly WorkerPlace<BridgeProcess>[];
  readonly #started = new StartedProcesses();
  /** What goes on beside: thaws, restarts, and the watching of takeovers. */
  readonly #beside = new Set<Promise<void>>();
  readonly #over = new AbortController();
  #nomadAddr = "";

  private constructor(redis: RedisServer, proxy: TcpProxy, { count, flags, say }: ChaosWorkersOptions) {
    this.#redis = redis;
    this.#proxy = proxy;
    this.#flags = flags;
    this.#say = say;
    this.#places = Array.from({ length: count }, (_, place) => {
      const name = `worker ${place}`;
      return new WorkerPlace(name, () => this.#started.add(name, this.#startWorker()));
    });
  }

  static async create(options: ChaosWorkersOptions): Promise<ChaosWorkers> {
    const redis = await RedisServer.start("--appendonly", "yes");
    return new ChaosWorkers(redis, await TcpProxy.to(redis.port), options);
  }

  async start(nomadAddr: string): Promise<void> {
    this.#nomadAddr = nomadAddr;
    for (const place of this.#places) place.begin();
    await until("every scope is watched and was read", () => this.#isWhole(), WHOLE_WITHIN_MS);
  }

  async harm(random: Random): Promise<string> {
    const dice = random.between(0, 99);
    if (dice < 25) return this.#endWorker(random, "killed");
    if (dice < 35) return this.#endWorker(random, "stopped");
    if (dice < 55) return this.#freezeWorker(random);
    if (dice < 65) return this.#restartRedis(random);
    if (dice < 75) return this.#freezeRedis(random);
    if (dice < 90) {
      this.#proxy.loseNextReply();
      return "the next reply of Redis is lost";
    }
    this.#proxy.cutAll();
    return "all connections to Redis are cut";
  }

  async calm(): Promise<void> {
    await Promise.all(this.#beside);
    await until("every scope is watched again", () => this.#isWhole(), WHOLE_WITHIN_MS);
  }

  events(): Promise<SeenEvent[]> {
    return readLog({ kind: "redis", url: this.#feed });
  }

  /** Ids of the events that a consumer could not deliver. */
  async deadLetters(consumer: string): Promise<string[]> {
    const from = { kind: "redis", url: this.#feed } as const;
    const log = await openLogToRead(from, { logger: silentLogger(), clock: systemClock });
    try {
      return (await log.deadLetters.list(consumer, { limit: 10_000 })).map(({ id }) => id);
    } finally {
      await log[Symbol.asyncDispose]();
    }
  }

  traces(): Promise<Traces> {
    return this.#started.traces();
  }

  async close(): Promise<void> {
    this.#over.abort();
    await Promise.all(this.#places.map((place) => place.close()));
    await Promise.all(this.#beside);
    await this.#proxy[Symbol.asyncDispose]();
    await this.#redis[Symbol.asyncDispose]();
  }

  #startWorker(): BridgeProcess {
    return startBridgeProcess({
      nomadAddr: this.#nomadAddr,
      feed: `redis://127.0.0.1:${this.#proxy.port}?feed=chaos`,
      flags: [...this.#flags, "--workers", "redis", "--worker-timeout", `${WORKER_TIMEOUT_MS}ms`],
    });
  }

  async #endWorker(random: Random, how: "killed" | "stopped"): Promise<string> {
    const place = random.pick(this.#places);
    const afterMs = random.between(0, 4_000);
    const worker = place.healthy;
    if (worker === undefined) return "nothing";
    const watched = how === "killed" ? await scopesOf(this.#feed, worker).catch(() => []) : [];
    await place.end(how);
    this.restarts += 1;
    if (watched.length > 0) this.#meanwhile((signal) => this.#measureTakeover(worker, watched, signal));
    this.#meanwhile(async (signal) => {
      await delay(afterMs, undefined, { signal });
      place.begin();
    });
    return `${place.name} ${how}`;
  }

  async #freezeWorker(random: Random): Promise<string> {
    const place = random.pick(this.#places);
    const ms = random.between(200, 3 * WORKER_TIMEOUT_MS);
    if (place.healthy === undefined) return "nothing";
    place.freeze();
    this.#meanwhile(async (signal) => {
      await delay(ms, undefined, { signal });
      place.thaw();
    });
    return `${place.name} frozen for ${ms} ms`;
  }

  async #restartRedis(random: Random): Promise<string> {
    const ms = random.between(0, 1_500);
    await this.#redis.kill();
    await delay(ms);
    await this.#redis.start();
    return `Redis was killed and away for ${ms} ms`;
  }

  async #freezeRedis(random: Random): Promise<string> {
    const ms = random.between(100, 2_500);
    this.#redis.signal("SIGSTOP");
    await delay(ms);
    this.#redis.signal("SIGCONT");
    return `Redis was frozen for ${ms} ms`;
  }

  /** Ends early when everything is over. */
  #meanwhile(work: (signal: AbortSignal) => Promise<void>): void {
    const { signal } = this.#over;
    const noted = work(signal).catch((error: unknown) => {
      if (!signal.aborted) this.#say(`beside: ${String(error)}`);
    });
    this.#beside.add(noted);
    void noted.then(() => this.#beside.delete(noted));
  }

  /** Until somebody else has claimed each scope that is still to be watched. */
  async #measureTakeover(
    worker: BridgeProcess,
    watched: readonly string[],
    signal: AbortSignal,
  ): Promise<void> {
    this.takeoversMs.push(await takeoverMs(this.#feed, worker, watched, signal));
  }

  /** Past the proxy, so that nothing is lost or cut here. */
  get #feed(): string {
    return `${this.#redis.url}?feed=chaos`;
  }

  async #isWhole(): Promise<boolean> {
    for (const { worker } of this.#places) {
      if (worker === undefined || !(await seesAllWatched(worker))) return false;
    }
    return true;
  }
}
