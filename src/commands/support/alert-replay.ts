import { AlertFold } from "../../alerts/fold.ts";
import { render } from "../../alerts/render.ts";
import type { RuleSet } from "../../alerts/rules/rule-set.ts";
import type { FeedLog } from "../../feed/log.ts";
import type { LoggedEvent } from "../../alerts/model/folded-event.ts";
import type { AlertJson } from "../../schemas/alert-schema.ts";
import type { Cursor } from "../../schemas/cursor.ts";
import type { LogEntry } from "../../schemas/draft.ts";
import { recordedTimeOf } from "../../publishers/delivery/outgoing.ts";
import { parseSince } from "../../schemas/since.ts";
import { UsageError } from "./usage-error.ts";

const PAGE = { limit: 1000, maxBytes: 4 * 2 ** 20 };
/** A fold tells for an hour what has ended; who skips more of its time would miss some. */
const STEP_MS = 30 * 60_000;
/** Of events that come at the same time it keeps as many ended alerts as one could make. */
const LOOK_EVERY = 200;

/** What was recorded since, ms since 1970. */
export async function* eventsSince(
  log: FeedLog,
  sinceMs: number,
  signal: AbortSignal,
): AsyncGenerator<LogEntry[]> {
  const { sequence: end } = await log.head();
  yield* eventsBetween(log, await log.cursorAt(sinceMs), { end, signal });
}

/** After `cursor`, and up to the sequence `end`. */
export async function* eventsBetween(
  log: FeedLog,
  cursor: Cursor,
  { end, signal }: { end: number; signal: AbortSignal },
): AsyncGenerator<LogEntry[]> {
  for (let { sequence } = cursor; sequence < end && !signal.aborted;) {
    const entries = await log.read({ ...cursor, sequence }, PAGE);
    if (entries.length === 0) return;
    yield entries.filter((entry) => entry.sequence <= end);
    sequence = entries.at(-1)?.sequence ?? end;
  }
}

/** Folds events and keeps every alert that fires, with its end. */
export class Replay {
  readonly #rules: RuleSet;
  readonly #shared: Readonly<Record<string, string>>;
  readonly #fold: AlertFold;
  readonly #episodes = new Map<string, AlertJson>();

  constructor(rules: RuleSet, shared: Readonly<Record<string, string>>) {
    this.#rules = rules;
    this.#shared = shared;
    this.#fold = new AlertFold(rules);
  }

  take(entries: readonly LoggedEvent[]): void {
    entries.forEach((entry, position) => {
      this.#pass(Date.parse(recordedTimeOf(entry.json) ?? entry.time));
      this.#fold.apply(entry);
      if (position % LOOK_EVERY === 0) this.#look();
    });
    this.#look();
  }

  /** What the event, the last that was taken, is part of: also what is pending yet. */
  about(id: string): AlertJson[] {
    return [...this.#fold.open, ...this.#fold.ended]
      .filter(({ evidence }) => evidence.includes(id))
      .flatMap((alert) => {
        const rule = this.#rules.get(alert.rule);
        return rule === undefined ? [] : [render(alert, rule, this.#shared)];
      });
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

/** @throws UsageError */
export function sinceOf(text: string, nowMs: number): number {
  const timeMs = parseSince(text, nowMs);
  if (timeMs !== undefined) return timeMs;
  throw new UsageError(
    `--since: ${JSON.stringify(text)} is not allowed; allowed: an age such as 10m, 1h30m or 7d, or a time such as 2026-08-22T10:15:30Z`,
  );
}
