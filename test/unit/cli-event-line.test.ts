import { describe, expect, it } from "vitest";
import { coloursFor } from "../../src/commands/support/colours.ts";
import { eventLine } from "../../src/commands/support/event-line.ts";
import { buildChangeEvents } from "../../src/events/build.ts";
import { sealDraft, type EventDraft } from "../../src/schemas/draft.ts";
import { changeOf, contextOf } from "../support/event-fixtures.ts";

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
  return eventLine(json, plain).replace(/^\d\d:\d\d:\d\d\.\d{3} /, "");
}

describe("a line", () => {
  it("says what happened to what, and where", () => {
    const failed = { ...ALLOCATION, ClientStatus: "failed", ModifyIndex: 12 };
    expect(lineOf("allocations", ALLOCATION, failed)).toMatch(
      /^ERROR allocation\.updated +web\.frontend\[3\] {2}default {2}allocation\.failed {2}ClientStatus running → failed {2}job web node fb2170a8$/,
    );
  });

  it("of a creation and a deletion has the status", () => {
    expect(lineOf("allocations", undefined, ALLOCATION)).toMatch(/allocation\.created .*running/);
    expect(lineOf("allocations", ALLOCATION, undefined)).toMatch(/allocation\.deleted .*running/);
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
