import { plainText } from "../../schemas/terminal-text.ts";
import type { Colours } from "../support/colours.ts";
import type { OpenedCheckpoint } from "./checkpoints.ts";
import type { Finding } from "./finding.ts";
import type { Verdict } from "./verification.ts";

/** What a check is worth that knew no key. */
export const WITHOUT_KEY = "no --key was given: whoever can write the trail could have signed it";

export interface VerdictPage {
  readonly trail: string;
  readonly kept: OpenedCheckpoint | undefined;
  readonly colours: Colours;
}

/** What `audit verify` found, for people. */
export function verdictText(verdict: Verdict, { trail, kept, colours }: VerdictPage): string {
  const lines = [
    ...(verdict.checkpoint === undefined ? [] : checkpointLines(verdict.checkpoint)),
    ...countLines(verdict),
    ...verdict.findings.flatMap((finding) => findingLines(finding, colours)),
    ...noteLines(verdict, colours),
    lastLine(verdict, { trail, kept, colours }),
  ];
  return lines.map((line) => `${line}\n`).join("");
}

function checkpointLines({ origin, size, root, signedBy }: OpenedCheckpoint): string[] {
  return [
    `trail       ${plainText(origin)}`,
    `checkpoint  ${size} entries, root ${root.toString("base64")}`,
    ...(signedBy.length > 0 ? [`signed by   ${plainText(signedBy.join(", "))}`] : []),
  ];
}

function countLines({ feed, counts, findings, pruned = 0 }: Verdict): string[] {
  if (counts === undefined || (feed === undefined && pruned === 0)) return [];
  const { firstSeq = 1, events, gaps, missingEvents, epochs } = counts;
  // What the log had lost before its first entry is no gap of the trail.
  const since = firstSeq === 1 ? "" : ` from event ${firstSeq} on`;
  const until = findings.length === 0 ? "" : ", as far as they were counted";
  const lacks =
    gaps === 0
      ? "no gaps"
      : `${gaps === 1 ? "one gap" : `${gaps} gaps`}, in which ${missingEvents} events are missing`;
  return [
    ...(feed === undefined ? [] : [`feed        ${plainText(feed)}`]),
    `events      ${events}${since}, ${lacks}, ${epochs === 1 ? "one epoch" : `${epochs} epochs`}${until}`,
  ];
}

function findingLines({ kind, message, sequence, object, path }: Finding, colours: Colours): string[] {
  const facts = [
    ...(sequence === undefined ? [] : [`  event   ${sequence}`]),
    ...(object === undefined ? [] : [`  object  ${plainText(object)}`]),
    ...(path === undefined ? [] : [`  file    ${path}`]),
  ];
  return [`${colours.red(`${kind}:`)} ${plainText(message)}`, ...facts];
}

function noteLines(verdict: Verdict, colours: Colours): string[] {
  const { checkpoint, findings, pruned = 0, unsigned = [], dailyEntries, dailyGoesOn = false } = verdict;
  const notes: string[] = [];
  if (pruned > 0) notes.push(`entries 0 to ${pruned - 1} were pruned: only their hashes are here`);
  if (checkpoint?.signedBy.length === 0) notes.push(WITHOUT_KEY);
  if (unsigned.length > 0)
    notes.push(
      `${unsigned.length} files hold entries that no checkpoint signs yet, as ${unsigned[0]}: a writer is at work, or was killed and writes them anew, or the checkpoint is an older one`,
    );
  // Behind what was found nothing more may have been compared.
  const isCompared = checkpoint !== undefined && findings.length === 0;
  if (isCompared && dailyEntries !== undefined && dailyEntries < checkpoint.size)
    notes.push(
      `the daily files end before entry ${dailyEntries}: a writer adds the others, or they were cut off`,
    );
  if (isCompared && dailyGoesOn)
    notes.push(
      `the daily files go on behind entry ${checkpoint.size - 1}, with what no checkpoint signs yet: a writer is at work, or the checkpoint is an older one, or lines were added to them`,
    );
  return notes.map((note) => `${colours.yellow("note:")} ${note}`);
}

function lastLine(verdict: Verdict, { trail, kept, colours }: VerdictPage): string {
  const { findings, checkpoint } = verdict;
  if (findings.length > 0) return colours.red(`does not verify: ${plainText(trail)}`);
  const every = verdict.pruned ? `every entry from ${verdict.pruned} on` : "every entry";
  const since = kept === undefined ? "" : `, and begins with the ${kept.size} entries of the kept checkpoint`;
  const what = checkpoint?.signedBy.length === 0 ? "its checkpoint's root" : "the signed root";
  return colours.green(`verifies: ${every} and every tile hashes to ${what}${since}`);
}

/** The same, for programs. */
export function verdictJson(verdict: Verdict): object {
  const { checkpoint, findings, feed, counts, pruned, unsigned, dailyEntries, dailyGoesOn } = verdict;
  return {
    verified: findings.length === 0,
    ...(checkpoint !== undefined && {
      origin: checkpoint.origin,
      size: checkpoint.size,
      root: checkpoint.root.toString("base64"),
      signedBy: checkpoint.signedBy,
    }),
    feed,
    ...counts,
    findings,
    pruned,
    unsigned,
    dailyEntries,
    dailyGoesOn,
  };
}
