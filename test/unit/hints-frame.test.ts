import { describe, expect, it } from "vitest";
import { parseFrame } from "../../src/pollers/hints/frame.ts";
import type { Hint } from "../../src/pollers/hints/hint.ts";
import { subjectOf } from "../../src/schemas/resources.ts";
import {
  allocationEvent,
  deploymentEvent,
  evaluationEvent,
  frame,
  jobEvent,
  nodeEvent,
  type WireEvent,
} from "../support/stream-frames.ts";

function parse(text: string) {
  return parseFrame(Buffer.from(text));
}

function hintsIn(...events: readonly WireEvent[]): readonly Hint[] {
  return parse(JSON.stringify(frame(12, ...events)))?.hints ?? [];
}

function named(...events: readonly WireEvent[]): string[] {
  return hintsIn(...events).map((hint) => `${subjectOf(hint)} by ${hint.cause}`);
}

describe("an event names", () => {
  it("its job", () => {
    expect(named(jobEvent("web"))).toEqual(["jobs/default/web by Job"]);
  });

  it("of a child job the parent too, whose summary counts its children", () => {
    expect(named(jobEvent("par/dispatch-1", { fields: { ParentID: "par" } }))).toEqual([
      "jobs/default/par/dispatch-1 by Job",
      "jobs/default/par by Job",
    ]);
  });

  it("its allocation, and the job whose summary counts it", () => {
    expect(named(allocationEvent("a1", "web", { namespace: "prod" }))).toEqual([
      "allocations/prod/a1 by Allocation",
      "jobs/prod/web by Allocation",
    ]);
  });

  it("its evaluation, and the job whose summary counts what it could not place", () => {
    expect(named(evaluationEvent("e1", "web"))).toEqual([
      "evaluations/default/e1 by Evaluation",
      "jobs/default/web by Evaluation",
    ]);
  });

  it("of what has no job, as evaluations of nodes may be, itself only", () => {
    expect(named(evaluationEvent("e1", ""))).toEqual(["evaluations/default/e1 by Evaluation"]);
  });

  it("its deployment", () => {
    expect(named(deploymentEvent("d1", "web"))).toEqual(["deployments/default/d1 by Deployment"]);
  });

  it("its node, where it was changed as its list has it", () => {
    expect(named(nodeEvent("n1", { fields: { ModifyIndex: 12 } }))).toEqual(["nodes/-/n1 by Node"]);
    expect(named(nodeEvent("n1", { type: "AllocationUpdated", fields: { ModifyIndex: 11 } }))).toEqual([]);
  });

  it("a node that is gone, as it was before", () => {
    const gone = nodeEvent("n1", { type: "NodeDeregistration", fields: { ModifyIndex: 11 } });
    expect(named(gone)).toEqual(["nodes/-/n1 by Node"]);
  });

  it("nothing where it is of another topic", () => {
    expect(named({ ...nodeEvent("p1"), Topic: "NodePool" })).toEqual([]);
  });

  it("an object once, however many events of a frame do", () => {
    const events = [allocationEvent("a1", "web"), allocationEvent("a2", "web"), jobEvent("web")];
    expect(named(...events)).toEqual([
      "allocations/default/a1 by Allocation",
      "jobs/default/web by Allocation",
      "allocations/default/a2 by Allocation",
    ]);
  });
});

describe("a job is gone", () => {
  it.each([
    ["where Nomad says so", { beside: { Deleted: true }, fields: { ModifyIndex: 7 } }, true],
    [
      "where it comes as it was before it was deregistered",
      { type: "JobDeregistered", fields: { ModifyIndex: 7 } },
      true,
    ],
    ["and one of a batch", { type: "JobBatchDeregistered", fields: { ModifyIndex: 7 } }, true],
    [
      "but not where it was only stopped",
      { type: "JobDeregistered", fields: { ModifyIndex: 12 } },
      undefined,
    ],
    ["nor where it was registered", { type: "JobRegistered", fields: { ModifyIndex: 12 } }, undefined],
  ])("%s", (_when, changes, gone) => {
    expect(hintsIn(jobEvent("web", changes)).map((hint) => hint.gone)).toEqual([gone]);
  });

  it("whatever else its frame names it for", () => {
    const [hint] = hintsIn(
      allocationEvent("a1", "web"),
      jobEvent("web", { beside: { Deleted: true } }),
    ).slice(1);
    expect(hint).toMatchObject({ key: "web", gone: true });
  });

  it("and then no events explain its allocations, evaluations and deployments", () => {
    const events = [jobEvent("web", { beside: { Deleted: true } }), evaluationEvent("e1", "web")];
    expect(parse(JSON.stringify(frame(12, ...events)))?.explained).toEqual(new Set(["jobs"]));
  });
});

it.each(["Evaluation", "Deployment"])("of an %s the list's element comes along, to the digit", (topic) => {
  const object = '{"ID":"x","JobID":"web","ModifyTime":1795434687866379238,"Score":1e+02}';
  const event = `{"Topic":"${topic}","Type":"T","Key":"x","Namespace":"default","Payload":{"${topic}":${object}}}`;
  const [hint] = parse(`{"Index":9007199254740993,"Events":[${event}]}`)?.hints ?? [];
  expect(hint?.index).toBe(9007199254740993n);
  expect(hint?.payload?.toString()).toBe(object);
});

it("of an allocation, a job and a node it does not, since lists have less of them", () => {
  const hints = hintsIn(allocationEvent("a1", "web"), jobEvent("api"), nodeEvent("n1"));
  expect(hints.filter(({ payload }) => payload !== undefined)).toEqual([]);
});

it.each([
  ["no JSON", '{"Index":1,'],
  ["no object", "[]"],
  ["no index", '{"Events":[]}'],
  ["no events", '{"Index":1}'],
  ["an event without its key", JSON.stringify(frame(1, { ...jobEvent("web"), Key: "" }))],
  ["an event without its object", JSON.stringify(frame(1, { ...jobEvent("web"), Payload: {} }))],
  ["an event without its namespace", JSON.stringify(frame(1, { ...jobEvent("web"), Namespace: "" }))],
])("what has %s is no frame", (_what, text) => {
  expect(parse(text)).toBeUndefined();
});

it("is the same frame if only its payloads are written in another order", () => {
  const one = parse(JSON.stringify(frame(1, jobEvent("web", { fields: { A: 1, B: 2 } }))));
  const other = parse(JSON.stringify(frame(1, jobEvent("web", { fields: { B: 2, A: 1 } }))));
  expect(one?.identity).toBe(other?.identity);
  expect(parse(JSON.stringify(frame(1, jobEvent("api"))))?.identity).not.toBe(one?.identity);
});
