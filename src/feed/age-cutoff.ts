import type { LogTimes } from "./log.ts";

/** Drift between two looks that is no jump: clocks are slewed, rounds are late. */
const DRIFT_MS = 60_000;
/** How long a clock must stand where it jumped to before it is believed. */
const STANDS_MS = 10 * 60_000;
/** A clock is believed at first sight where the newest event is no older than this. */
const FRESH_MS = 3_600_000;
/** One look takes no more than this part of the age: who looks in time loses next to nothing to a wrong clock. */
const STEPS = 500;

export interface Cutoff {
  /** Events recorded before it go; undefined: none goes. Ms since 1970. */
  readonly beforeMs: number | undefined;
  readonly said?: Said;
}

/** What an operator should know, when it begins and when it is over. */
interface Said {
  readonly level: "info" | "warn";
  readonly text: string;
}

/** The log's clock, and ours that nobody sets, at one moment. */
interface Moment {
  readonly clockMs: number;
  readonly elapsedMs: number;
}

/**
 * Up to when events are too old. A clock that is wrong for a while must not empty the log, so it has two witnesses: the
 * time that passed since the last look, by a clock that nobody sets, and at the first look the newest event. While they
 * contradict it, age is told by the time that passed; a clock that stands for ten minutes is believed. And what goes at
 * one look is bounded, whatever the clock says: after a long absence the rest follows within hours.
 */
export class AgeCutoff {
  readonly #maxAgeMs: number;
  /** The clock when it was last believed, and where it has jumped to since. */
  #believed: Moment | undefined;
  #claimed: Moment | undefined;
  #last: { readonly beforeMs: number; readonly elapsedMs: number } | undefined;

  constructor(maxAgeMs: number) {
    this.#maxAgeMs = maxAgeMs;
  }

  look({ nowMs, oldestMs, newestMs }: LogTimes, elapsedMs: number): Cutoff {
    const said = this.#judge({ clockMs: nowMs, elapsedMs }, newestMs);
    const believed = this.#believed;
    const beforeMs =
      believed === undefined || oldestMs === null
        ? undefined
        : this.#step(Math.min(nowMs, at(believed, elapsedMs)) - this.#maxAgeMs, oldestMs, elapsedMs);
    return said === undefined ? { beforeMs } : { beforeMs, said };
  }

  /** Decides whether the clock is believed. Answers what there is to say of it. */
  #judge(now: Moment, newestMs: number | null): Said | undefined {
    const expectedMs = this.#believed === undefined ? newestMs : at(this.#believed, now.elapsedMs);
    if (expectedMs === null || this.#fits(now, expectedMs)) return this.#believe(now);
    const claimed = this.#claimed;
    if (claimed !== undefined && Math.abs(now.clockMs - at(claimed, now.elapsedMs)) <= DRIFT_MS) {
      return now.elapsedMs - claimed.elapsedMs >= STANDS_MS ? this.#believe(now) : undefined;
    }
    this.#claimed = now;
    return this.#doubt(now.clockMs - expectedMs);
  }

  #fits({ clockMs }: Moment, expectedMs: number): boolean {
    const awayMs = Math.abs(clockMs - expectedMs);
    return awayMs <= (this.#believed === undefined ? Math.min(FRESH_MS, this.#maxAgeMs) : DRIFT_MS);
  }

  #doubt(awayMs: number): Said {
    const span = spanText(awayMs);
    if (this.#believed !== undefined) {
      const text = `the clock jumped ${awayMs > 0 ? "ahead" : "back"} by ${span}: retention by age goes by the time that passed until the clock has stood for 10 min`;
      return { level: "warn", text };
    }
    const text = `the clock is ${span} ${awayMs > 0 ? "after" : "before"} the newest event: retention by age begins when the clock has stood for 10 min`;
    // Nothing happened for some hours: that is common, and costs nothing.
    return { level: awayMs > 0 && awayMs < this.#maxAgeMs ? "info" : "warn", text };
  }

  #believe(now: Moment): Said | undefined {
    const doubted = this.#claimed !== undefined;
    this.#believed = now;
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
