import type { Clock } from "../../shared/clock.ts";
import { TILE_WIDTH } from "../../tlog/tiles.ts";
import type { Logger } from "../../telemetry/logger.ts";
import { Addition } from "./addition.ts";
import { DailyFiles } from "./daily-files.ts";
import { DailyQueue } from "./daily-queue.ts";
import { StoredEntries } from "./stored-entries.ts";
import type { TrailStore } from "./store.ts";
import type { TrailKeys } from "./trail-keys.ts";
import { Trail } from "./trail.ts";

/** What the daily files lack is written in parts, so that no send takes long. */
const BUNDLES_AT_ONCE = 100;

export interface TrailWriterOptions {
  /** The writer closes it. */
  readonly store: TrailStore;
  readonly keys: TrailKeys;
  /** Directory in which there are daily files. */
  readonly dailyIn: string | undefined;
  readonly logger: Logger;
  readonly clock: Clock;
}

interface Parts {
  readonly trail: Trail;
  readonly daily: DailyQueue | undefined;
}

/** A trail and what is beside it, for as long as it is ours alone. Not for concurrent calls; after one that fails, open it anew. */
export class TrailWriter implements AsyncDisposable {
  readonly trail: Trail;
  readonly #store: TrailStore;
  readonly #logger: Logger;
  readonly #daily: DailyQueue | undefined;

  private constructor(options: TrailWriterOptions, { trail, daily }: Parts) {
    this.#store = options.store;
    this.#logger = options.logger;
    this.trail = trail;
    this.#daily = daily;
  }

  /** @throws TrailInUse, TrailDamaged, TrailOfAnother, and what the system says */
  static async open(options: TrailWriterOptions): Promise<TrailWriter> {
    const { store, dailyIn } = options;
    try {
      const trail = await Trail.open(options);
      const daily = dailyIn === undefined ? undefined : await openDaily(dailyIn, trail.size, options);
      return new TrailWriter(options, { trail, daily });
    } catch (error) {
      await store[Symbol.asyncDispose]();
      throw error;
    }
  }

  /** Rejects where `signal` aborts before the entries are written. */
  async add(addition: Addition, signal: AbortSignal): Promise<void> {
    await this.#catchUp();
    const daily = this.#daily?.next === this.trail.size ? this.#daily : undefined;
    await this.trail.append(addition, signal, (entries) => daily?.stage(entries));
    await daily?.commit();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    try {
      await this.#daily?.[Symbol.asyncDispose]();
    } catch (error) {
      const told = { trail: this.#store.name, err: error };
      this.#logger.warn(
        told,
        "daily files could not be written; what they lack is written from the trail later",
      );
    } finally {
      await this.#store[Symbol.asyncDispose]();
    }
  }

  async #catchUp(): Promise<void> {
    const daily = this.#daily;
    if (daily === undefined) return;
    const stored = new StoredEntries(this.#store, this.trail.size);
    for (let done = 0; done < BUNDLES_AT_ONCE && daily.next < stored.size; done += 1) {
      const entries = await stored.bundle(Math.floor(daily.next / TILE_WIDTH));
      daily.stage(entries.slice(daily.next % TILE_WIDTH));
      await daily.commit();
    }
  }
}

async function openDaily(
  directory: string,
  size: number,
  { store, logger, clock }: TrailWriterOptions,
): Promise<DailyQueue> {
  const onRepair = (path: string, bytes: number) =>
    logger.warn(
      { path, bytes },
      "cut off what a killed writer left of a daily file; it is written anew from the trail",
    );
  const first = await new StoredEntries(store, size).first();
  return new DailyQueue(await DailyFiles.open(directory, { first, size }, onRepair), clock);
}
