import { constants } from "node:fs";
import { access } from "node:fs/promises";
import { join } from "node:path";
import type { Clock } from "../../shared/clock.ts";
import { FileLock } from "../../shared/file-lock.ts";
import { TILE_WIDTH } from "../../tlog/tiles.ts";
import type { Logger } from "../../telemetry/logger.ts";
import { Addition } from "./addition.ts";
import { DailyFiles } from "./daily-files.ts";
import { DailyQueue } from "./daily-queue.ts";
import { TrailInUse } from "./errors.ts";
import { StoredEntries } from "./stored-entries.ts";
import type { TrailKeys } from "./trail-keys.ts";
import { Trail } from "./trail.ts";

const LOCK = "writer.lock";
/** What the daily files lack is written in parts, so that no send takes long. */
const BUNDLES_AT_ONCE = 100;

export interface TrailWriterOptions {
  readonly directory: string;
  readonly keys: TrailKeys;
  /** Whether there are daily files. */
  readonly daily: boolean;
  readonly logger: Logger;
  readonly clock: Clock;
}

interface Parts {
  readonly lock: FileLock;
  readonly trail: Trail;
  readonly daily: DailyQueue | undefined;
}

/** A trail and what is beside it, for as long as it is ours alone. Not for concurrent calls; after one that fails, open it anew. */
export class TrailWriter implements AsyncDisposable {
  readonly trail: Trail;
  readonly #directory: string;
  readonly #logger: Logger;
  readonly #lock: FileLock;
  readonly #daily: DailyQueue | undefined;

  private constructor(options: TrailWriterOptions, { lock, trail, daily }: Parts) {
    this.#directory = options.directory;
    this.#logger = options.logger;
    this.#lock = lock;
    this.trail = trail;
    this.#daily = daily;
  }

  /** @throws TrailInUse, TrailDamaged, TrailOfAnother, and what the system says */
  static async open(options: TrailWriterOptions): Promise<TrailWriter> {
    const { directory, daily } = options;
    await access(directory, constants.W_OK | constants.X_OK);
    const lock = FileLock.acquire(join(directory, LOCK));
    if (lock === undefined) throw new TrailInUse(directory);
    try {
      const trail = await Trail.open(options);
      const queue = daily ? await openDaily(options, trail.size) : undefined;
      return new TrailWriter(options, { lock, trail, daily: queue });
    } catch (error) {
      lock[Symbol.dispose]();
      throw error;
    }
  }

  /** Rejects where `signal` aborts before the checkpoint is signed. */
  async add(addition: Addition, signal: AbortSignal): Promise<void> {
    await this.#catchUp();
    const isNext = this.#daily?.next === this.trail.size;
    await this.trail.append(addition, signal);
    if (isNext) await this.#daily?.add(addition.entries);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    try {
      await this.#daily?.[Symbol.asyncDispose]();
    } catch (error) {
      const told = { directory: this.#directory, err: error };
      this.#logger.warn(
        told,
        "daily files could not be written; what they lack is written from the trail later",
      );
    } finally {
      this.#lock[Symbol.dispose]();
    }
  }

  async #catchUp(): Promise<void> {
    const daily = this.#daily;
    if (daily === undefined) return;
    const stored = new StoredEntries(this.#directory, this.trail.size);
    for (let done = 0; done < BUNDLES_AT_ONCE && daily.next < stored.size; done += 1) {
      const entries = await stored.bundle(Math.floor(daily.next / TILE_WIDTH));
      await daily.add(entries.slice(daily.next % TILE_WIDTH));
    }
  }
}

async function openDaily(
  { directory, logger, clock }: TrailWriterOptions,
  size: number,
): Promise<DailyQueue> {
  const onRepair = (path: string, bytes: number) =>
    logger.warn(
      { path, bytes },
      "cut off what a killed writer left of a daily file; it is written anew from the trail",
    );
  const first = await new StoredEntries(directory, size).first();
  return new DailyQueue(await DailyFiles.open(directory, { first, size }, onRepair), clock);
}
