import { AlertFold } from "../alerts/fold.ts";
import { render } from "../alerts/render.ts";
import { RuleSet } from "../alerts/rules/rule-set.ts";
import { openLogToRead } from "../bridge/log.ts";
import { resolveConfig } from "../config/resolve.ts";
import type { Given } from "../config/sources.ts";
import type { FeedLog } from "../feed/log.ts";
import type { AlertJson } from "../schemas/alert-schema.ts";
import type { LogEntry } from "../schemas/draft.ts";
import { recordedTimeOf } from "../publishers/delivery/outgoing.ts";
import { parseSince } from "../schemas/since.ts";
import { terminalJson } from "../schemas/terminal-text.ts";
import { silentLogger } from "../telemetry/logger.ts";
import type { Io } from "./io.ts";
import { episodesText } from "./support/alert-texts.ts";
import { coloursFor, stderrColoursFor } from "./support/colours.ts";
import { timeText } from "./support/times.ts";
import { UsageError } from "./support/usage-error.ts";

export interface ReplayOptions {
  /** An age, or a time. */
  readonly since: string;
  readonly json: boolean;
  readonly given: Given;
}

const PAGE = { limit: 1000, maxBytes: 4 * 2 ** 20 };
/** A fold tells for an hour what has ended; who skips more of its time would miss some. */
const STEP_MS = 30 * 60_000;
/** Of events that come at the same time it keeps as many ended alerts as one could make. */
const LOOK_EVERY = 200;

/** Prints what the rules of the configuration would have made fire over the log. Nobody is told, and nothing is written. */
export async function replayAlerts(options: ReplayOptions, io: Io): Promise<void> {
  const sinceMs = sinceOf(options.since, io.clock.now());
  const { config } = resolveConfig(options.given);
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

async function* eventsSince(log: FeedLog, sinceMs: number, signal: AbortSignal): AsyncGenerator<LogEntry[]> {
  let cursor = await log.cursorAt(sinceMs);
  const { sequence: end } = await log.head();
  while (cursor.sequence < end && !signal.aborted) {
    const entries = await log.read(cursor, PAGE);
    if (entries.length === 0) return;
    yield entries;
    cursor = { ...cursor, sequence: entries.at(-1)?.sequence ?? end };
  }
}

/** Folds events and keeps every alert that fires, with its end. */
class Replay {
  readonly #rules: RuleSet;
  readonly #shared: Readonly<Record<string, string>>;
  readonly #fold: AlertFold;
  readonly #episodes = new Map<string, AlertJson>();

  constructor(rules: RuleSet, shared: Readonly<Record<string, string>>) {
    this.#rules = rules;
    this.#shared = shared;
    this.#fold = new AlertFold(rules);
  }

  take(entries: readonly LogEntry[]): void {
    entries.forEach((entry, position) => {
      this.#pass(Date.parse(recordedTimeOf(entry.json) ?? entry.time));
      this.#fold.apply(entry);
      if (position % LOOK_EVERY === 0) this.#look();
    });
    this.#look();
  }

  /** Those that fired, in order. */
  end(nowMs: number): AlertJson[] {
    this.#pass(nowMs);
    this.#fold.tick(nowMs);
    this.#look();
    return [...this.#episodes.values()].toSorted(
      (a, b) => Date.parse(a.firedAt ?? a.startsAt) - Date.parse(b.firedAt ?? b.startsAt),
    );
  }

  #pass(toMs: number): void {
    if (this.#fold.now === 0) return;
    while (toMs - this.#fold.now > STEP_MS) {
      this.#fold.tick(this.#fold.now + STEP_MS);
      this.#look();
    }
  }

  #look(): void {
    for (const alert of [...this.#fold.open, ...this.#fold.ended]) {
      const rule = this.#rules.get(alert.rule);
      if (rule === undefined || alert.state === "pending") continue;
      const rendered = render(alert, rule, this.#shared);
      this.#episodes.set(`${rendered.id}@${rendered.startsAt}`, rendered);
    }
  }
}

function sinceOf(text: string, nowMs: number): number {
  const timeMs = parseSince(text, nowMs);
  if (timeMs !== undefined) return timeMs;
  throw new UsageError(
    `--since: ${JSON.stringify(text)} is not allowed; allowed: an age such as 10m, 1h30m or 7d, or a time such as 2026-08-22T10:15:30Z`,
  );
}
