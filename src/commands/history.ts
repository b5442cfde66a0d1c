import { didYouMean } from "../schemas/nearest.ts";
import { readOptions, type Given } from "../config/sources.ts";
import { SIGNAL_NAMES } from "../events/signals.ts";
import type { FeedLog, HistoryQuery } from "../feed/log.ts";
import { parseSince } from "../schemas/since.ts";
import { plainText, terminalJson } from "../schemas/terminal-text.ts";
import { silentLogger } from "../telemetry/logger.ts";
import type { Io } from "./io.ts";
import { coloursFor, stderrColoursFor } from "./support/colours.ts";
import { eventLine } from "./support/event-line.ts";
import { openLogToRead } from "../bridge/log.ts";
import {
  completeSelector,
  parseSelector,
  whyNothing,
  type ObjectSelector,
} from "./support/object-selector.ts";
import { UsageError } from "./support/usage-error.ts";
import { writeText } from "./support/write-text.ts";

export interface HistoryOptions {
  /** `job/web`; absent: everything. */
  readonly object?: string;
  /** The object alone, without what belongs to it. */
  readonly only: boolean;
  readonly since?: string;
  readonly until?: string;
  readonly namespace?: string;
  readonly signal?: string;
  readonly limit: string;
  readonly json: boolean;
  readonly given: Given;
}

/**
 * Prints what the log remembers, newest last, straight from the log; a process that writes it is not
 * disturbed. A job's history includes its allocations, deployments and evaluations, a node's its allocations.
 */
export async function history(options: HistoryOptions, io: Io): Promise<void> {
  const { values } = readOptions(["feed"], options.given);
  const query = queryOf(options, io.clock.now());
  const selector = options.object === undefined ? undefined : parseSelector(options.object);
  const log = await openLogToRead(values.feed, { logger: silentLogger(), clock: io.clock });
  try {
    const whole = selector && (await completeSelector(log, selector));
    const conditions = whole === undefined ? {} : conditionsOf(whole, options.only);
    const count = await print(log, { ...query, ...conditions }, options.json, io);
    if (count > 0) return;
    const why = whole && (await whyNothing(log, whole));
    io.stderr.write(`nothing in the log matches${why === undefined ? "" : `: ${plainText(why)}`}\n`);
  } finally {
    await log[Symbol.asyncDispose]();
  }
}

/** Answers how many events there were. */
async function print(log: FeedLog, query: HistoryQuery, json: boolean, io: Io): Promise<number> {
  const colours = coloursFor(io);
  const { dim } = stderrColoursFor(io);
  const found = await log.history({ ...query, limit: query.limit + 1 });
  const { floor } = await log.head();
  if (found.length > query.limit) {
    io.stderr.write(dim(`only the newest ${query.limit} are shown; --limit shows more\n`));
  } else if (floor > 0) {
    io.stderr.write(dim(`events up to number ${floor} are gone (retention)\n`));
  }
  for (const entry of found.slice(0, query.limit).toReversed()) {
    if (io.signal.aborted) break;
    const line = json ? terminalJson(entry.json) : eventLine(entry.json, colours, io.columns());
    await writeText(io.stdout, `${line}\n`, io.signal);
  }
  return found.length;
}

function conditionsOf(
  { resource, key }: ObjectSelector,
  only: boolean,
): Pick<HistoryQuery, "resource" | "key" | "job" | "node"> {
  if (!only && resource === "jobs") return { job: key };
  if (!only && resource === "nodes") return { node: key };
  return { resource, key };
}

function queryOf(options: HistoryOptions, nowMs: number): HistoryQuery {
  const { namespace, signal } = options;
  const sinceMs = timeOf("--since", options.since, nowMs);
  const untilMs = timeOf("--until", options.until, nowMs);
  if (signal !== undefined && !SIGNAL_NAMES.includes(signal)) {
    throw new UsageError(
      `--signal: there is no signal ${JSON.stringify(signal)}${didYouMean(signal, SIGNAL_NAMES)}`,
      {
        hint: `Allowed: ${SIGNAL_NAMES.join(", ")}`,
      },
    );
  }
  return {
    order: "newest-first",
    limit: limitOf(options.limit),
    ...(namespace === undefined ? {} : { namespace }),
    ...(signal === undefined ? {} : { signal }),
    ...(sinceMs === undefined ? {} : { sinceMs }),
    ...(untilMs === undefined ? {} : { untilMs }),
  };
}

function limitOf(text: string): number {
  if (/^[1-9]\d{0,8}$/.test(text)) return Number(text);
  throw new UsageError(`--limit: ${JSON.stringify(text)} is not allowed; allowed: a whole number from 1`);
}

function timeOf(flag: string, text: string | undefined, nowMs: number): number | undefined {
  if (text === undefined) return undefined;
  const timeMs = parseSince(text, nowMs);
  if (timeMs !== undefined) return timeMs;
  throw new UsageError(
    `${flag}: ${JSON.stringify(text)} is not allowed; allowed: an age such as 10m, 1h30m or 2d, or a time such as 2026-08-22T10:15:30Z`,
  );
}
