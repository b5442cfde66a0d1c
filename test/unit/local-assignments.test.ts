import { expect, it } from "vitest";
import { LocalAssignments } from "../../src/coordination/local/local-assignments.ts";
import { createMetrics } from "../../src/telemetry/metrics.ts";
import { TestHolder } from "../support/assignment-holders.ts";
import { recordingLogger } from "../support/recording-logger.ts";
import { TestClock } from "../support/test-clock.ts";

it.each([
  ["jobs/default", "the scope; no longer watching it here"],
  ["deliver/ops", "the destination ops; no longer delivering to it here"],
  ["alerts", "the alerts; no longer making any here"],
])("one process that loses %s to another says what it does no longer", async (assignment, lost) => {
  const { logger, lines } = recordingLogger();
  const clock = new TestClock();
  const local = new LocalAssignments({ worker: "me", logger, metrics: createMetrics(), clock });
  const holder = new TestHolder();
  holder.endings.set(assignment, "fenced");
  const stop = new AbortController();
  const running = local.run(holder, stop.signal);
  await local.announce(new Map([[assignment, "perform"]]));
  await clock.advance(10_000);
  expect(lines).toEqual([`another process writes this feed and took over ${lost}`]);
  expect(local.owed()).toEqual([{ assignment, why: "another process took it over" }]);
  stop.abort(new Error("end of test"));
  await clock.finish(running);
});
