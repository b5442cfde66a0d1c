import { RuleSet } from "../alerts/rules/rule-set.ts";
import { openLogToRead } from "../bridge/log.ts";
import { resolveSingle } from "../config/resolve.ts";
import type { Given } from "../config/sources.ts";
import type { FeedLog } from "../feed/log.ts";
import { terminalJson } from "../schemas/terminal-text.ts";
import { silentLogger } from "../telemetry/logger.ts";
import type { Io } from "./io.ts";
import { eventsSince, Replay, sinceOf } from "./support/alert-replay.ts";
import { episodesText } from "./support/alert-texts.ts";
import { coloursFor, stderrColoursFor } from "./support/colours.ts";
import { timeText } from "./support/times.ts";

export interface ReplayOptions {
  /** An age, or a time. */
  readonly since: string;
  readonly json: boolean;
  readonly given: Given;
}

/** Prints what the rules of the configuration would have made fire over the log. Nobody is told, and nothing is written. */
export async function replayAlerts(options: ReplayOptions, io: Io): Promise<void> {
  const sinceMs = sinceOf(options.since, io.clock.now());
  const { config } = resolveSingle(options.given);
  const rules = new RuleSet(config.alerts?.rules ?? []);
  const log = await openLogToRead(config.feed, { logger: silentLogger(), clock: io.clock });
  try {
    await sayFromWhen(log, sinceMs, io);
    const replay = new Replay(rules, { cluster: config.cluster });
    for await (const entries of eventsSince(log, sinceMs, io.signal)) replay.take(entries);
    const episodes = replay.end(io.clock.now());
    const page = { colours: coloursFor(io), columns: io.isTTY ? io.columns() : undefined };
    io.stdout.write(
      options.json
        ? `${terminalJson(JSON.stringify({ alerts: episodes }, null, 2))}\n`
        : episodesText(episodes, page),
    );
  } finally {
    await log[Symbol.asyncDispose]();
  }
}

/** What was wrong before the first event, nobody knows. */
async function sayFromWhen(log: FeedLog, sinceMs: number, io: Io): Promise<void> {
  const { oldestMs } = await log.times();
  if (oldestMs === null || oldestMs <= sinceMs) return;
  const { dim } = stderrColoursFor(io);
  io.stderr.write(dim(`the log begins at ${timeText(new Date(oldestMs).toISOString())}\n`));
}
