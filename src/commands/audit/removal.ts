import { readdir, rename, rm, stat } from "node:fs/promises";
import { dirname, join } from "node:path";
import { detachedDataSchema } from "../../schemas/audit.ts";
import { syncFolder, unlessMissing } from "../../publishers/audit/disk.ts";
import type { Checkpoint } from "../../tlog/checkpoint.ts";
import { bundlePath, TILE_WIDTH } from "../../tlog/tiles.ts";
import { dailyStart } from "./daily-start.ts";
import { hasDetachedData } from "./detached-data.ts";
import type { DirectoryFiles } from "./directory-files.ts";
import { parsedEntry } from "./entry-order.ts";
import { verifiedEntries } from "./verified-entries.ts";

interface RemovalOptions {
  /** The first bundle that is kept. */
  readonly first: number;
  /** Whether it is only counted. */
  readonly isDryRun: boolean;
}

/** Removes what is before a bundle. Each answers how many. */
export class Removal {
  readonly #files: DirectoryFiles;
  readonly #first: number;
  readonly #isDryRun: boolean;

  constructor(files: DirectoryFiles, { first, isDryRun }: RemovalOptions) {
    this.#files = files;
    this.#first = first;
    this.#isDryRun = isDryRun;
  }

  /** From bundle `from` on, the oldest first: whatever stops it, what is left has no hole. */
  async bundles(from: number): Promise<number> {
    for (let index = from; index < this.#first && !this.#isDryRun; index++) {
      const path = join(this.#files.name, bundlePath({ index, width: TILE_WIDTH }));
      await rm(`${path}.p`, { recursive: true, force: true });
      await rm(path, { force: true });
      await syncFolder(dirname(path));
    }
    return Math.max(0, this.#first - from);
  }

  /** Files that have no entry that is kept. Never the newest, which a writer may have open. */
  async dailyFiles(): Promise<number> {
    const { name } = this.#files;
    const paths = await this.#files.dailyPaths();
    for (const [at, path] of paths.entries()) {
      const next = paths[at + 1];
      const nextStart = next === undefined ? undefined : await dailyStart(join(name, next));
      if (nextStart === undefined || nextStart > this.#first * TILE_WIDTH) return at;
      if (this.#isDryRun) continue;
      await rm(join(name, path));
      await syncFolder(dirname(join(name, path)));
    }
    return 0;
  }

  /**
   * Data of events that no entry of the checkpoint refers to which is kept. `readAtMs`: when that was read. What is not an
   * hour older stays: the writer may be about to enter its event.
   */
  async objects(checkpoint: Checkpoint, readAtMs: number): Promise<number> {
    const folder = join(this.#files.name, OBJECTS);
    const names = (await readdir(folder).catch(unlessMissing)) ?? [];
    if (names.length === 0) return 0;
    const kept = await this.#referredTo(checkpoint);
    let removed = 0;
    for (const name of names.filter((each) => OBJECT.test(each) && !kept.has(`${OBJECTS}/${each}`)))
      removed += (await this.#removeOld(join(folder, name), readAtMs - HOUR_MS)) ? 1 : 0;
    if (!this.#isDryRun) await syncFolder(folder);
    return removed;
  }

  async #referredTo(checkpoint: Checkpoint): Promise<Set<string>> {
    const paths = new Set<string>();
    for await (const { index, bytes } of verifiedEntries(this.#files, checkpoint)) {
      if (index < this.#first * TILE_WIDTH || !hasDetachedData(bytes)) continue;
      const detached = detachedDataSchema.safeParse(parsedEntry(bytes));
      if (detached.success) paths.add(detached.data.dataref);
    }
    return paths;
  }

  /** Out of the writer's way first: should it write the same file anew meanwhile, that one is not what is removed. */
  async #removeOld(path: string, youngestMs: number): Promise<boolean> {
    if ((await stat(path)).mtimeMs > youngestMs) return false;
    if (this.#isDryRun) return true;
    const aside = `${path}${ASIDE}`;
    await rename(path, aside);
    const isOld = (await stat(aside)).mtimeMs <= youngestMs;
    if (isOld) await rm(aside);
    else await rename(aside, path);
    return isOld;
  }
}

/** Puts back what one that was killed had taken out of the writer's way: whether it goes is looked at anew. */
export async function putBack(directory: string): Promise<void> {
  const folder = join(directory, OBJECTS);
  const names = (await readdir(folder).catch(unlessMissing)) ?? [];
  for (const name of names.filter((each) => each.endsWith(ASIDE))) {
    const path = join(folder, name.slice(0, -ASIDE.length));
    if ((await stat(path).catch(unlessMissing)) === undefined) await rename(join(folder, name), path);
    else await rm(join(folder, name));
  }
}

const ASIDE = ".pruned";
const OBJECT = /^[0-9a-f]{64}$/;
const OBJECTS = "objects";
const HOUR_MS = 3_600_000;
