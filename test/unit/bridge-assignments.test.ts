import { afterEach, beforeEach, expect, it } from "vitest";
import { Assignments } from "../../src/bridge/assignments.ts";
import { NOTHING_TO_REPORT, type AssignmentPlan } from "../../src/coordination/coordination.ts";
import { LocalAssignments } from "../../src/coordination/local/local-assignments.ts";
import { systemClock } from "../../src/shared/clock.ts";
import { silentLogger } from "../../src/telemetry/logger.ts";
import { createMetrics } from "../../src/telemetry/metrics.ts";
import { TestHolder } from "../support/assignment-holders.ts";
import { recordingLogger } from "../support/recording-logger.ts";
import { TestClock } from "../support/test-clock.ts";
import { until } from "../support/until.ts";

/** Delivers by doing nothing. */
class TestDeliveries extends TestHolder {
  configured = ["deliver/hook", "deliver/mail"];

  override get assignments(): never {
    throw new Error("use configured");
  }
}

const SCOPES: AssignmentPlan = new Map([
  ["jobs/default", "perform"],
  ["jobs/gone", "finish"],
]);

let pollers: TestHolder;
let alerting: string[];
let deliveries: TestDeliveries;
let assignments: Assignments;
let lines: string[];
let stop: AbortController;
let running: Promise<void>;

beforeEach(() => {
  pollers = new TestHolder();
  deliveries = new TestDeliveries();
  alerting = [];
  const recording = recordingLogger();
  lines = recording.lines;
  const coordination = new LocalAssignments({
    worker: "host/1/a",
    logger: silentLogger(),
    metrics: createMetrics(),
    clock: systemClock,
  });
  assignments = new Assignments({
    pollers,
    deliveries: {
      assignments: () => deliveries.configured,
      perform: (assignment, signal) => deliveries.perform(assignment, signal),
      describe: (assignment) => deliveries.describe(assignment),
    },
    alerts: {
      assignments: () => alerting,
      perform: (assignment, signal) => deliveries.perform(assignment, signal),
      describe: (assignment) => deliveries.describe(assignment),
    },
    announce: (plan) => coordination.announce(plan),
    logger: recording.logger,
    clock: systemClock,
  });
  stop = new AbortController();
  running = coordination.run(assignments, stop.signal);
});
afterEach(async () => {
  stop.abort(new Error("the test ends"));
  await running;
});

const performed = () => [...pollers.performing, ...deliveries.performing].toSorted();
const STANDING = ["hints", "plan", "trim"];

it("destinations are delivered to before anybody knows which scopes there are, which nobody is told", async () => {
  await until("it delivers", () => deliveries.performing.size === 2);
  expect(performed()).toEqual(["deliver/hook", "deliver/mail", ...STANDING]);
  expect(pollers.plan).toBeUndefined();
});

it("alerts are made where the configuration does not switch them off, and pollers hear nothing of it", async () => {
  deliveries.configured = [];
  alerting = ["alerts"];
  assignments.reconfigured();
  await until("they are made", () => deliveries.performing.has("alerts"));
  await assignments.announceScopes(SCOPES);
  expect(pollers.plan).toEqual(SCOPES);
  alerting = [];
  assignments.reconfigured();
  await until("they are made no more", () => !deliveries.performing.has("alerts"));
});

it("scopes come beside the destinations, and the pollers hear of scopes alone", async () => {
  await until("it delivers", () => deliveries.performing.size === 2);
  await assignments.announceScopes(SCOPES);
  expect(performed()).toEqual([
    "deliver/hook",
    "deliver/mail",
    "hints",
    "jobs/default",
    "jobs/gone",
    "plan",
    "trim",
  ]);
  expect(pollers.plan).toEqual(SCOPES);
  await assignments.announceScopes(new Map());
  expect(pollers.plan).toEqual(new Map());
  await until("its scopes end", () => performed().length === 5);
});

it("a new configuration is in the plan at once, and what stays is not disturbed", async () => {
  await assignments.announceScopes(SCOPES);
  deliveries.configured = ["deliver/mail", "deliver/queue"];
  assignments.reconfigured();
  await until("it delivers to the new one", () => performed().includes("deliver/queue"));
  await until("the old one ends", () => !performed().includes("deliver/hook"));
  expect(deliveries.begun.toSorted()).toEqual(["deliver/hook", "deliver/mail", "deliver/queue"]);
  expect(pollers.begun.filter((begun) => begun === "jobs/default")).toHaveLength(1);
});

it("says once of each destination that only others can deliver to", () => {
  const plan: AssignmentPlan = new Map([
    ["deliver/hook", "perform"],
    ["deliver/theirs", "perform"],
  ]);
  assignments.follow(plan);
  assignments.follow(plan);
  expect(lines).toEqual([
    "destination theirs is not in this worker's configuration; it is left to the other workers",
  ]);
  expect(assignments.canPerform("deliver/hook")).toBe(true);
  expect(assignments.canPerform("deliver/theirs")).toBe(false);
});

it("says once, after a while, of a destination that whoever plans does not know", async () => {
  const clock = new TestClock();
  const { logger, lines: said } = recordingLogger();
  const watching = new Assignments({
    pollers,
    deliveries: {
      assignments: () => ["deliver/hook"],
      perform: async () => "stopped",
      describe: () => NOTHING_TO_REPORT,
    },
    alerts: { assignments: () => [], perform: async () => "stopped", describe: () => NOTHING_TO_REPORT },
    announce: async () => undefined,
    logger,
    clock,
  });
  const follow = async (...planned: string[]) => {
    watching.follow(new Map(planned.map((assignment) => [assignment, "perform"])));
    await clock.advance(20_000);
  };
  await follow("jobs/default");
  await follow("jobs/default");
  expect(said).toEqual([]);
  await follow("jobs/default");
  await follow("jobs/default");
  expect(said).toEqual(["nobody delivers to hook: it is not in the configuration of the worker that plans"]);
  await follow("jobs/default", "deliver/hook");
  await follow("jobs/default");
  expect(said).toHaveLength(1);
});
