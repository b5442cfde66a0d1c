import type { NoteVerifier } from "../../tlog/note-keys.ts";
import { NoteSignatureError, TlogFormatError } from "../../tlog/errors.ts";
import { noCheckpoint, openCheckpoint, type OpenedCheckpoint } from "./checkpoints.ts";
import type { DailyDamage } from "./daily-lines.ts";
import { diagnose } from "./diagnosis.ts";
import { disorderFinding } from "./disorder.ts";
import type { Counts } from "./entry-order.ts";
import type { Finding } from "./finding.ts";
import { leftovers } from "./leftovers.ts";
import { StoredTree } from "./stored-tree.ts";
import type { TrailFiles } from "./trail-files.ts";
import { walk, type Walked } from "./walk.ts";

export interface Verdict {
  readonly checkpoint?: OpenedCheckpoint;
  /** The first of each sort; none where the trail verifies. */
  readonly findings: readonly Finding[];
  /** CloudEvents source, as the first entry names it; undefined where that was pruned. */
  readonly feed?: string | undefined;
  readonly counts?: Counts;
  /** So many entries from 0 on are here by their hashes alone. */
  readonly pruned?: number;
  readonly unsigned?: readonly string[];
  /** How many entries the daily files have, those before them included; undefined where there are none. */
  readonly dailyEntries?: number | undefined;
  /** Whether the daily files have more than the checkpoint's entries. */
  readonly dailyGoesOn?: boolean;
}

export interface Trusted {
  /** None: who signed is not looked at. */
  readonly keys: readonly NoteVerifier[];
  /** A checkpoint of this trail that was kept elsewhere. */
  readonly kept?: OpenedCheckpoint | undefined;
}

/** Reads a whole trail and computes every hash of it anew. @throws what the system says */
export async function verifyTrail(
  files: TrailFiles,
  { keys, kept }: Trusted,
  signal: AbortSignal,
): Promise<Verdict> {
  const note = await files.read("checkpoint");
  if (note === undefined)
    return failed({ kind: "checkpoint", path: "checkpoint", message: noCheckpoint(files.name) });
  const opened = openTrailCheckpoint(note, keys);
  if ("kind" in opened) return failed(opened);
  const early = kept === undefined ? undefined : beforeReading(opened, kept);
  if (early !== undefined) return { checkpoint: opened, ...failed(early) };
  const tree = new StoredTree(files, opened);
  const walked = await walk({ files, tree, checkpoint: opened }, kept?.size, signal);
  const found = await findingsOf(tree, opened, walked, kept);
  const { damaged, unsigned } = await leftovers(files, tree);
  const findings = found.length > 0 ? found : damaged;
  const { feed, counts } = walked.order;
  const { pruned, daily, torn } = walked;
  const dailyEntries = daily.entries;
  // Where the walk ended early, what is behind may be entries.
  const dailyGoesOn = daily.goesOn && torn === undefined;
  return { checkpoint: opened, findings, feed, counts, pruned, unsigned, dailyEntries, dailyGoesOn };
}

function failed(finding: Finding): Pick<Verdict, "findings"> {
  return { findings: [finding] };
}

function openTrailCheckpoint(note: Buffer, keys: readonly NoteVerifier[]): OpenedCheckpoint | Finding {
  try {
    return openCheckpoint(note, keys);
  } catch (error) {
    if (error instanceof NoteSignatureError)
      return {
        kind: "signature",
        path: "checkpoint",
        message: `the checkpoint is not signed as it should be: ${error.message}`,
      };
    if (error instanceof TlogFormatError)
      return {
        kind: "checkpoint",
        path: "checkpoint",
        message: `the checkpoint cannot be read: ${error.message}`,
      };
    throw error;
  }
}

/** What two checkpoints show by themselves. */
function beforeReading(now: OpenedCheckpoint, kept: OpenedCheckpoint): Finding | undefined {
  if (now.origin !== kept.origin) {
    const message = `this is the trail ${now.origin}, and the kept checkpoint is of ${kept.origin}`;
    return { kind: "other-log", message };
  }
  if (now.size >= kept.size) return undefined;
  const message = `the trail was set back: it has ${now.size} entries, and the kept checkpoint has ${kept.size}`;
  return { kind: "rollback", index: now.size, message };
}

async function findingsOf(
  tree: StoredTree,
  checkpoint: OpenedCheckpoint,
  walked: Walked,
  kept: OpenedCheckpoint | undefined,
): Promise<Finding[]> {
  const { difference, disorder, data, torn, root, rootAt, daily } = walked;
  const findings: Finding[] = [];
  if (torn !== undefined || !root.equals(checkpoint.root)) findings.push(await diagnose(tree, walked));
  else if (difference !== undefined) findings.push(tileFinding(difference));
  if (kept !== undefined && rootAt?.equals(kept.root) === false) findings.push(forkFinding(kept));
  if (findings.length === 0 && disorder !== undefined)
    findings.push(await disorderFinding(tree, disorder.index, disorder.what));
  if (data !== undefined) {
    const { path, what } = data.what;
    const message = `${path}, which entry ${data.index} has its data in, ${what}`;
    findings.push({ kind: "object", index: data.index, path, message });
  }
  if (findings.length === 0 && daily.damage !== undefined) findings.push(dailyFinding(daily.damage));
  return findings;
}

function dailyFinding({ path, what, index }: DailyDamage): Finding {
  const message = `every entry is right, but ${path}, which is for people to search, ${what}`;
  return { kind: "daily", path, message, ...(index !== undefined && { index }) };
}

function tileFinding({ path, position, from, to }: NonNullable<Walked["difference"]>): Finding {
  const which = position === undefined ? "is not there" : `has another hash for entries ${from} to ${to - 1}`;
  return { kind: "tile", path, message: `every entry is right, but ${path} ${which}` };
}

function forkFinding({ size }: OpenedCheckpoint): Finding {
  const message = `the first ${size} entries are not those that the kept checkpoint has: two histories were told`;
  return { kind: "fork", message };
}
