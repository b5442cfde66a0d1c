import { beforeEach, expect, it } from "vitest";
import { LogClock } from "../../src/publishers/alerting/log-clock.ts";
import { TestClock } from "../support/test-clock.ts";

const HOURS = 3_600_000;

let clock: TestClock;
let beganMs: number;
beforeEach(() => {
  clock = new TestClock();
  beganMs = clock.now();
});

it("is the time of a log elsewhere, whatever this machine's clock is set to", async () => {
  const aheadMs = 5_000 + clock.now() - clock.elapsed();
  const log = { times: async () => ({ nowMs: clock.elapsed() + aheadMs, oldestMs: null, newestMs: null }) };
  const time = new LogClock(log, clock);
  await time.compare();
  clock.pass(10_000);
  clock.set(3 * HOURS);
  expect(time.now() - beganMs).toBe(15_000);
  await time.compare();
  expect(time.now() - beganMs).toBe(15_000);
});

it("is at once what this machine's clock is set to, where the log goes by that", async () => {
  const log = { times: async () => ({ nowMs: clock.now(), oldestMs: null, newestMs: null }) };
  const time = new LogClock(log, clock);
  await time.compare();
  clock.pass(10_000);
  clock.set(3 * HOURS);
  await time.compare();
  expect(time.now() - beganMs).toBe(3 * HOURS + 10_000);
});
