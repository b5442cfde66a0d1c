import type { LogTimes } from "./log.ts";

/** Drift between two checks that is no jump: clocks are slewed, rounds are late. */
const DRIFT_MS = 60_000;
/** How long a clock must stand where it jumped to before it is trusted. */
const STANDS_MS = 10 * 60_000;
/** A clock is trusted at first sight where the newest event is no older than this. */
const FRESH_MS = 3_600_000;
/** One check takes no more than this part of the age: who checks in time loses next to nothing to a wrong clock. */
const STEPS = 500;

export interface Cutoff {
  /** Events recorded before it go; undefined: none goes. Ms since 1970. */
  readonly beforeMs: number | undefined;
  readonly notice?: ClockNotice;
}

/** What an operator should know, when it begins and when it is over. */
interface ClockNotice {
  readonly level: "info" | "warn";
  readonly text: string;
}

/** The log's clock, and ours that nobody sets, at one moment. */
interface Moment {
  readonly clockMs: number;
  readonly elapsedMs: number;
}

/**
 * Up to when events are too old. A clock that is wrong for a while must not empty the log, so two things confirm it:
 * the time that passed since the last check, by a clock that nobody sets, and at the first check the newest event.
 * While they contradict it, age is told by the time that passed; a clock that stands for ten minutes is trusted. And
 * what goes at one check is bounded, whatever the clock says: after a long absence the rest follows within hours.
 */
export class AgeCutoff {
  readonly #maxAgeMs: number;
  /** The clock when it was last trusted, and where it has jumped to since. */
  #trusted: Moment | undefined;
  #claimed: Moment | undefined;
  #last: { readonly beforeMs: number; readonly elapsedMs: number } | undefined;

  constructor(maxAgeMs: number) {
    this.#maxAgeMs = maxAgeMs;
  }

  check({ nowMs, oldestMs, newestMs }: LogTimes, elapsedMs: number): Cutoff {
    const notice = this.#assess({ clockMs: nowMs, elapsedMs }, newestMs);
    const trusted = this.#trusted;
    const beforeMs =
      trusted === undefined || oldestMs === null
        ? undefined
        : this.#step(Math.min(nowMs, at(trusted, elapsedMs)) - this.#maxAgeMs, oldestMs, elapsedMs);
    return notice === undefined ? { beforeMs } : { beforeMs, notice };
  }

  /** Decides whether the clock is trusted. Answers what there is to say of it. */
  #assess(now: Moment, newestMs: number | null): ClockNotice | undefined {
    const expectedMs = this.#trusted === undefined ? newestMs : at(this.#trusted, now.elapsedMs);
    if (expectedMs === null || this.#fits(now, expectedMs)) return this.#trust(now);
    const claimed = this.#claimed;
    if (claimed !== undefined && Math.abs(now.clockMs - at(claimed, now.elapsedMs)) <= DRIFT_MS) {
      return now.elapsedMs - claimed.elapsedMs >= STANDS_MS ? this.#trust(now) : undefined;
    }
    this.#claimed = now;
    return this.#doubt(now.clockMs - expectedMs);
  }

  #fits({ clockMs }: Moment, expectedMs: number): boolean {
    const awayMs = Math.abs(clockMs - expectedMs);
    return awayMs <= (this.#trusted === undefined ? Math.min(FRESH_MS, this.#maxAgeMs) : DRIFT_MS);
  }

  #doubt(awayMs: number): ClockNotice {
    const span = spanText(awayMs);
    if (this.#trusted !== undefined) {
      const text = `the clock jumped ${awayMs > 0 ? "ahead" : "back"} by ${span}: retention by age goes by the time that passed until the clock has stood for 10 min`;
      return { level: "warn", text };
    }
    const text = `the clock is ${span} ${awayMs > 0 ? "after" : "before"} the newest event: retention by age begins when the clock has stood for 10 min`;
    // Nothing happened for some hours: that is common, and costs nothing.
    return { level: awayMs > 0 && awayMs < this.#maxAgeMs ? "info" : "warn", text };
  }

  #trust(now: Moment): ClockNotice | undefined {
    const doubted = this.#claimed !== undefined;
    this.#trusted = now;
    this.#claimed = undefined;
    return doubted ? { level: "info", text: "retention by age goes by the clock again" } : undefined;
  }

  #step(wantedMs: number, oldestMs: number, elapsedMs: number): number {
    const fromMs = Math.max(oldestMs, this.#last?.beforeMs ?? 0);
    const passedMs = elapsedMs - (this.#last?.elapsedMs ?? elapsedMs);
    const beforeMs = Math.min(wantedMs, fromMs + Math.max(2 * passedMs, this.#maxAgeMs / STEPS));
    this.#last = { beforeMs, elapsedMs };
    return beforeMs;
  }
}

function at({ clockMs, elapsedMs }: Moment, nowElapsedMs: number): number {
  return clockMs + (nowElapsedMs - elapsedMs);
}

function spanText(ms: number): string {
  const minutes = Math.round(Math.abs(ms) / 60_000);
  if (minutes < 120) return `${minutes} min`;
  return minutes < 2880 ? `${Math.round(minutes / 60)} h` : `${Math.round(minutes / 1440)} d`;
}
