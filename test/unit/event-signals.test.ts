import { readFileSync, writeFileSync } from "node:fs";
import { expect, test } from "vitest";
import { SIGNAL_NAMES, SIGNALS } from "../../src/events/signals.ts";
import { RESOURCES } from "../../src/schemas/resources.ts";
import { changeOf, SAMPLES, taskOf } from "../support/event-fixtures.ts";
import { signalTable as table, type Row } from "../support/signal-table.ts";

const queued = (count: number) => ({ JobSummary: { Summary: { frontend: { Queued: count } } } });
const submitted = (at: number) => ({ SubmitTime: at });

table("jobs", [
  ["a new job", undefined, { Status: "pending" }, ["job.registered", "job.pending"]],
  ["a child of a periodic job", undefined, { ParentID: "cron" }, ["job.child_launched", "job.running"]],
  ["registered again", {}, { JobModifyIndex: 200 }, ["job.updated"]],
  [
    "gone back to an older version",
    submitted(20),
    { JobModifyIndex: 200, ...submitted(10) },
    ["job.reverted"],
  ],
  ["stopped", {}, { Stop: true, JobModifyIndex: 200 }, ["job.stopped"]],
  [
    "stopped before we saw it",
    undefined,
    { Stop: true, Status: "dead" },
    ["job.registered", "job.stopped", "job.dead"],
  ],
  ["started again", { Stop: true }, { Stop: false, JobModifyIndex: 200 }, ["job.started"]],
  ["status flaps", { Status: "running" }, { Status: "dead" }, ["job.dead"]],
  ["only a priority shown", {}, { Priority: 60 }, []],
  ["allocations wait for room", queued(0), queued(2), ["job.placement_queued"]],
  ["more of them wait", queued(2), queued(5), []],
  ["gone while running", {}, undefined, ["job.purged"]],
  ["gone after it was stopped", { Stop: true, Status: "dead" }, undefined, ["job.garbage_collected"]],
  ["a finished batch is gone", { Type: "batch", Status: "dead" }, undefined, ["job.garbage_collected"]],
  ["a dead service nobody stopped is gone", { Status: "dead" }, undefined, ["job.purged"]],
  ["a periodic job is gone", { Type: "batch", Status: "dead", Periodic: true }, undefined, ["job.purged"]],
]);

const driver = (Healthy: boolean, Detected = true) => ({ Drivers: { docker: { Healthy, Detected } } });
const drain = (Status: string, StartedAt = "2026-08-22T10:00:00Z") => ({
  LastDrain: { Status, StartedAt, UpdatedAt: StartedAt },
});

table("nodes", [
  ["a new node", undefined, { Status: "initializing" }, ["node.registered", "node.initializing"]],
  ["first seen down", undefined, { Status: "down" }, ["node.registered", "node.down"]],
  ["down", {}, { Status: "down" }, ["node.down"]],
  ["disconnected", {}, { Status: "disconnected" }, ["node.disconnected"]],
  ["back", { Status: "down" }, { Status: "ready" }, ["node.ready"]],
  [
    "drain begins",
    {},
    { Drain: true, SchedulingEligibility: "ineligible", ...drain("draining") },
    ["node.draining", "node.ineligible"],
  ],
  [
    "drain goes on",
    { Drain: true, ...drain("draining") },
    { Drain: true, LastDrain: { ...drain("draining").LastDrain, UpdatedAt: "2026-08-22T11:00:00Z" } },
    [],
  ],
  ["drain ends", { Drain: true, ...drain("draining") }, drain("complete"), ["node.drain_complete"]],
  ["drain is called off", { Drain: true, ...drain("draining") }, drain("canceled"), ["node.drain_canceled"]],
  [
    "a drain between two polls",
    drain("complete"),
    drain("complete", "2026-08-22T12:00:00Z"),
    ["node.draining", "node.drain_complete"],
  ],
  [
    "a drain long ago is no news of a new node",
    undefined,
    drain("complete"),
    ["node.registered", "node.ready"],
  ],
  ["eligible again", { SchedulingEligibility: "ineligible" }, {}, ["node.eligible"]],
  ["a driver fails", driver(true), driver(false), ["node.driver_unhealthy"]],
  ["a driver vanishes", driver(true), driver(false, false), ["node.driver_unhealthy"]],
  ["a driver that never was stays away", driver(false, false), driver(false, false), []],
  ["a driver comes back", driver(false), driver(true), ["node.driver_healthy"]],
  ["gone", {}, undefined, ["node.gone"]],
]);

const health = (Healthy: boolean | null) => ({ DeploymentStatus: { Healthy } });

table("allocations", [
  ["placed", undefined, { ClientStatus: "pending", TaskStates: null }, ["allocation.placed"]],
  [
    "first seen failed",
    undefined,
    { ClientStatus: "failed", TaskStates: null },
    ["allocation.placed", "allocation.failed"],
  ],
  [
    "placed in place of another",
    undefined,
    { ClientStatus: "pending", TaskStates: null, RescheduleTracker: { Events: [{}] } },
    ["allocation.placed", "allocation.replacement_placed"],
  ],
  [
    "first seen already to stop",
    undefined,
    { DesiredStatus: "stop", ClientStatus: "complete", TaskStates: null },
    ["allocation.completed", "allocation.stop_requested"],
  ],
  ["runs", { ClientStatus: "pending" }, {}, ["allocation.running"]],
  ["failed", {}, { ClientStatus: "failed" }, ["allocation.failed"]],
  ["fails on", { ClientStatus: "failed" }, { ClientStatus: "failed", ClientDescription: "x" }, []],
  ["lost", {}, { ClientStatus: "lost" }, ["allocation.lost"]],
  ["unknown", {}, { ClientStatus: "unknown" }, ["allocation.unknown"]],
  ["back from unknown", { ClientStatus: "unknown" }, {}, ["allocation.running", "allocation.reconnected"]],
  ["to stop", {}, { DesiredStatus: "stop" }, ["allocation.stop_requested"]],
  [
    "preempted",
    {},
    { DesiredStatus: "evict", PreemptedByAllocation: "a2" },
    ["allocation.evicted", "allocation.preempted"],
  ],
  [
    "rescheduled, as it is said",
    {},
    { DesiredDescription: "alloc was rescheduled because it failed" },
    ["allocation.rescheduled"],
  ],
  [
    "rescheduled, as it is linked",
    { ClientStatus: "failed" },
    { ClientStatus: "failed", NextAllocation: "a2" },
    ["allocation.rescheduled"],
  ],
  ["replaced by an update", {}, { NextAllocation: "a2" }, []],
  ["migrating", {}, { DesiredTransition: { Migrate: true } }, ["allocation.migrating"]],
  ["healthy", health(null), health(true), ["allocation.healthy"]],
  ["unhealthy", health(null), health(false), ["allocation.unhealthy"]],
  ["gone", {}, undefined, ["allocation.gone"]],
]);

const tasks = (...tasksOf: object[]) => ({
  TaskStates: Object.fromEntries(tasksOf.map((task, at) => [`t${at}`, task])),
});
const oom = (killed: string): ["Terminated", number, object] => ["Terminated", 20, { oom_killed: killed }];

table("allocations", [
  ["a task starts", tasks(taskOf({ StartedAt: null })), tasks(taskOf()), ["task.started"]],
  [
    "Go's zero time is no start",
    tasks(taskOf({ StartedAt: null })),
    tasks(taskOf({ StartedAt: "0001-01-01T00:00:00Z" })),
    [],
  ],
  ["a task ends", tasks(taskOf()), tasks(taskOf({ FinishedAt: "2026-08-22T11:00:00Z" })), ["task.finished"]],
  [
    "a task fails",
    tasks(taskOf()),
    tasks(taskOf({ Failed: true, FinishedAt: "2026-08-22T11:00:00Z" })),
    ["task.finished", "task.failed"],
  ],
  ["a task restarts three times", tasks(taskOf()), tasks(taskOf({ Restarts: 3 })), ["task.restarted"]],
  [
    "a task of several is killed for memory",
    tasks(taskOf(), taskOf()),
    tasks(taskOf(), taskOf({}, [oom("true")])),
    ["task.oom_killed"],
  ],
  [
    "it was killed for memory before",
    tasks(taskOf({}, [oom("true")])),
    tasks(taskOf({}, [oom("true"), ["Restarting", 21]])),
    [],
  ],
  ["a task ends without fault of memory", tasks(taskOf()), tasks(taskOf({}, [oom("false")])), []],
  [
    "the same again, later",
    tasks(taskOf({}, [oom("true")])),
    tasks(taskOf({}, [oom("true"), ["Terminated", 30, { oom_killed: "true" }]])),
    ["task.oom_killed"],
  ],
  ["a driver fails", tasks(taskOf()), tasks(taskOf({}, [["Driver Failure", 9]])), ["task.driver_failure"]],
  [
    "first seen with all that went wrong",
    undefined,
    {
      ClientStatus: "failed",
      ...tasks(
        taskOf({ Restarts: 2, Failed: true, StartedAt: null }, [
          ["Setup Failure", 8],
          ["Not Restarting", 9],
        ]),
      ),
    },
    [
      "allocation.placed",
      "allocation.failed",
      "task.failed",
      "task.restarted",
      "task.not_restarting",
      "task.setup_failed",
    ],
  ],
  ...(
    [
      ["Restart Signaled", "task.restart_requested"],
      ["Failed Validation", "task.validation_failed"],
      ["Failed Artifact Download", "task.artifact_failed"],
      ["Task hook failed", "task.hook_failed"],
      ["Failed Restoring Task", "task.restore_failed"],
      ["Plugin became unhealthy", "task.plugin_unhealthy"],
      ["Disk Resources Exceeded", "task.disk_exceeded"],
      ["Sibling Task Failed", "task.sibling_failed"],
      ["Leader Task Dead", "task.leader_dead"],
    ] as const
  ).map(([type, name]): Row => [`event ${type}`, tasks(taskOf()), tasks(taskOf({}, [[type, 9]])), [name]]),
]);

const sample = (SAMPLES.deployments["TaskGroups"] as { frontend: object }).frontend;
const group = (fields: object) => ({ TaskGroups: { frontend: { ...sample, ...fields } } });
const manual = { StatusDescription: "Deployment is running but requires manual promotion" };

table("deployments", [
  ["new", undefined, {}, ["deployment.started"]],
  ["first seen failed", undefined, { Status: "failed" }, ["deployment.started", "deployment.failed"]],
  ["gets on", {}, group({ PlacedAllocs: 2 }), ["deployment.progressed"]],
  [
    "groups in another order",
    { TaskGroups: { a: sample, b: { ...sample, PlacedAllocs: 9 } } },
    { TaskGroups: { b: { ...sample, PlacedAllocs: 9 }, a: sample } },
    [],
  ],
  [
    "canaries become healthy",
    manual,
    { ...manual, ...group({ HealthyAllocs: 1 }) },
    ["deployment.progressed", "deployment.needs_promotion"],
  ],
  ["canaries that are not healthy yet", {}, manual, []],
  [
    "promoted",
    group({ HealthyAllocs: 1 }),
    group({ HealthyAllocs: 1, Promoted: true }),
    ["deployment.promoted"],
  ],
  ["succeeds", {}, { Status: "successful" }, ["deployment.succeeded"]],
  [
    "fails and is reverted",
    {},
    {
      Status: "failed",
      StatusDescription: "Failed due to unhealthy allocations - rolling back to job version 3",
    },
    ["deployment.failed", "deployment.auto_reverted"],
  ],
  [
    "fails and is not reverted",
    {},
    {
      Status: "failed",
      StatusDescription:
        "Failed due to progress deadline - not rolling back to stable job version 3 as current job has same specification",
    },
    ["deployment.failed"],
  ],
  ["cancelled", {}, { Status: "cancelled" }, ["deployment.cancelled"]],
  ["paused", {}, { Status: "paused" }, ["deployment.paused"]],
  ["resumed", { Status: "paused" }, {}, ["deployment.resumed"]],
  ["blocked", {}, { Status: "blocked" }, ["deployment.blocked"]],
  ["gone", {}, undefined, ["deployment.gone"]],
]);

const unplaced = { Status: "complete", FailedTGAllocs: { frontend: { NodesExhausted: 3 } } };

table("evaluations", [
  ["new", undefined, {}, []],
  ["first seen blocked", undefined, { Status: "blocked" }, ["evaluation.blocked"]],
  ["unblocked", { Status: "blocked" }, { Status: "complete" }, ["evaluation.unblocked"]],
  ["superseded", { Status: "blocked" }, { Status: "canceled" }, ["evaluation.canceled"]],
  ["failed", {}, { Status: "failed" }, ["evaluation.failed"]],
  ["done, but not all was placed", {}, unplaced, ["evaluation.placement_failed"]],
  ["first seen so", undefined, unplaced, ["evaluation.placement_failed"]],
  ["done", {}, { Status: "complete" }, []],
  ["of a job that was scaled", undefined, { TriggeredBy: "job-scaling" }, ["job.scaled"]],
  ["gone", {}, undefined, ["evaluation.gone"]],
]);

table("namespaces", [
  ["new", undefined, {}, ["namespace.created"]],
  ["described", {}, { Description: "team qa" }, []],
  ["gone", {}, undefined, ["namespace.deleted"]],
]);

test("names are dotted lower case, and no two signals share one", () => {
  expect(new Set(SIGNAL_NAMES).size).toBe(SIGNALS.length);
  for (const name of SIGNAL_NAMES) expect(name).toMatch(/^[a-z]+(_[a-z]+)*\.[a-z]+(_[a-z]+)*$/);
});

test("no signal is thrown off by a stub that holds next to nothing, or nonsense", () => {
  const keys = Object.values(RESOURCES).map(({ keyField }) => [keyField, "x"] as const);
  const identity = { ...Object.fromEntries(keys), Namespace: "default" };
  const nonsense = {
    ...identity,
    TaskStates: { t: { Events: [null, 1] }, u: 3 },
    TaskGroups: [],
    Drivers: null,
    LastDrain: "x",
    JobSummary: { Summary: 1 },
    Tags: 1,
    Servers: [null],
  };
  for (const { resource, when } of SIGNALS) {
    for (const [before, after] of [
      [identity, nonsense],
      [nonsense, identity],
      [undefined, nonsense],
      [nonsense, undefined],
    ] as const) {
      const change = changeOf(resource, before, after);
      expect(typeof when({ before: change.before?.value, after: change.after?.value })).toBe("boolean");
    }
  }
});

test("docs/signals.md lists the table as it is", () => {
  const file = new URL("../../docs/signals.md", import.meta.url);
  if (process.env["UPDATE_DOCS"] === "1") writeFileSync(file, page());
  expect(
    readFileSync(file, "utf8"),
    "Stale: run UPDATE_DOCS=1 npx vitest run test/unit/event-signals.test.ts",
  ).toBe(page());
});

function page(): string {
  const groups = Map.groupBy(SIGNALS, ({ resource }) => resource);
  const sections = [...groups].map(([resource, signals]) => {
    const rows = signals.map(({ name, severity, description }) => [`\`${name}\``, severity, description]);
    return `## On events of ${resource}\n\n${markdownTable(["signal", "severity", "what happened"], rows)}\n`;
  });
  return `${INTRODUCTION}\n${sections.join("\n")}`;
}

/** Padded, as the formatter leaves it. */
function markdownTable(head: string[], rows: string[][]): string {
  const widths = head.map((title, column) =>
    Math.max(title.length, ...rows.map((row) => row[column]?.length ?? 0)),
  );
  const line = (cells: string[], filler: string) =>
    `| ${cells.map((cell, column) => cell.padEnd(widths[column] ?? 0, filler)).join(" | ")} |`;
  const rule = line(
    head.map(() => ""),
    "-",
  );
  return [line(head, " "), rule, ...rows.map((row) => line(row, " "))].join("\n");
}

const INTRODUCTION = `# Signals

A signal is a named transition of one Nomad object: what an event means, where its changes say what differs. \`data.signals\` of an event lists all that apply; \`signals=\` of a subscription takes their names. An event's severity is the highest of its signals; without a signal it is INFO, or DEBUG where only counters or bookkeeping moved.

An object that is first seen in a state has come into it: an allocation that was placed and failed between two polls gives one event with \`allocation.placed\` and \`allocation.failed\`. Signals come from two states of an object, so what came and went between two polls has none, and task events are seen as far as Nomad keeps them (the ten newest of a task).

This page is generated from the table in \`src/events/signals.ts\`.
`;
