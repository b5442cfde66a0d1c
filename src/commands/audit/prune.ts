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
import { locate } from "./locate.ts";
import { notThere, parseSought } from "./prove.ts";
import { putBack, Removal } from "./removal.ts";
import { StoredTree } from "./stored-tree.ts";
import type { TrailOptions } from "./trail-options.ts";
import { WITHOUT_KEY } from "./verdict-text.ts";
import { verifyTrail, type Verdict } from "./verification.ts";

export interface PruneOptions extends Pick<TrailOptions, "keys"> {
  /** An age or a time: what was recorded before it goes. */
  readonly before: string | undefined;
  /** In its place, a sequence or a cursor: what stands before that event goes. */
  readonly beforeSeq: string | undefined;
  /** Says what would go, and removes nothing. */
  readonly isDryRun: boolean;
}

/**
 * Removes the oldest entries of a trail in a directory, and keeps all hashes. A writer may be at work meanwhile: it
 * neither reads nor writes what goes. @throws UsageError, NotProved
 */
export async function prune(trail: string, options: PruneOptions, io: Io): Promise<void> {
  const { keys, isDryRun } = options;
  const startMs = io.clock.now();
  const end = parseEnd(options, startMs);
  if (/^(?:https?|s3):\/\//.test(trail))
    throw new UsageError("A trail is pruned in its directory; an address was given");
  await using files = new DirectoryFiles(resolve(trail));
  if (!isDryRun) await putBack(files.name);
  const verdict = await verifyTrail(files, { keys: parseKeys(keys) }, io.signal);
  const { checkpoint } = verdict;
  if (checkpoint === undefined || verdict.findings.length > 0) throw unverified(files.name, verdict);
  if (keys.length === 0) io.stderr.write(`note: ${WITHOUT_KEY}\n`);
  const tree = new StoredTree(files, checkpoint);
  const first = await end.find(tree, io.signal);
  assertDailyFilesReach(first * TILE_WIDTH, verdict);
  const removal = new Removal(files, { first, isDryRun });
  const bundles = await removal.bundles(await tree.firstBundle());
  const days = await removal.dailyFiles();
  const objects = await removal.objects(checkpoint, startMs);
  const kept = `entries ${first * TILE_WIDTH} to ${tree.size - 1} are kept, and all hashes`;
  io.stdout.write(
    `${isDryRun ? "would remove" : "removed"} ${bundles * TILE_WIDTH} entries, all ${end.text}, ` +
      `${days} daily files and ${objects} objects; ${tree.size === 0 ? "the trail is empty" : kept}\n`,
  );
}

/** Up to where entries go. */
interface PruneEnd {
  /** For people, behind "all". */
  readonly text: string;
  /** The first bundle that is kept. */
  find(tree: StoredTree, signal: AbortSignal): Promise<number>;
}

const ALLOWED = "an age such as 400d, or a time such as 2026-08-22T10:15:30Z";

function parseEnd({ before, beforeSeq }: PruneOptions, nowMs: number): PruneEnd {
  if (before !== undefined && beforeSeq !== undefined)
    throw new UsageError("--before and --before-seq are two ways to say it; give one of them");
  if (beforeSeq !== undefined) return endAtEvent(beforeSeq);
  if (before === undefined)
    throw new UsageError(`--before is missing, or --before-seq in its place; allowed: ${ALLOWED}`);
  const beforeMs = parseSince(before, nowMs);
  if (beforeMs === undefined)
    throw new UsageError(`--before: ${JSON.stringify(before)} is not allowed; allowed: ${ALLOWED}`);
  return {
    text: `recorded before ${timeText(new Date(beforeMs).toISOString())}`,
    find: (tree, signal) => firstToKeep(tree, beforeMs, signal),
  };
}

function endAtEvent(event: string): PruneEnd {
  const sought = parseSought(event);
  const find = async (tree: StoredTree) => {
    const located = await locate(tree, sought);
    if (located === undefined) throw await notThere(tree, event, sought);
    return Math.floor(located.index / TILE_WIDTH);
  };
  return { text: `before event ${event}`, find };
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
