import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { deadlineOf, every, systemClock } from "../../src/shared/clock.ts";
import { endsWithin } from "../../src/shared/ends-within.ts";
import { TestClock } from "../support/test-clock.ts";

describe.each([
  ["the system's clock", () => systemClock, (work: Promise<unknown>) => work],
  [
    "a clock of a test",
    () => new TestClock(),
    (work: Promise<unknown>, clock: TestClock) => clock.finish(work),
  ],
] as const)("%s", (_name, make, finish) => {
  it("wakes who sleeps in time, or when they are aborted", async () => {
    const clock = make();
    const beganMs = clock.elapsed();
    await finish(clock.sleep(5), clock as TestClock);
    expect(clock.elapsed() - beganMs).toBeGreaterThan(4);
    const abort = new AbortController();
    const long = clock.sleep(2 ** 40, abort.signal);
    abort.abort(new Error("no error of the sleep"));
    await long;
    await clock.sleep(2 ** 40, abort.signal);
  });

  it("calls after so long, unless it is cancelled", async () => {
    const clock = make();
    const called: string[] = [];
    clock.after(1, () => called.push("cancelled"))();
    const later = [3, 1].map(
      (ms) =>
        new Promise<void>((resolve) => {
          clock.after(ms, () => {
            called.push(`after ${ms}`);
            resolve();
          });
        }),
    );
    await finish(Promise.all(later), clock as TestClock);
    // On a busy machine both are due at once, in any order.
    expect(called.toSorted()).toEqual(["after 1", "after 3"]);
  });
});

it("every so often calls until it is ended", async () => {
  const clock = new TestClock();
  let calls = 0;
  const end = every(clock, 100, () => (calls += 1));
  await clock.advance(350);
  expect(calls).toBe(3);
  end();
  await clock.advance(1000);
  expect(calls).toBe(3);
});

it("a deadline aborts when its time is over, and not once it is disposed of", async () => {
  const clock = new TestClock();
  const kept = deadlineOf(clock, 100);
  const dropped = deadlineOf(clock, 50);
  dropped[Symbol.dispose]();
  await clock.advance(99);
  expect(kept.signal.aborted).toBe(false);
  await clock.advance(1);
  expect(kept.signal.reason).toMatchObject({ message: "nothing within 100 ms" });
  expect(dropped.signal.aborted).toBe(false);
});

it("tells whether work ends in time, well or not, and leaves no timer behind", async () => {
  const clock = new TestClock();
  const work = (ms: number) => clock.sleep(ms).then(() => Promise.reject(new Error("in vain")));
  expect(await clock.finish(endsWithin(100, work(99), clock))).toBe(true);
  const late = work(200);
  expect(await clock.finish(endsWithin(100, late, clock))).toBe(false);
  await expect(clock.finish(late)).rejects.toThrow("in vain");
  const beganMs = clock.elapsed();
  await clock.finish(endsWithin(100, Promise.resolve(), clock));
  expect(clock.elapsed()).toBe(beganMs);
});

it("lets one of those who work in slices go on at a time, and everything else in between", async () => {
  let turns = 0;
  let isDone = false;
  const countTurns = () => {
    turns += 1;
    if (!isDone) setImmediate(countTurns);
  };
  setImmediate(countTurns);
  const seen: number[] = [];
  const work = async () => {
    for (let slice = 0; slice < 3; slice += 1) {
      await systemClock.yield();
      seen.push(turns);
    }
  };
  await Promise.all([work(), work(), work()]);
  isDone = true;
  expect(new Set(seen).size).toBe(9);
});

describe("the system's clock", () => {
  const warnings: Error[] = [];
  const onWarning = (warning: Error) => void warnings.push(warning);
  beforeEach(() => void process.on("warning", onWarning));
  afterEach(() => void process.off("warning", onWarning));

  it("takes what is due already for due now, and Node has nothing to warn of", async () => {
    await systemClock.sleep(-3.2);
    await new Promise<void>((resolve) => {
      systemClock.after(-3.2, resolve);
    });
    await systemClock.yield();
    expect(warnings).toEqual([]);
  });
});
