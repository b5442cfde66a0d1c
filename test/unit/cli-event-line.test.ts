import { describe, expect, it } from "vitest";
import { coloursFor } from "../../src/commands/support/colours.ts";
import { eventLine } from "../../src/commands/support/event-line.ts";
import { widthOf } from "../../src/commands/support/fit-line.ts";
import { buildChangeEvents } from "../../src/events/build.ts";
import { buildControlEvent } from "../../src/events/control.ts";
import { sealDraft, type EventDraft } from "../../src/schemas/draft.ts";
import { changeOf, contextOf, SAMPLES, skippedVersion } from "../support/event-fixtures.ts";

const plain = coloursFor({ env: {}, isTTY: false });

const ALLOCATION = {
  ID: "5456bd7a-9fc0-c0dd-6131-cbee77f57577",
  Namespace: "default",
  Name: "web.frontend[3]",
  JobID: "web",
  TaskGroup: "frontend",
  NodeID: "fb2170a8-257d-3c64-b14d-bc06cc94e34c",
  ClientStatus: "running",
  DesiredStatus: "run",
  CreateIndex: 10,
  ModifyIndex: 11,
};

function lineOf(...change: Parameters<typeof changeOf>): string {
  const [draft] = buildChangeEvents(changeOf(...change), contextOf());
  const json = sealDraft(draft as EventDraft, "abc", 7);
  return eventLine(json, plain).replace(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ /, "");
}

describe("a line", () => {
  it("says what happened to what, and where", () => {
    const failed = { ...ALLOCATION, ClientStatus: "failed", ModifyIndex: 12 };
    expect(lineOf("allocations", ALLOCATION, failed)).toMatch(
      /^ERROR allocation\.failed {3}web\.frontend\[3\] {2}default {2}ClientStatus running → failed {2}node fb2170a8 {2}job web$/,
    );
  });

  it("says by whom, where Nomad vouches for it", () => {
    const node = {
      ID: "fb2170a8-257d-3c64-b14d-bc06cc94e34c",
      Name: "node-1",
      LastDrain: null,
      ModifyIndex: 1,
    };
    const AccessorID = "token:3d8b1a3e-0000-4000-8000-000000000001";
    const drain = {
      StartedAt: "2026-08-22T10:15:30Z",
      UpdatedAt: "2026-08-22T10:15:30Z",
      Status: "draining",
      AccessorID,
    };
    expect(lineOf("nodes", node, { ...node, LastDrain: drain, ModifyIndex: 2 })).toMatch(
      /^INFO {2}node\.draining {7}node-1 {2}LastDrain changed {2}by token 3d8b1a3e$/,
    );
  });

  it("says which version no poll saw, what it changed first, and by whom", () => {
    const job = SAMPLES.jobs;
    const change = changeOf("jobs", job, { ...job, ModifyIndex: 140, JobModifyIndex: 140 });
    const path = "/TaskGroups/web/Count";
    const changes = [
      { path: "/Meta/x", kind: "edited" as const, old: "[redacted]", new: "[redacted]" },
      { path, kind: "edited" as const, old: "3", new: "4" },
      { path: "/Priority", kind: "added" as const, new: "60" },
    ];
    const spec = { version: 4, submittedAt: null, diff: { changes, omitted: 1 }, redacted: [] };
    const actor = { kind: "token", id: "3d8b1a3e", name: "deploy-ci", basis: "job-register" as const };
    const skipped = [skippedVersion(4, 130, { spec, actor }), skippedVersion(5, 135)];
    const drafts = buildChangeEvents(change, contextOf({}, { found: new Map([[change, { skipped }]]) }));
    const lines = drafts.map((draft) => eventLine(sealDraft(draft, "abc", 7), plain).slice(21));
    expect(lines[0]).toBe(
      "INFO  job.version         web  default  version 4, overtaken: web/Count 3 → 4 (+3)  by deploy-ci",
    );
    expect(lines[1]).toBe("INFO  job.version         web  default  version 5, overtaken");
  });

  it("of an outage is about the whole feed", () => {
    const context = { source: "nomad://prod/global", nomadEpoch: 0, observedAt: "2026-08-22T10:15:30.412Z" };
    const stale = { kind: "scope", scope: null, state: "stale", reason: "Nomad cannot be reached" } as const;
    const draft = buildControlEvent(stale, { ...context, discriminator: "abc-6" });
    expect(eventLine(sealDraft(draft, "abc", 7), plain)).toBe(
      "2026-08-22T10:15:30Z WARN  feed.scope          the whole feed  stale: Nomad cannot be reached",
    );
  });

  it("of a creation and a deletion has the status", () => {
    expect(lineOf("allocations", undefined, ALLOCATION)).toMatch(/allocation\.placed .* running /);
    expect(lineOf("allocations", ALLOCATION, undefined)).toMatch(/allocation\.gone .* running /);
  });

  it("shortens ids where there is no name, and paths where they are long", () => {
    const evaluation = {
      ID: "0badf00d-9fc0-c0dd-6131-cbee77f57577",
      Namespace: "qa",
      Status: "pending",
      ModifyIndex: 5,
    };
    expect(lineOf("evaluations", evaluation, { ...evaluation, Status: "complete", ModifyIndex: 6 })).toMatch(
      / 0badf00d {2}qa {2}.*Status pending → complete/,
    );
    const job = { ID: "web", Name: "web", Namespace: "default", ModifyIndex: 5 };
    const summary = (running: number) => ({
      ...job,
      JobSummary: { Summary: { front: { Running: running } }, ModifyIndex: running },
    });
    expect(lineOf("jobs", summary(8), summary(9))).toContain("front/Running 8 → 9");
  });

  it("says of trouble what the task's driver said, and names the node where it is known", () => {
    const event = { Type: "Terminated", DisplayMessage: "Exit Code: 137, OOM Killed", Time: 1, Details: {} };
    const task = (Events: object[], State: string) => ({
      main: { State, Failed: false, Restarts: 0, Events },
    });
    const running = { ...ALLOCATION, NodeName: "worker-3", TaskStates: task([], "running") };
    const failed = { ...running, ClientStatus: "failed", TaskStates: task([event], "dead"), ModifyIndex: 12 };
    expect(lineOf("allocations", running, failed)).toMatch(
      / {2}ClientStatus running → failed .* {2}Exit Code: 137, OOM Killed {2}node worker-3 /,
    );
  });

  it("does not show times, indexes and ids where something else says more", () => {
    const job = { ID: "web", Name: "web", Namespace: "default", Stop: false, ModifyIndex: 5 };
    const before = { ...job, JobModifyIndex: 5, SubmitTime: 1 };
    const again = { ...job, JobModifyIndex: 6, SubmitTime: 2, ModifyIndex: 6 };
    expect(lineOf("jobs", before, again)).toMatch(/job\.updated +web {2}default$/);
  });

  it.each([60, 80, 100, 140])(
    "fits a terminal of %i columns, and shows the most important first",
    (columns) => {
      const failed = { ...ALLOCATION, Name: "web.フロント[3]", ClientStatus: "failed", ModifyIndex: 12 };
      const [draft] = buildChangeEvents(changeOf("allocations", ALLOCATION, failed), contextOf());
      const line = eventLine(sealDraft(draft as EventDraft, "abc", 7), plain, columns);
      expect(widthOf(line)).toBeLessThanOrEqual(columns);
      expect(line).toMatch(/^\S+Z ERROR allocation\.failed +web/);
      expect(line.includes("node fb2170a8")).toBe(columns >= 140);
      expect(line.includes("default")).toBe(columns >= 80);
    },
  );

  it("of bookkeeping alone shows it, and colours nothing that is empty", () => {
    const job = { ID: "web", Name: "web", Namespace: "default", ModifyIndex: 5 };
    expect(lineOf("jobs", job, { ...job, ModifyIndex: 6 })).toMatch(/web {2}default {2}ModifyIndex 5 → 6$/);
    expect(coloursFor({ env: {}, isTTY: true }).dim("")).toBe("");
  });

  it("lets nothing in a name steer the terminal", () => {
    const evil = { ...ALLOCATION, Name: "a\u001B[2Jb\u009Bc\nd" };
    expect(lineOf("allocations", undefined, evil)).toContain("a�[2Jb�c�d");
  });

  it("of an event it does not know is the event", () => {
    expect(eventLine('{"type":"nomad.quota.created"}', plain)).toBe('{"type":"nomad.quota.created"}');
  });
});
