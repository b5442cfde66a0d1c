import { constants } from "node:fs";
import { access } from "node:fs/promises";
import { join } from "node:path";
import { FileLock } from "../../shared/file-lock.ts";
import { TILE_WIDTH } from "../../tlog/tiles.ts";
import type { Logger } from "../../telemetry/logger.ts";
import { Addition } from "./addition.ts";
import { DailyFiles } from "./daily-files.ts";
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
}

/** A trail and what is beside it, for as long as it is ours alone. Not for concurrent calls; after one that fails, open it anew. */
export class TrailWriter implements Disposable {
  readonly trail: Trail;
  readonly #directory: string;
  readonly #lock: FileLock;
  readonly #daily: DailyFiles | undefined;

  private constructor(directory: string, lock: FileLock, trail: Trail, daily: DailyFiles | undefined) {
    this.#directory = directory;
    this.#lock = lock;
    this.trail = trail;
    this.#daily = daily;
  }

  /** @throws TrailInUse, TrailDamaged, TrailOfAnother, and what the system says */
  static async open({ directory, keys, daily, logger }: TrailWriterOptions): Promise<TrailWriter> {
    await access(directory, constants.W_OK | constants.X_OK);
    const lock = FileLock.acquire(join(directory, LOCK));
    if (lock === undefined) throw new TrailInUse(directory);
    try {
      const trail = await Trail.open(directory, keys);
      const onRepair = (path: string, bytes: number) =>
        logger.warn(
          { path, bytes },
          "cut off what a killed writer left of a daily file; it is written anew from the trail",
        );
      const { size } = trail;
      const first = daily ? await new StoredEntries(directory, size).first() : 0;
      const files = daily ? await DailyFiles.open(directory, { first, size }, onRepair) : undefined;
      return new TrailWriter(directory, lock, trail, files);
    } catch (error) {
      lock[Symbol.dispose]();
      throw error;
    }
  }

  /** Rejects where `signal` aborts before the checkpoint is signed. */
  async add(addition: Addition, signal: AbortSignal): Promise<void> {
    await this.#catchUp();
    const isNext = this.#daily?.next === this.trail.size;
    // Lines are deflated beside this thread, while entries are hashed. Neither is left alone at work when the other fails.
    const lines = isNext ? this.#daily?.add(addition.entries) : undefined;
    const done = await Promise.allSettled([lines, this.trail.append(addition, signal)]);
    for (const each of done) if (each.status === "rejected") throw each.reason;
  }

  [Symbol.dispose](): void {
    this.#lock[Symbol.dispose]();
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
