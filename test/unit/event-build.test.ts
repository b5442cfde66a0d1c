import { describe, expect, test } from "vitest";
import { buildChangeEvents, buildSnapshotEvent, orderChanges, stateRevOf } from "../../src/events/build.ts";
import { sealDraft, type EventDraft } from "../../src/schemas/draft.ts";
import { changeEventSchema, type ChangeEvent } from "../../src/schemas/event-schema.ts";
import { subjectOf, type ResourceType } from "../../src/schemas/resources.ts";
import { changeOf, contextOf, SAMPLES, stubOf } from "../support/event-fixtures.ts";

const alloc = SAMPLES.allocations;

function only(drafts: EventDraft[]): EventDraft {
  expect(drafts).toHaveLength(1);
  return drafts[0] as EventDraft;
}

function eventOf(draft: EventDraft): ChangeEvent {
  return changeEventSchema.parse(JSON.parse(sealDraft(draft, "k3f9x2", 12345)));
}

function idOf(
  resource: ResourceType,
  before: object | undefined,
  after: object | undefined,
  observation = {},
): string {
  return only(buildChangeEvents(changeOf(resource, before, after), contextOf(observation))).id;
}

describe("an event's text", () => {
  const before = `{"ID":"a1","Namespace":"default","Name":"web.frontend[3]","JobID":"web","TaskGroup":"frontend","NodeID":"n1","ClientStatus":"running","CreateIndex":880001,"ModifyIndex":884102,"ModifyTime":1787393720000000000}`;
  const after = `{"ID":"a1", "Namespace":"default","Name":"web.frontend[3]","JobID":"web","TaskGroup":"frontend","NodeID":"n1","ClientStatus":"failed","CreateIndex":880001,"ModifyIndex":884210,"ModifyTime":1787393730123456789}`;
  const draft = only(buildChangeEvents(changeOf("allocations", before, after), contextOf()));

  test("is the CloudEvents envelope in its order, then the data, with the stub's own bytes", () => {
    expect(sealDraft(draft, "k3f9x2", 12345)).toBe(
      `{"specversion":"1.0","id":"0/allocations/default/a1@884210","source":"nomad://prod/global",` +
        `"type":"nomad.allocation.updated","subject":"allocations/default/a1","time":"2026-08-22T10:15:30.123456Z",` +
        `"datacontenttype":"application/json","dataschema":"urn:nomad-changefeed:schema:change:1",` +
        `"partitionkey":"allocations/default/a1","recordedtime":"2026-08-22T10:15:30.412Z",` +
        `"severitytext":"ERROR","severitynumber":17,"sequence":"0000000000012345","cursor":"k3f9x2-12345",` +
        `"data":{"op":"update","aspect":"status","signals":["allocation.failed"],` +
        `"resource":{"type":"allocations","namespace":"default","id":"a1","name":"web.frontend[3]","job":"web","group":"frontend","node":"n1"},` +
        `"changes":[{"path":"/ClientStatus","from":"running","to":"failed"},{"path":"/ModifyIndex","from":884102,"to":884210},` +
        `{"path":"/ModifyTime","from":1787393720000000000,"to":1787393730123456789}],` +
        `"after":${after},"rev":{"current":"884210","previous":"884102","created":"880001"},` +
        `"observed":{"mode":"live","via":"list","coalesced":"maybe","fromIndex":"884188","toIndex":"884213","since":"2026-08-22T10:15:28.201Z","nomadEpoch":0,"timeBasis":"ModifyTime"}}}`,
    );
  });

  test("is one line, however Nomad's answer was laid out", () => {
    const value = { ID: "web", Namespace: "default", Name: "a\nb", CreateIndex: 1, ModifyIndex: 2 };
    const laidOut = JSON.stringify(value, undefined, "\t").replaceAll("\n", "\r\n");
    for (const [old, fresh] of [
      [undefined, laidOut],
      [laidOut, undefined],
    ]) {
      const created = only(buildChangeEvents(changeOf("jobs", old, fresh), contextOf()));
      const { data } = eventOf(created);
      expect(sealDraft(created, "k3f9x2", 1)).not.toMatch(/[\r\n]/);
      expect(data.after ?? data.before).toEqual(value);
    }
  });

  test("has the facts that filters and indexes ask for beside it", () => {
    expect(draft).toMatchObject({
      id: "0/allocations/default/a1@884210",
      type: "nomad.allocation.updated",
      resource: "allocations",
      namespace: "default",
      key: "a1",
      op: "update",
      aspect: "status",
      signals: ["allocation.failed"],
      severity: "ERROR",
      job: "web",
      node: "n1",
      time: "2026-08-22T10:15:30.123456Z",
      overflow: null,
    });
  });

  test("a created object has an after and no changes, a deleted one its last state and no rev", () => {
    const created = eventOf(only(buildChangeEvents(changeOf("allocations", undefined, alloc), contextOf())));
    expect(created.data).toMatchObject({
      op: "create",
      after: alloc,
      rev: { current: "884102", previous: null },
    });
    expect(created.data).not.toHaveProperty("changes");
    const deleted = eventOf(only(buildChangeEvents(changeOf("allocations", alloc, undefined), contextOf())));
    expect(deleted.data).toMatchObject({
      op: "delete",
      before: alloc,
      rev: { current: null, previous: "884102" },
    });
    expect(deleted.data).not.toHaveProperty("after");
    expect(deleted.data).not.toHaveProperty("changes");
  });

  test("a snapshot event says what is there, and signals nothing", () => {
    const failed = { ...alloc, ClientStatus: "failed" };
    const { ref } = changeOf("allocations", undefined, failed);
    const event = eventOf(buildSnapshotEvent(ref, stubOf(JSON.stringify(failed)), contextOf()));
    expect(event).toMatchObject({
      id: `0/allocations/default/${ref.key}@884102+884213!snapshot`,
      type: "nomad.allocation.snapshot",
      severitytext: "INFO",
      data: { op: "snapshot", signals: [], after: failed },
    });
  });

  test("what belongs to no namespace is told by a dash", () => {
    const event = eventOf(only(buildChangeEvents(changeOf("nodes", undefined, SAMPLES.nodes), contextOf())));
    expect(event.subject).toBe("nodes/-/fb2170a8-257d-3c64-b14d-bc06cc94e34c");
    expect(event.data.resource).toMatchObject({
      namespace: "-",
      name: "worker-1",
      node: SAMPLES.nodes["ID"],
    });
  });
});

describe("an id", () => {
  const base = `0/allocations/default/${String(alloc["ID"])}`;

  test("names the version by its rev, in the epoch of Nomad's state", () => {
    const later = { ...alloc, ModifyIndex: 884210 };
    expect(idOf("allocations", alloc, later)).toBe(`${base}@884210`);
    const context = contextOf({}, { nomadEpoch: 2 });
    expect(only(buildChangeEvents(changeOf("allocations", alloc, later), context)).id).toBe(
      `2${base.slice(1)}@884210`,
    );
  });

  test("of a job counts its summary's index", () => {
    const summary = { ...(SAMPLES.jobs["JobSummary"] as object), ModifyIndex: 884200 };
    expect(idOf("jobs", SAMPLES.jobs, { ...SAMPLES.jobs, JobSummary: summary })).toBe(
      "0/jobs/default/web@884200",
    );
  });

  test("takes the poll's index where the content moved on and the rev did not", () => {
    expect(idOf("allocations", alloc, { ...alloc, ClientStatus: "complete" })).toBe(`${base}@884102+884213`);
  });

  test("takes the poll's index where the stub has none", () => {
    const { ModifyIndex: _m, CreateIndex: _c, ...bare } = alloc;
    expect(idOf("allocations", undefined, bare)).toBe(`${base}@+884213`);
    expect(idOf("allocations", bare, undefined)).toBe(`${base}@+884213!deleted`);
  });

  test("of a deleted object names its creation", () => {
    expect(idOf("allocations", alloc, undefined)).toBe(`${base}@880001!deleted`);
    expect(idOf("allocations", alloc, undefined, { mode: "resync" })).toBe(`${base}@880001+884213!deleted`);
  });

  test("of an object that should have been seen before takes the poll's index", () => {
    expect(idOf("allocations", undefined, alloc)).toBe(`${base}@884102+884213`);
    expect(idOf("allocations", undefined, alloc, { fromIndex: "884101" })).toBe(`${base}@884102`);
    expect(idOf("allocations", undefined, alloc, { fromIndex: null })).toBe(`${base}@884102`);
  });

  test("after a restore does not compare indexes of two histories", () => {
    const observation = { mode: "resync", fromIndex: "990000", toIndex: "884213" };
    expect(idOf("allocations", undefined, alloc, observation)).toBe(`${base}@884102`);
  });
});

test("another object under the same key is two events: the old one deleted, the new one created", () => {
  const again = { ...SAMPLES.jobs, CreateIndex: 884200, ModifyIndex: 884200 };
  const drafts = buildChangeEvents(changeOf("jobs", SAMPLES.jobs, again), contextOf());
  expect(drafts.map(({ id, type }) => [id, type])).toEqual([
    ["0/jobs/default/web@100!deleted", "nomad.job.deleted"],
    ["0/jobs/default/web@884200", "nomad.job.created"],
  ]);
  expect(drafts.map(({ signals }) => signals)).toEqual([["job.purged"], ["job.registered", "job.running"]]);
});

describe("coalesced is no only where nothing can have been in between", () => {
  const coalesced = (after: object | undefined, observation: object) =>
    eventOf(only(buildChangeEvents(changeOf("allocations", alloc, after), contextOf(observation)))).data
      .observed.coalesced;
  const next = { ...alloc, ModifyIndex: 884189 };

  test.each([
    ["the next raft index", next, {}, "no"],
    ["a later index", { ...alloc, ModifyIndex: 884190 }, {}, "maybe"],
    ["the same rev", { ...alloc, ClientStatus: "lost" }, { fromIndex: "884101" }, "maybe"],
    ["no poll before", next, { fromIndex: null }, "maybe"],
    ["another history", next, { mode: "resync" }, "maybe"],
    ["a delete", undefined, { toIndex: "884189" }, "maybe"],
  ])("%s", (_name, after, observation, expected) => {
    expect(coalesced(after, observation)).toBe(expected);
  });

  test.each([
    ["the version that the stream told of alone", 884190, ["884190"], "no"],
    ["a later version than it told of", 884191, ["884190"], "maybe"],
    ["several versions heard of", 884190, [], "maybe"],
  ])("read where a hint led: %s", (_name, rev, heard, expected) => {
    const change = changeOf("allocations", alloc, { ...alloc, ModifyIndex: rev });
    const hinted = new Set(heard.map((index) => `${subjectOf(change.ref)}@${index}`));
    const { observed } = eventOf(only(buildChangeEvents(change, { ...contextOf(), hinted }))).data;
    expect(observed).toMatchObject({ via: "hint", coalesced: expected });
  });

  test.each([
    ["its summary as before", 884100, "no"],
    ["its summary has changed, of which no event tells", 884150, "maybe"],
  ])("a job read where a hint led, %s", (_name, ModifyIndex, expected) => {
    const job = { ...SAMPLES.jobs, ModifyIndex: 884101, JobSummary: { ModifyIndex: 884100 } };
    const change = changeOf("jobs", job, { ...job, ModifyIndex: 884190, JobSummary: { ModifyIndex } });
    const hinted = new Set([`${subjectOf(change.ref)}@884190`]);
    const { observed } = eventOf(only(buildChangeEvents(change, { ...contextOf(), hinted }))).data;
    expect(observed).toMatchObject({ coalesced: expected });
  });
});

describe("time", () => {
  const timed = (before: object | undefined, after: object | undefined) => {
    const event = eventOf(only(buildChangeEvents(changeOf("allocations", before, after), contextOf())));
    return [event.time, event.data.observed.timeBasis];
  };
  const seen = ["2026-08-22T10:15:30.412Z", "observed"];

  test("is the stub's own where it moved, in microseconds", () => {
    expect(timed(undefined, { ...alloc, ModifyTime: 1_000_000 })).toEqual([
      "1970-01-01T00:00:00.001000Z",
      "ModifyTime",
    ]);
  });

  test("is when it was seen where the stub has none, it is zero, or it did not move", () => {
    expect(timed(alloc, { ...alloc, ClientStatus: "lost" })).toEqual(seen);
    expect(timed(undefined, { ...alloc, ModifyTime: 0 })).toEqual(seen);
    expect(timed(alloc, undefined)).toEqual(seen);
    const job = eventOf(only(buildChangeEvents(changeOf("jobs", undefined, SAMPLES.jobs), contextOf())));
    expect(job.time).toBe(seen[0]);
  });
});

describe("aspect and severity", () => {
  const judged = (resource: ResourceType, patch: object) => {
    const sample = SAMPLES[resource];
    const { aspect, severity } = only(
      buildChangeEvents(changeOf(resource, sample, { ...sample, ...patch }), contextOf()),
    );
    return `${String(aspect)} ${severity}`;
  };
  const summary = SAMPLES.jobs["JobSummary"] as object;
  const docker = (SAMPLES.nodes["Drivers"] as { docker: object }).docker;
  const group = (SAMPLES.deployments["TaskGroups"] as { frontend: object }).frontend;

  test.each<[string, ResourceType, object, string]>([
    [
      "a job's counters",
      "jobs",
      { JobSummary: { ...summary, ModifyIndex: 130, Children: null } },
      "summary DEBUG",
    ],
    ["a job's specification", "jobs", { Priority: 70, JobModifyIndex: 130, ModifyIndex: 130 }, "spec INFO"],
    [
      "a job's status is more than its counters",
      "jobs",
      { Status: "dead", JobSummary: summary },
      "status INFO",
    ],
    ["an index alone", "evaluations", { ModifyIndex: 500, SnapshotIndex: 500 }, "meta DEBUG"],
    [
      "a driver's clock",
      "nodes",
      { Drivers: { docker: { ...docker, UpdateTime: "2026-08-22T11:00:00Z" } } },
      "meta DEBUG",
    ],
    [
      "a driver's attributes",
      "nodes",
      { Drivers: { docker: { ...docker, Attributes: { v: "2" } } } },
      "spec INFO",
    ],
    ["an allocation that is to stop", "allocations", { DesiredStatus: "stop" }, "placement INFO"],
    [
      "a deployment's counters",
      "deployments",
      { TaskGroups: { frontend: { ...group, HealthyAllocs: 1 } } },
      "summary DEBUG",
    ],
    ["a field of a Nomad to come", "namespaces", { Flavour: "new" }, "spec INFO"],
    [
      "counters with a signal",
      "jobs",
      { JobSummary: { ...summary, Summary: { frontend: { Queued: 2 } } } },
      "summary WARN",
    ],
  ])("%s", (_name, resource, patch, expected) => {
    expect(judged(resource, patch)).toBe(expected);
  });
});

describe("an event over the size cap", () => {
  const events = (count: number) =>
    Array.from({ length: count }, (_, at) => ({
      Type: "Started",
      Time: at + 1,
      DisplayMessage: "é".repeat(200),
    }));
  const stubs = (count: number) => ({
    ...alloc,
    ModifyIndex: 884200,
    TaskStates: { nginx: { Events: events(count) } },
  });

  test("loses its stub first, and says where the whole data is", () => {
    const change = changeOf("allocations", { ...stubs(40), ModifyIndex: 884100 }, stubs(41));
    const draft = only(buildChangeEvents(change, contextOf({}, { maxEventBytes: 4096 })));
    const text = sealDraft(draft, "k3f9x2", 9);
    expect(Buffer.byteLength(text)).toBeLessThanOrEqual(4096);
    const event = eventOf(draft);
    expect(event).toMatchObject({ dataref: "data/k3f9x2-12345", data: { op: "update" } });
    expect(event.data).not.toHaveProperty("after");
    expect(event.data).not.toHaveProperty("changesTruncated");
    expect(event.data.changes).toHaveLength(2);
    expect(JSON.parse(draft.overflow ?? "")).toEqual({ ...event.data, after: stubs(41) });
  });

  test("then loses the changes that have no room, and says how many", () => {
    const before = { ...stubs(0), ClientStatus: "pending", ModifyIndex: 884100 };
    const draft = only(
      buildChangeEvents(changeOf("allocations", before, stubs(60)), contextOf({}, { maxEventBytes: 4096 })),
    );
    const event = eventOf(draft);
    expect(Buffer.byteLength(sealDraft(draft, "k3f9x2", 9))).toBeLessThanOrEqual(4096);
    const kept = event.data.changes?.length ?? 0;
    expect(kept).toBeGreaterThan(0);
    expect(event.data.changesTruncated).toBe(62 - kept);
    expect(event.data.changes).toContainEqual({ path: "/ClientStatus", from: "pending", to: "running" });
    expect(JSON.parse(draft.overflow ?? "").changes).toHaveLength(62);
  });

  test("a deleted object's before leaves too", () => {
    const draft = only(
      buildChangeEvents(
        changeOf("allocations", stubs(60), undefined),
        contextOf({}, { maxEventBytes: 4096 }),
      ),
    );
    expect(eventOf(draft).data).not.toHaveProperty("before");
    expect(JSON.parse(draft.overflow ?? "").before).toEqual(stubs(60));
  });

  test("is 64 KiB unless said otherwise", () => {
    const small = only(buildChangeEvents(changeOf("allocations", undefined, stubs(100)), contextOf()));
    const large = only(buildChangeEvents(changeOf("allocations", undefined, stubs(150)), contextOf()));
    expect([small.overflow === null, large.overflow === null]).toEqual([true, false]);
  });
});

test("changes are ordered by rev, deletes last, equals as they came", () => {
  const at = (ID: string, ModifyIndex: number) => ({ ...alloc, ID, ModifyIndex });
  const ordered = orderChanges([
    changeOf("allocations", at("gone", 5), undefined),
    changeOf("allocations", undefined, at("late", 100)),
    changeOf("allocations", undefined, at("first", 20)),
    changeOf("allocations", at("same", 1), at("same", 20)),
    changeOf("allocations", undefined, at("early", 9)),
  ]);
  expect(ordered.map(({ ref }) => ref.key)).toEqual(["early", "first", "same", "late", "gone"]);
});

test("the state's rev is the stub's, or empty", () => {
  expect(stateRevOf(changeOf("jobs", undefined, SAMPLES.jobs))).toBe("120");
  expect(stateRevOf(changeOf("namespaces", undefined, { Name: "qa" }))).toBe("");
});

test("an evaluation that could not place everything says why, in words", () => {
  const evaluation = {
    ID: "e1",
    Namespace: "default",
    JobID: "web",
    Status: "blocked",
    ModifyIndex: 5,
    CreateIndex: 5,
    FailedTGAllocs: {
      web: { NodesEvaluated: 4, DimensionExhausted: { memory: 3, cpu: 1 }, NodesAvailable: { dc1: 4 } },
      db: { NodesEvaluated: 2, ConstraintFiltered: { "${attr.kernel.name} = windows": 2 } },
      cache: { NodesEvaluated: 0, NodesAvailable: { dc1: 4, dc2: 0 } },
      api: { NodesEvaluated: 0 },
    },
  };
  const explained = (stub: object) =>
    eventOf(only(buildChangeEvents(changeOf("evaluations", undefined, stub), contextOf()))).data.explanation;
  expect(explained(evaluation)).toBe(
    "web: memory exhausted on 3 nodes, cpu exhausted on 1 node; " +
      "db: constraint ${attr.kernel.name} = windows excludes 2 nodes; " +
      "cache: no node in datacenter dc2; api: no node may run it",
  );
  expect(explained({ ...evaluation, QuotaLimitReached: "small", FailedTGAllocs: null })).toBe(
    "quota small is used up",
  );
  expect(explained({ ...evaluation, FailedTGAllocs: {} })).toBeUndefined();
});
