import { resolve } from "node:path";
import { parseSince } from "../../schemas/since.ts";
import { plainText } from "../../schemas/terminal-text.ts";
import { TILE_WIDTH } from "../../tlog/tiles.ts";
import type { Io } from "../io.ts";
import { timeText } from "../support/times.ts";
import { UsageError } from "../support/usage-error.ts";
import { parseKeys } from "./checkpoints.ts";
import { DirectoryFiles } from "./directory-files.ts";
import { NotProved } from "./errors.ts";
import { firstToKeep } from "./first-to-keep.ts";
import { removeBundles, removeDailyFiles, removeObjects } from "./removal.ts";
import { StoredTree } from "./stored-tree.ts";
import type { TrailOptions } from "./trail-options.ts";
import { verifyTrail, type Verdict } from "./verification.ts";

export interface PruneOptions extends Pick<TrailOptions, "keys"> {
  /** An age or a time: what was recorded before it goes. */
  readonly before: string | undefined;
}

/**
 * Removes the oldest entries of a trail in a directory, and keeps all hashes. A writer may be at work meanwhile: it
 * neither reads nor writes what goes. @throws UsageError, NotProved
 */
export async function prune(trail: string, { before, keys }: PruneOptions, io: Io): Promise<void> {
  const startMs = io.clock.now();
  const beforeMs = parseBefore(before, startMs);
  if (/^(?:https?|s3):\/\//.test(trail))
    throw new UsageError("A trail is pruned in its directory; an address was given");
  await using files = new DirectoryFiles(resolve(trail));
  const verdict = await verifyTrail(files, { keys: parseKeys(keys) }, io.signal);
  const { checkpoint } = verdict;
  if (checkpoint === undefined || verdict.findings.length > 0) throw unverified(files.name, verdict);
  const tree = new StoredTree(files, checkpoint);
  const first = await firstToKeep(tree, beforeMs, io.signal);
  assertDailyFilesReach(first * TILE_WIDTH, verdict);
  const bundles = await removeBundles(files.name, await tree.firstBundle(), first);
  const days = await removeDailyFiles(files, first * TILE_WIDTH);
  const objects = await removeObjects(files, checkpoint, startMs);
  const kept = `entries ${first * TILE_WIDTH} to ${tree.size - 1} are kept, and all hashes`;
  io.stdout.write(
    `removed ${bundles * TILE_WIDTH} entries, all recorded before ${timeText(new Date(beforeMs).toISOString())}, ` +
      `${days} daily files and ${objects} objects; ${tree.size === 0 ? "the trail is empty" : kept}\n`,
  );
}

function parseBefore(before: string | undefined, nowMs: number): number {
  const allowed = "an age such as 400d, or a time such as 2026-08-22T10:15:30Z";
  if (before === undefined) throw new UsageError(`--before is missing; allowed: ${allowed}`);
  const beforeMs = parseSince(before, nowMs);
  if (beforeMs !== undefined) return beforeMs;
  throw new UsageError(`--before: ${JSON.stringify(before)} is not allowed; allowed: ${allowed}`);
}

function unverified(trail: string, { findings }: Verdict): NotProved {
  const why = findings.map(({ message }) => plainText(message)).join("; ");
  return new NotProved(`${trail} does not verify, and nothing was removed: ${why}`, {
    hint: "It may be evidence: keep it as it is, and see what audit verify says",
  });
}

/** What they lack is written from the entries, which have to be there then. */
function assertDailyFilesReach(first: number, { dailyEntries = first }: Verdict): void {
  if (dailyEntries >= first) return;
  throw new NotProved(
    `The daily files end before entry ${dailyEntries}, and entries up to ${first - 1} would go: nothing was removed`,
    {
      hint: "Let the feed write them first; or, where the destination has daily: false, delete the folder daily",
    },
  );
}
