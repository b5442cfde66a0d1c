import { beforeEach, describe, expect, test } from "vitest";
import { AgeCutoff } from "../../src/feed/age-cutoff.ts";

const MINUTE_MS = 60_000;
const DAY_MS = 86_400_000;
const AGE_MS = 7 * DAY_MS;
const START_MS = Date.parse("2026-08-22T10:00:00Z");

/** The true time, how far the clock is off, and a log with an event each minute. */
let trueMs: number;
let offMs: number;
let oldestMs: number;
let cutoff: AgeCutoff;
let notice: string[];
beforeEach(() => {
  trueMs = START_MS;
  offMs = 0;
  oldestMs = START_MS - AGE_MS;
  cutoff = new AgeCutoff(AGE_MS);
  notice = [];
});

/** A check every half minute; what is cut off is gone. */
function pass(ms: number): void {
  for (let passedMs = 0; passedMs < ms; passedMs += 30_000) {
    trueMs += 30_000;
    const times = { nowMs: trueMs + offMs, oldestMs, newestMs: trueMs };
    const checked = cutoff.check(times, trueMs - START_MS);
    if (checked.notice !== undefined) notice.push(checked.notice.text);
    if (checked.beforeMs !== undefined) oldestMs = Math.max(oldestMs, checked.beforeMs);
  }
}
const keptMs = () => trueMs - oldestMs;

describe("retention by age", () => {
  test("keeps what is younger, and nothing else, while the clock is right", () => {
    pass(DAY_MS);
    expect(keptMs()).toBe(AGE_MS);
    expect(notice).toEqual([]);
  });

  test("follows a clock that is slewed", () => {
    for (let round = 0; round < 100; round += 1) {
      offMs += 5000;
      pass(30_000);
    }
    expect(oldestMs).toBe(trueMs + offMs - AGE_MS);
    expect(notice).toEqual([]);
  });

  test.each([30_000, 5 * MINUTE_MS])("loses nothing to a clock that is ahead for %d ms", (ms) => {
    pass(MINUTE_MS);
    offMs = 30 * DAY_MS;
    pass(ms);
    offMs = 0;
    pass(30_000);
    expect(keptMs()).toBe(AGE_MS);
    expect(notice).toEqual([
      "the clock jumped ahead by 30 d: retention by age goes by the time that passed until the clock has stood for 10 min",
      "retention by age goes by the clock again",
    ]);
  });

  test("loses nothing to a clock that jumps to and fro", () => {
    pass(MINUTE_MS);
    for (let round = 0; round < 100; round += 1) {
      offMs = round % 2 === 0 ? 30 * DAY_MS : 40 * DAY_MS;
      pass(9 * MINUTE_MS);
    }
    expect(keptMs()).toBe(AGE_MS);
  });

  test("loses nothing for ten minutes, and then little at a time, to a clock that stays ahead", () => {
    pass(MINUTE_MS);
    offMs = 30 * DAY_MS;
    pass(10 * MINUTE_MS);
    expect(keptMs()).toBe(AGE_MS);
    pass(10 * MINUTE_MS);
    expect(keptMs()).toBeGreaterThan(AGE_MS * 0.95);
    pass(DAY_MS);
    expect(keptMs()).toBeLessThanOrEqual(0);
  });

  test("trusts at the start no clock that the newest event contradicts, until it has stood", () => {
    offMs = 30 * DAY_MS;
    pass(9 * MINUTE_MS);
    expect(oldestMs).toBe(START_MS - AGE_MS);
    offMs = 0;
    pass(MINUTE_MS);
    expect(keptMs()).toBe(AGE_MS);
    expect(notice[0]).toBe(
      "the clock is 30 d after the newest event: retention by age begins when the clock has stood for 10 min",
    );
  });

  test("trusts at the start no clock by which the newest event would go", () => {
    const times = { nowMs: START_MS, oldestMs, newestMs: START_MS - 30 * MINUTE_MS };
    const short = new AgeCutoff(10 * MINUTE_MS).check(times, 0);
    expect(short.beforeMs).toBeUndefined();
    expect(short.notice?.level).toBe("warn");
    expect(new AgeCutoff(AGE_MS).check(times, 0).beforeMs).toBe(START_MS - AGE_MS);
  });

  test("keeps more, never less, while the clock is behind, and goes by it once it stands", () => {
    pass(MINUTE_MS);
    const before = oldestMs;
    offMs = -DAY_MS;
    pass(20 * MINUTE_MS);
    expect(oldestMs).toBe(before);
    expect(notice).toHaveLength(2);
    pass(2 * DAY_MS);
    expect(oldestMs).toBe(trueMs + offMs - AGE_MS);
  });

  test("catches up after a long absence within hours", () => {
    oldestMs = START_MS - 30 * DAY_MS;
    pass(DAY_MS);
    expect(keptMs()).toBe(AGE_MS);
  });

  test("goes on though the log could not let go of what was cut off", () => {
    const times = { nowMs: START_MS, oldestMs: START_MS - 30 * DAY_MS, newestMs: START_MS };
    const cut = [0, 1, 2].map(() => cutoff.check(times, 0).beforeMs);
    expect(cut).toEqual([1, 2, 3].map((checks) => times.oldestMs + (checks * AGE_MS) / 500));
  });

  test("has nothing to cut off in an empty log", () => {
    const empty = { nowMs: START_MS, oldestMs: null, newestMs: null };
    expect(cutoff.check(empty, 0)).toEqual({ beforeMs: undefined });
  });

  test("says at the start in passing that nothing happened for some hours", () => {
    const quiet = { nowMs: START_MS, oldestMs, newestMs: START_MS - 5 * 3_600_000 };
    expect(cutoff.check(quiet, 0).notice).toMatchObject({ level: "info" });
    const old = { nowMs: START_MS, oldestMs, newestMs: START_MS - 8 * DAY_MS };
    expect(new AgeCutoff(AGE_MS).check(old, 0).notice).toMatchObject({ level: "warn" });
  });
});
