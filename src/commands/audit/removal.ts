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

/** Bundles [from, to), the oldest first: whatever stops it, what is left has no hole. Answers how many. */
export async function removeBundles(directory: string, from: number, to: number): Promise<number> {
  for (let index = from; index < to; index++) {
    const path = join(directory, bundlePath({ index, width: TILE_WIDTH }));
    await rm(`${path}.p`, { recursive: true, force: true });
    await rm(path, { force: true });
    await syncFolder(dirname(path));
  }
  return Math.max(0, to - from);
}

/** Files all of whose entries are before `first`. Never the newest, which a writer may have open. Answers how many. */
export async function removeDailyFiles(files: DirectoryFiles, first: number): Promise<number> {
  const { name } = files;
  const paths = await files.dailyPaths();
  for (const [at, path] of paths.entries()) {
    const next = paths[at + 1];
    const nextStart = next === undefined ? undefined : await dailyStart(join(name, next));
    if (nextStart === undefined || nextStart > first) return at;
    await rm(join(name, path));
    await syncFolder(dirname(join(name, path)));
  }
  return 0;
}

const OBJECT = /^[0-9a-f]{64}$/;
const OBJECTS = "objects";
const HOUR_MS = 3_600_000;

/**
 * Data of events that no entry of the checkpoint refers to. `readAtMs`: when that was read. What is not an hour older stays:
 * the writer may be about to enter its event. Answers how many.
 */
export async function removeObjects(
  files: DirectoryFiles,
  checkpoint: Checkpoint,
  readAtMs: number,
): Promise<number> {
  const folder = join(files.name, OBJECTS);
  const names = (await readdir(folder).catch(unlessMissing)) ?? [];
  if (names.length === 0) return 0;
  const kept = await referredTo(files, checkpoint);
  let removed = 0;
  for (const name of names.filter((each) => OBJECT.test(each) && !kept.has(`${OBJECTS}/${each}`)))
    removed += (await removeOld(join(folder, name), readAtMs - HOUR_MS)) ? 1 : 0;
  await syncFolder(folder);
  return removed;
}

async function referredTo(files: DirectoryFiles, checkpoint: Checkpoint): Promise<Set<string>> {
  const paths = new Set<string>();
  for await (const { bytes } of verifiedEntries(files, checkpoint)) {
    const detached = hasDetachedData(bytes) ? detachedDataSchema.safeParse(parsedEntry(bytes)) : undefined;
    if (detached?.success === true) paths.add(detached.data.dataref);
  }
  return paths;
}

/** Out of the writer's way first: should it write the same file anew meanwhile, that one is not what is removed. */
async function removeOld(path: string, youngestMs: number): Promise<boolean> {
  if ((await stat(path)).mtimeMs > youngestMs) return false;
  const aside = `${path}.pruned`;
  await rename(path, aside);
  const isOld = (await stat(aside)).mtimeMs <= youngestMs;
  if (isOld) await rm(aside);
  else await rename(aside, path);
  return isOld;
}
