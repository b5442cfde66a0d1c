import { expect, test } from "vitest";
import { LogUnavailable } from "../../src/feed/errors.ts";
import type { FeedLog, TrimLimits } from "../../src/feed/log.ts";
import { keepWithin } from "../../src/feed/retention.ts";
import { createMetrics } from "../../src/telemetry/metrics.ts";
import { recordingLogger } from "../support/recording-logger.ts";
import { TestClock } from "../support/test-clock.ts";

/** Of a log that is never too large. */
const SMALL: Pick<FeedLog, "head" | "bytes"> = {
  head: async () => ({ epoch: "e", sequence: 0, floor: 0, nomadEpoch: 0 }),
  bytes: async () => 0,
};

test("retention says once that it cannot trim, goes on when it can, and says the next time again", async () => {
  const { logger, lines } = recordingLogger();
  const stop = new AbortController();
  let rounds = 0;
  const trim: FeedLog["trim"] = async () => {
    rounds += 1;
    if (rounds === 4) return { floor: 7, removed: 7 };
    throw rounds === 2 ? new LogUnavailable("Redis is away") : new Error("a defect");
  };
  const times: FeedLog["times"] = async () => ({ nowMs: 0, oldestMs: null, newestMs: null });
  const clock = new TestClock();
  const deps = { logger, metrics: createMetrics(), clock, signal: stop.signal };
  const done = keepWithin({ ...SMALL, trim, times }, {}, deps);
  await clock.advance(4 * 60_000);
  expect(rounds).toBe(9);
  stop.abort();
  await done;
  const away = "retention cannot trim the log; retrying";
  expect(lines).toEqual([away, "retention removed the oldest events", away]);
});

test("a clock that is ahead for a while empties no log, and the rest of the limits holds", async () => {
  const dayMs = 86_400_000;
  const { logger, lines } = recordingLogger();
  const stop = new AbortController();
  const clock = new TestClock(100 * dayMs);
  let aheadMs = 0;
  const asked: TrimLimits[] = [];
  const trim: FeedLog["trim"] = async (limits) => {
    asked.push(limits);
    if (asked.length === 3) stop.abort();
    aheadMs = 10 * dayMs;
    return { floor: 0, removed: 0 };
  };
  const times: FeedLog["times"] = async () => ({
    nowMs: clock.now() + aheadMs,
    oldestMs: 90 * dayMs,
    newestMs: 100 * dayMs,
  });
  const deps = { logger, metrics: createMetrics(), clock, signal: stop.signal };
  await clock.finish(keepWithin({ ...SMALL, trim, times }, { maxEvents: 9, maxAgeMs: 10 * dayMs }, deps));
  expect(asked).toEqual(
    [0, 30_000, 60_000].map((ms) => ({ maxEvents: 9, recordedBeforeMs: 90 * dayMs + ms })),
  );
  expect(lines).toHaveLength(1);
  expect(lines[0]).toContain("the clock jumped ahead by 10 d");
});

test("what one reader has not got yet may be twice as much, as large and as old as the rest", async () => {
  const dayMs = 86_400_000;
  const { logger } = recordingLogger();
  const stop = new AbortController();
  const clock = new TestClock(100 * dayMs);
  const asked: TrimLimits[] = [];
  const trim: FeedLog["trim"] = async (limits) => {
    asked.push(limits);
    if (asked.length === 2) stop.abort();
    return { floor: 0, removed: 0 };
  };
  const times: FeedLog["times"] = async () => ({
    nowMs: clock.now(),
    oldestMs: 99 * dayMs,
    newestMs: 100 * dayMs,
  });
  const after = { name: "trail", through: async () => 7 };
  const deps = { logger, metrics: createMetrics(), clock, signal: stop.signal, after };
  const limits = { maxEvents: 9, maxBytes: 1000, maxAgeMs: 10 * dayMs };
  await clock.finish(keepWithin({ ...SMALL, trim, times }, limits, deps));
  expect(asked).toEqual([
    { maxEvents: 9, maxBytes: 1000, recordedBeforeMs: 90 * dayMs, keepAfter: 7 },
    { maxEvents: 18, maxBytes: 2000, recordedBeforeMs: 80 * dayMs },
  ]);
});
