import { expect, test } from "vitest";
import { LogUnavailable } from "../../src/feed/errors.ts";
import type { FeedLog } from "../../src/feed/log.ts";
import { keepWithin } from "../../src/feed/retention.ts";
import { createMetrics } from "../../src/telemetry/metrics.ts";
import { recordingLogger } from "../support/recording-logger.ts";
import { until } from "../support/until.ts";

test("retention says once that it cannot trim, goes on when it can, and says the next time again", async () => {
  const { logger, lines } = recordingLogger();
  const stop = new AbortController();
  let rounds = 0;
  const trim: FeedLog["trim"] = async () => {
    rounds += 1;
    if (rounds === 4) return { floor: 7, removed: 7 };
    throw rounds === 2 ? new LogUnavailable("Redis is away") : new Error("a defect");
  };
  const metrics = createMetrics();
  const done = keepWithin({ trim }, {}, { logger, metrics, signal: stop.signal, everyMs: 1 });
  await until("some rounds", () => rounds > 8);
  stop.abort();
  await done;
  const away = "retention could not trim the log; trying again at every round";
  expect(lines).toEqual([away, "retention removed the oldest events", away]);
});
