import { parseSince } from "../../schemas/since.ts";
import { plainText } from "../../schemas/terminal-text.ts";
import type { Checkpoint } from "../../tlog/checkpoint.ts";
import { keyText } from "../../tlog/note-keys.ts";
import { openNote, signNote } from "../../tlog/note.ts";
import type { Io } from "../io.ts";
import { parseSelector } from "../support/object-selector.ts";
import { UsageError } from "../support/usage-error.ts";
import { writeText } from "../support/write-text.ts";
import { openCheckpoint, parseKeys, readGiven } from "./checkpoints.ts";
import { ObjectHistory, type HistoryQuestion } from "./object-history.ts";
import { currentCheckpoint } from "./prove.ts";
import { checkpointIn, reportText } from "./report-text.ts";
import { openTrailFiles } from "./open-trail-files.ts";
import { signerAt } from "./signer-at.ts";
import type { TrailFiles } from "./trail-files.ts";
import type { TrailOptions } from "./trail-options.ts";
import { verifiedEntries } from "./verified-entries.ts";

/** `keys`: none for that of `signWith`. */
export interface ReportOptions extends TrailOptions {
  readonly object: string;
  readonly namespace?: string | undefined;
  readonly since?: string | undefined;
  /** env:NAME or file:PATH of a private key. */
  readonly signWith: string;
}

/** Prints what a trail says of one object, each line with its index, signed. @throws TlogFormatError, NoteSignatureError */
export async function report(trail: string, options: ReportOptions, io: Io): Promise<void> {
  const madeAtMs = io.clock.now();
  const question = questionOf(options, madeAtMs);
  const signer = signerAt(options.signWith, "--sign-with", io);
  const keys = options.keys.length === 0 ? [signer.verifierKey] : options.keys;
  await using files = openTrailFiles(trail, options, io);
  const checkpoint = await currentCheckpoint(files, { keys });
  const { lines, from } = await historyOf(files, checkpoint, question, io.signal);
  const { size, note } = checkpoint;
  const text = reportText({ question, lines, madeAtMs, from, size, checkpoint: note });
  await writeText(io.stdout, signNote(text, [signer]), io.signal);
}

/**
 * Says whether a report is as one of the keys signed it, and the checkpoint in it too.
 * @throws UsageError, TlogFormatError, NoteSignatureError
 */
export async function checkReport(path: string, texts: readonly string[], io: Io): Promise<void> {
  const keys = parseKeys(texts);
  const { text, signers } = openNote(await readGiven(path), keys);
  const { origin, size } = openCheckpoint(checkpointIn(text), keys);
  io.stdout.write(
    `the report is as ${signers.map(keyText).join(" and ")} signed it,\n` +
      `made from the signed checkpoint of ${plainText(origin)} with ${size} entries\n`,
  );
}

async function historyOf(
  files: TrailFiles,
  checkpoint: Checkpoint,
  question: HistoryQuestion,
  signal: AbortSignal,
): Promise<{ lines: ObjectHistory["lines"]; from: number }> {
  const history = new ObjectHistory(question, (path) => files.read(path));
  let from: number | undefined;
  for await (const entry of verifiedEntries(files, checkpoint)) {
    signal.throwIfAborted();
    from ??= entry.index;
    await history.take(entry);
  }
  history.end();
  return { lines: history.lines, from: from ?? checkpoint.size };
}

function questionOf({ object, namespace, since }: ReportOptions, nowMs: number): HistoryQuestion {
  const sinceMs = since === undefined ? undefined : parseSince(since, nowMs);
  if (since !== undefined && sinceMs === undefined) {
    throw new UsageError(
      `--since: ${JSON.stringify(since)} is not allowed; allowed: an age such as 12h or 30d, or a time such as 2026-08-22T10:15:30Z`,
    );
  }
  return {
    object: parseSelector(object),
    ...(namespace !== undefined && { namespace }),
    ...(sinceMs !== undefined && { sinceMs }),
  };
}
