import { describe, expect, it } from "vitest";
import { explain } from "../../src/reads/why/explain.ts";
import type { EventFact, Facts, ObjectFact } from "../../src/reads/why/facts.ts";
import type { JsonObject } from "../../src/schemas/json.ts";
import { subjectOf, type ObjectRef } from "../../src/schemas/resources.ts";
import { whySchema, type Why } from "../../src/schemas/why-schema.ts";
import { refOf } from "../support/drafts.ts";

const A = refOf("allocations", "aaaaaaaa-0000-0000-0000-000000000001");
const B = refOf("allocations", "bbbbbbbb-0000-0000-0000-000000000002");
const E1 = refOf("evaluations", "eeeeeee1-0000-0000-0000-000000000001");
const E2 = refOf("evaluations", "eeeeeee2-0000-0000-0000-000000000002");
const D = refOf("deployments", "dddddddd-0000-0000-0000-000000000001");
const NODE = refOf("nodes", "ffffffff-0000-0000-0000-000000000001", "-");
const JOB = refOf("jobs", "web");

/** Seconds after ten, as Nomad writes times. */
const nanos = (second: number): number => Date.UTC(2026, 7, 22, 10, 0, second) * 1e6;
const at = (second: number): string => new Date(Date.UTC(2026, 7, 22, 10, 0, second)).toISOString();

function event(second: number, stub: JsonObject, rest: Partial<EventFact> = {}): EventFact {
  const facts = { op: "update", severity: "INFO", signals: [], changes: [] } as const;
  return { cursor: `e-${second}`, sequence: second, time: at(second), stub, ...facts, ...rest };
}

function object(ref: ObjectRef, stub: JsonObject, events: readonly EventFact[] = []): ObjectFact {
  return { ref, stub, isGone: events.at(-1)?.op === "delete", events };
}

function why(objects: readonly ObjectFact[], missing: readonly string[] = []): Why {
  const [first] = objects;
  const facts: Facts = {
    subject: first?.ref ?? JOB,
    asOf: "e-99",
    objects: new Map(objects.map((each) => [subjectOf(each.ref), each])),
    missing,
  };
  const answer = explain(facts);
  expect(whySchema.safeParse(answer).error).toBeUndefined();
  return answer;
}

const edges = ({ edges: all }: Why) =>
  all.map(({ from, relation, to }) => `${nick(from)} ${relation} ${nick(to)}`);
const nick = (subject: string) => subject.split("/")[2]?.slice(0, 4);
const words = ({ story }: Why) => story.map((step) => step.words);

it("says in words that a failed allocation was due to be placed again", () => {
  const rescheduled = evaluation({ TriggeredBy: "alloc-reschedule" });
  const { story } = why([
    object(A, alloc(), [event(2, alloc(), { op: "create", signals: ["allocation.placed"] })]),
    object(E1, rescheduled, [event(1, rescheduled, { op: "create" })]),
  ]);
  expect(story[0]?.words).toBe(
    "Job web was evaluated because an allocation of it that failed was due to be placed again (evaluation eeeeeee1)",
  );
});

const alloc = (rest: JsonObject = {}): JsonObject => ({
  ID: A.key,
  Name: "web.fe[0]",
  JobID: "web",
  JobVersion: 3,
  NodeID: NODE.key,
  NodeName: "worker-1",
  EvalID: E1.key,
  DesiredStatus: "run",
  ClientStatus: "running",
  CreateTime: nanos(1),
  ModifyTime: nanos(2),
  ...rest,
});
const evaluation = (rest: JsonObject = {}): JsonObject => ({
  JobID: "web",
  TriggeredBy: "job-register",
  Status: "complete",
  CreateTime: nanos(1),
  ModifyTime: nanos(1),
  ...rest,
});
const taskEvent = (
  second: number,
  Type: string,
  Details: JsonObject = {},
  DisplayMessage = "",
): JsonObject => ({
  Type,
  Time: nanos(second),
  DisplayMessage,
  Details,
});
const withTask = (events: JsonObject[], rest: JsonObject = {}) =>
  alloc({ TaskStates: { main: { State: "dead", Events: events } }, ...rest });

describe("what ties objects together", () => {
  it.each<[what: string, objects: ObjectFact[], expected: string[]]>([
    [
      "an allocation, its evaluation, job, node and deployment",
      [
        object(A, alloc()),
        object(E1, evaluation()),
        object(JOB, {}),
        object(NODE, {}),
        object(D, { JobID: "web", JobVersion: 3 }),
      ],
      [
        "eeee placed aaaa",
        "ffff runs aaaa",
        "dddd rolled-out aaaa",
        "web triggered eeee",
        "web started dddd",
      ],
    ],
    [
      "a deployment of another version, which did not bring it",
      [object(A, alloc()), object(D, { JobID: "web", JobVersion: 2 })],
      [],
    ],
    [
      "one that replaced it, said by either of the two, told once",
      [
        object(A, alloc({ NextAllocation: B.key })),
        object(B, { RescheduleTracker: { Events: [{ PrevAllocID: A.key }] } }),
      ],
      ["aaaa replaced-by bbbb"],
    ],
    [
      "one that it had to make room for",
      [object(A, alloc({ PreemptedByAllocation: B.key })), object(B, { PreemptedAllocations: [A.key] })],
      ["bbbb preempted aaaa"],
    ],
    [
      "the evaluation that placed it, and the one that stopped it",
      [
        object(A, alloc({ EvalID: E2.key }), [
          event(5, alloc({ EvalID: E2.key, DesiredStatus: "stop" }), {
            changes: [
              { path: "/EvalID", from: E1.key, to: E2.key },
              { path: "/DesiredStatus", from: "run", to: "stop" },
            ],
          }),
        ]),
        object(E1, evaluation()),
        object(E2, evaluation({ TriggeredBy: "node-drain", NodeID: NODE.key })),
        object(NODE, {}),
      ],
      ["eeee placed aaaa", "ffff runs aaaa", "eeee stopped aaaa", "ffff triggered eeee"],
    ],
    [
      "an evaluation and what is left of it",
      [object(E1, evaluation({ BlockedEval: E2.key })), object(E2, evaluation({ PreviousEval: E1.key }))],
      ["eeee followed-by eeee"],
    ],
    [
      "an evaluation for a deployment, and a deployment by an evaluation",
      [
        object(E1, evaluation({ DeploymentID: D.key })),
        object(E2, evaluation({ DeploymentID: D.key, TriggeredBy: "deployment-watcher" })),
        object(D, {}),
      ],
      ["eeee started dddd", "dddd triggered eeee"],
    ],
    [
      "a child and the job that launched it",
      [object(refOf("jobs", "child"), { ParentID: "web" }), object(JOB, {})],
      ["web launched chil"],
    ],
  ])("%s", (_what, objects, expected) => {
    expect(edges(why(objects))).toEqual(expected);
  });
});

describe("the story", () => {
  it("is in order of time, causes first, each step with the event that says it", () => {
    const placed = alloc({ ClientStatus: "pending" });
    const answer = why([
      object(A, alloc(), [
        event(1, placed, { op: "create", signals: ["allocation.placed"] }),
        event(2, alloc(), { signals: ["allocation.running", "task.started"] }),
      ]),
      object(E1, evaluation(), [event(1, evaluation(), { op: "create" })]),
    ]);
    expect(answer.story).toEqual([
      {
        time: at(1),
        subject: subjectOf(E1),
        cursor: "e-1",
        words: "Job web was evaluated because it was registered or updated (evaluation eeeeeee1)",
        severity: "INFO",
      },
      {
        time: at(1),
        subject: subjectOf(A),
        cursor: "e-1",
        words: "Allocation aaaaaaaa (web.fe[0], version 3) was placed on node worker-1",
        severity: "INFO",
      },
      {
        time: at(2),
        subject: subjectOf(A),
        cursor: "e-2",
        words: "Allocation aaaaaaaa runs",
        severity: "INFO",
      },
    ]);
    expect(answer).toMatchObject({ complete: true, missing: [] });
    expect(answer.nodes[0]).toMatchObject({
      kind: "allocation",
      label: "web.fe[0] (aaaaaaaa)",
      state: "running",
    });
  });

  it.each<[what: string, events: JsonObject[], rest: JsonObject, expected: [string, string][]]>([
    [
      "a task that fails",
      [
        taskEvent(3, "Started"),
        taskEvent(4, "Terminated", { exit_code: "137", signal: "9", oom_killed: "false" }),
      ],
      {},
      [
        ["INFO", "Task main of allocation aaaaaaaa started"],
        ["ERROR", "Task main of allocation aaaaaaaa ended with exit code 137, by signal 9"],
      ],
    ],
    [
      "a task without memory, and its restart",
      [
        taskEvent(3, "Terminated", { exit_code: "137", oom_killed: "true" }),
        taskEvent(3, "Restarting", {}, "Task restarting in 15s"),
      ],
      {},
      [
        ["ERROR", "Task main of allocation aaaaaaaa was killed because it used more memory than it may"],
        ["WARN", "Task main of allocation aaaaaaaa is started again: Task restarting in 15s"],
      ],
    ],
    [
      "a task that was told to end, whose code is no failure",
      [taskEvent(3, "Killing"), taskEvent(4, "Terminated", { exit_code: "143" }), taskEvent(4, "Killed")],
      {},
      [
        ["INFO", "Task main of allocation aaaaaaaa was told to end"],
        ["INFO", "Task main of allocation aaaaaaaa ended with exit code 143"],
      ],
    ],
    [
      "a driver that fails",
      [taskEvent(3, "Driver Failure", {}, "no such image")],
      {},
      [["ERROR", "Task main of allocation aaaaaaaa had Driver Failure: no such image"]],
    ],
    [
      "an allocation that was told to stop before the log began",
      [],
      { DesiredStatus: "stop", DesiredDescription: "alloc is being migrated" },
      [["INFO", "Allocation aaaaaaaa was told to stop: alloc is being migrated"]],
    ],
  ])("of an allocation without events: %s", (_what, events, rest, expected) => {
    const { story, missing } = why([object(A, withTask(events, rest))]);
    const [beginning, ...others] = story;
    expect(beginning?.words).toBe("Allocation aaaaaaaa (web.fe[0], version 3) was placed on node worker-1");
    expect(others.map((step) => [step.severity, step.words])).toEqual(expected);
    expect(missing).toEqual(["The log does not hold how these began: allocation aaaaaaaa"]);
  });

  it.each<[signal: string, ref: ObjectRef, stub: JsonObject, words: string, severity: string]>([
    ["job.stopped", JOB, {}, "Job web was stopped by somebody", "INFO"],
    [
      "node.down",
      NODE,
      { Name: "worker-1" },
      "Node worker-1 is down: it missed its heartbeats, or said goodbye",
      "ERROR",
    ],
    [
      "deployment.failed",
      D,
      { StatusDescription: "Failed due to progress deadline" },
      "Deployment dddddddd failed: Failed due to progress deadline",
      "ERROR",
    ],
    [
      "evaluation.blocked",
      E1,
      { Status: "blocked", FailedTGAllocs: { fe: { DimensionExhausted: { memory: 3 } } } },
      "Evaluation eeeeeee1 waits for room: fe: memory exhausted on 3 nodes",
      "WARN",
    ],
    [
      "evaluation.placement_failed",
      E1,
      {
        Status: "complete",
        FailedTGAllocs: { fe: { ConstraintFiltered: { "${attr.kernel.name} = windows": 1 } } },
      },
      "Evaluation eeeeeee1 could not place all: fe: constraint ${attr.kernel.name} = windows excludes 1 node",
      "WARN",
    ],
    [
      "allocation.preempted",
      A,
      {},
      "Allocation aaaaaaaa has to go: one of higher priority takes its place",
      "WARN",
    ],
  ])("says what %s means", (signal, ref, stub, sentence, severity) => {
    const { story } = why([object(ref, stub, [event(9, stub, { signals: [signal], severity: "FATAL" })])]);
    expect(story.at(-1)).toMatchObject({ words: sentence, severity, cursor: "e-9" });
  });

  it("leaves out of a job and a node what was long before, but the last of it", () => {
    const job = object(JOB, {}, [
      event(1, {}, { signals: ["job.registered"] }),
      event(2, {}, { signals: ["job.updated"] }),
      event(30, {}, { signals: ["job.stopped"] }),
    ]);
    const later = alloc({ CreateTime: nanos(20) });
    expect(words(why([object(A, later), job]))).toEqual([
      "Job web was registered again, or scaled",
      "Allocation aaaaaaaa (web.fe[0], version 3) was placed on node worker-1",
      "Job web was stopped by somebody",
    ]);
    expect(words(why([job, object(A, later)]))).toHaveLength(4);
  });

  it("tells of versions that no poll saw, and says so", () => {
    const passed = event(5, {}, { op: "version", version: 4, signals: ["job.updated"] });
    const job = object(JOB, {}, [event(1, {}, { signals: ["job.registered"] }), passed]);
    expect(words(why([job]))).toEqual([
      "Job web was registered",
      "Job web was registered again, or scaled (version 4, overtaken)",
    ]);
  });

  it("tells of a node while something on it is told of", () => {
    const node = object(NODE, { Name: "n" }, [
      event(2, {}, { signals: ["node.ready"] }),
      event(22, {}, { signals: ["node.draining"] }),
      event(50, {}, { signals: ["node.down"] }),
    ]);
    const ended = alloc({ CreateTime: nanos(20), ClientStatus: "complete", ModifyTime: nanos(25) });
    const steps = (stub: JsonObject) =>
      words(why([object(A, stub), node])).filter((said) => said.startsWith("Node"));
    expect(steps(ended)).toEqual(["Node ffffffff is up", "Node ffffffff is being drained"]);
    expect(steps(alloc({ CreateTime: nanos(20) }))).toHaveLength(3);
  });

  it("knows each task event once, though Nomad keeps ten, and events of the log hold more", () => {
    const first = withTask([taskEvent(1, "Started"), taskEvent(2, "Terminated", { exit_code: "1" })]);
    const last = withTask([taskEvent(2, "Terminated", { exit_code: "1" }), taskEvent(3, "Started")]);
    const { story } = why([object(A, last, [event(2, first, { op: "create" }), event(3, last)])]);
    expect(story.map(({ words: said, cursor }) => [said.split(" ").slice(5).join(" "), cursor])).toEqual([
      ["started", "e-2"],
      ["ended with exit code 1", "e-2"],
      ["started", "e-3"],
    ]);
  });

  it("says what is missing", () => {
    expect(why([object(JOB, {})], ["something"])).toMatchObject({ complete: false, missing: ["something"] });
  });
});
