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

it("one process that lost an assignment takes it up where it is planned anew, as when it came again by a reload", async () => {
  const { logger, lines } = recordingLogger();
  const clock = new TestClock();
  const local = new LocalAssignments({ worker: "me", logger, metrics: createMetrics(), clock });
  const holder = new TestHolder();
  const stop = new AbortController();
  const running = local.run(holder, stop.signal);
  const plan = (...assignments: string[]) =>
    local.announce(new Map(assignments.map((assignment) => [assignment, "perform"])));
  holder.endings.set("deliver/ops", "fenced");
  await plan("deliver/ops", "alerts");
  await clock.advance(10_000);
  holder.endings.clear();
  await plan("deliver/ops", "alerts");
  await clock.advance(60_000);
  expect(local.owed()).toEqual([{ assignment: "deliver/ops", why: "another process took it over" }]);
  await plan("alerts");
  await plan("deliver/ops", "alerts");
  await clock.advance(0);
  expect(local.owed()).toEqual([]);
  expect(holder.assignments).toContain("deliver/ops");
  expect(lines).toHaveLength(1);
  stop.abort(new Error("end of test"));
  await clock.finish(running);
});
