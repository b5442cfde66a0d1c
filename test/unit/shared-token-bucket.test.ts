import { expect, it } from "vitest";
import { TokenBucket } from "../../src/shared/token-bucket.ts";
import { TestClock } from "../support/test-clock.ts";

it("gives a burst at once, then so many a second, and never saves up more than a burst", () => {
  const clock = new TestClock();
  const bucket = new TokenBucket({ perSecond: 2, burst: 3 }, clock);
  const take = (times: number) => Array.from({ length: times }, () => bucket.tryTake());
  expect(take(4)).toEqual([true, true, true, false]);
  clock.pass(499);
  expect(take(1)).toEqual([false]);
  clock.pass(1);
  expect(take(2)).toEqual([true, false]);
  clock.pass(3_600_000);
  expect(take(4)).toEqual([true, true, true, false]);
});

it("owes what was used beyond what was there, until that is earned", () => {
  const clock = new TestClock();
  const bucket = new TokenBucket({ perSecond: 2, burst: 3 }, clock);
  bucket.spend(3);
  expect(bucket.debtMs).toBe(0);
  bucket.spend(4);
  expect(bucket.debtMs).toBe(2000);
  clock.pass(1500);
  expect(bucket.debtMs).toBe(500);
  expect(bucket.tryTake()).toBe(false);
  clock.pass(1000);
  expect([bucket.debtMs, bucket.tryTake()]).toEqual([0, true]);
});
