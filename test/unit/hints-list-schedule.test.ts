import { beforeEach, describe, expect, it } from "vitest";
import { ListSchedule } from "../../src/pollers/hints/list-schedule.ts";
import { TestClock } from "../support/test-clock.ts";

const QUIET_MS = 5_000;
const FULL_EVERY_MS = 300_000;
/** Of a list that takes 100 ms. */
const CHEAP_EVERY_MS = 30_000;

describe("when a list is due", () => {
  let clock: TestClock;
  let schedule: ListSchedule;

  /** Reads a list that takes so long. */
  const read = (index: bigint, tookMs = 100) => {
    const settle = schedule.asks();
    clock.pass(tookMs);
    settle(index);
  };

  beforeEach(() => {
    clock = new TestClock();
    schedule = new ListSchedule(clock, { quietMs: QUIET_MS, fullEveryMs: FULL_EVERY_MS });
    read(10n);
  });

  it("as often as it is to be read at least, also after one that Nomad took long for", () => {
    read(10n, 60_000);
    expect(schedule.dueInMs).toBe(FULL_EVERY_MS);
  });

  it("every few minutes in any case", () => {
    read(10n, 2_000);
    expect(schedule.dueInMs).toBe(FULL_EVERY_MS);
    clock.pass(FULL_EVERY_MS);
    expect(schedule.dueInMs).toBe(0);
  });

  it.each([
    [0, 15_000],
    [50, 15_000],
    [100, CHEAP_EVERY_MS],
    [900, 270_000],
  ])("more often where reading takes %i ms: a write may hide behind one that is explained", (tookMs, due) => {
    read(10n, tookMs);
    expect(schedule.dueInMs).toBe(due);
  });

  it.each([
    [100_000, 15_000],
    [8_000_000, 60_000],
    [80_000_000, FULL_EVERY_MS],
  ])("more rarely the larger it is, where no list was timed yet: with %i bytes", (bytes, due) => {
    schedule = new ListSchedule(clock, { quietMs: QUIET_MS, fullEveryMs: FULL_EVERY_MS });
    schedule.listed(bytes);
    expect(schedule.dueInMs).toBe(due);
    read(11n, 100);
    schedule.listed(bytes);
    expect(schedule.dueInMs).toBe(CHEAP_EVERY_MS);
  });

  it("some time after the last write that nothing explains", () => {
    schedule.unexplained(11n);
    clock.pass(3_000);
    schedule.unexplained(12n);
    expect(schedule.dueInMs).toBe(QUIET_MS);
  });

  it("also where such writes never cease", () => {
    for (let at = 0; at < 14; at++) {
      schedule.unexplained(BigInt(11 + at));
      clock.pass(1_000);
    }
    expect(schedule.dueInMs).toBe(1_000);
  });

  it("not for what a hint explains afterwards, or the list had already", () => {
    schedule.unexplained(11n);
    schedule.unexplained(12n);
    schedule.explain((index) => index === 11n);
    expect(schedule.isUnexplained).toBe(true);
    schedule.explain((index) => index === 12n);
    expect(schedule.isUnexplained).toBe(false);
    schedule.unexplained(13n);
    read(13n);
    expect(schedule.dueInMs).toBe(CHEAP_EVERY_MS);
  });

  it("again for what was written after the list that came meanwhile", () => {
    schedule.unexplained(11n);
    const settle = schedule.asks();
    schedule.unexplained(12n);
    settle(11n);
    expect(schedule.isUnexplained).toBe(true);
  });

  it("some time after what is left when a list has the rest", () => {
    schedule.unexplained(11n);
    clock.pass(14_000);
    const settle = schedule.asks();
    schedule.unexplained(12n);
    settle(11n);
    expect(schedule.dueInMs).toBe(QUIET_MS);
  });

  it("for the last of more writes than are remembered", () => {
    for (let index = 11n; index < 1_500n; index++) schedule.unexplained(index);
    const settle = schedule.asks();
    schedule.unexplained(1_500n);
    settle(1_499n);
    expect(schedule.isUnexplained).toBe(true);
    read(1_500n);
    expect(schedule.isUnexplained).toBe(false);
  });

  it("once for what may have been written at an index that the table never gets to", () => {
    schedule.rumoured(11n);
    read(10n);
    expect(schedule.isUnexplained).toBe(true);
    clock.pass(QUIET_MS);
    read(10n);
    expect(schedule.isUnexplained).toBe(false);
  });

  it("until it is as new as what was written, also where the same may have been written", () => {
    schedule.unexplained(11n);
    schedule.rumoured(11n);
    clock.pass(QUIET_MS);
    read(10n);
    expect(schedule.isUnexplained).toBe(true);
  });

  it("not for what was of another history", () => {
    schedule.unexplained(11n);
    schedule.hurry("contradictory", 11n);
    schedule.forget();
    expect(schedule.dueInMs).toBe(CHEAP_EVERY_MS);
  });

  it("at once where hints were missed, until a list that was asked for afterwards", () => {
    const settle = schedule.asks();
    schedule.hurry("the stream was away");
    settle(11n);
    expect(schedule.urgent).toBe("the stream was away");
    expect(schedule.dueInMs).toBeLessThanOrEqual(0);
    read(11n, 0);
    expect(schedule.urgent).toBeNull();
  });

  it("at once until a list is there that is not older than what is doubted", () => {
    schedule.hurry("contradictory", 20n);
    read(19n, 0);
    expect(schedule.urgent).toBe("contradictory");
    read(20n, 0);
    expect(schedule.urgent).toBeNull();
  });

  it("never so often that reading takes more than a tenth of the time", () => {
    read(11n, 2_000);
    schedule.hurry("the stream was away");
    expect(schedule.dueInMs).toBe(18_000);
  });
});
