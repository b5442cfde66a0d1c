import { describe, expect, it } from "vitest";
import type { ListResponse } from "../../src/nomad/api.ts";
import { parseFrame } from "../../src/pollers/hints/frame.ts";
import { entryMessage, entryOf, parseHintMessage } from "../../src/pollers/hints/hint-messages.ts";
import type { Hint } from "../../src/pollers/hints/hint.ts";
import { StubReader } from "../../src/pollers/hints/stub-reader.ts";
import { updatedAllocation } from "../../src/pollers/hints/updated-allocation.ts";
import { objectOf, parseExact, type JsonObject } from "../../src/schemas/json.ts";
import { allocationEvent, frame } from "../support/stream-frames.ts";

const NO_TRANSITION = { ForceReschedule: null, Migrate: null, Reschedule: null };
const RECEIVED = { Type: "Received", DisplayMessage: "Task received by client", Message: "", Time: 1 };
const STARTED = { Type: "Started", DisplayMessage: "Task started by client", Message: "", Time: 2 };

/** What the scheduler wrote. Nomad's times have more digits than a number of JavaScript. */
const PLACED = { CreateIndex: 15, EvalID: "e1", ID: "a1", JobID: "web", Name: "web.g[0]", NodeID: "n1" };
const STUB = {
  ...PLACED,
  ClientDescription: "",
  ClientStatus: "pending",
  DeploymentStatus: null,
  DesiredStatus: "run",
  DesiredTransition: NO_TRANSITION,
  FollowupEvalID: "e0",
  JobType: "service",
  JobVersion: 3,
  ModifyIndex: 17,
  NextAllocation: "",
  PreemptedAllocations: null,
  TaskStates: { t: { Events: [RECEIVED], State: "pending" } },
};
const EVENT = {
  ...PLACED,
  AllocModifyIndex: 15,
  ClientDescription: "Tasks are running",
  ClientStatus: "running",
  DesiredStatus: "run",
  DeploymentStatus: { Canary: false, Healthy: true, ModifyIndex: 21 },
  ModifyIndex: 21,
  NetworkStatus: { Address: "" },
  TaskStates: { t: { Events: [RECEIVED, STARTED], State: "running" } },
};

const HINT: Hint = {
  resource: "allocations",
  namespace: "default",
  key: "a1",
  index: 21n,
  cause: "Allocation",
};

function updated(stub: object, event: object): string | undefined {
  return updatedAllocation(stub as JsonObject, event as JsonObject)?.toString();
}

/** As Nomad writes it. */
function parsed(text: string): JsonObject {
  return objectOf(parseExact(text));
}

describe("an allocation that its client has written", () => {
  it("is as the list has it, by the event and an older stub", () => {
    const { AllocModifyIndex: _index, NetworkStatus: _network, ...said } = EVENT;
    const expected = { ...STUB, ...said, FollowupEvalID: "", ModifyIndex: 21 };
    expect(JSON.parse(updated(STUB, EVENT) ?? "")).toEqual(expected);
  });

  it("keeps every digit of what either says", () => {
    const older = parsed(JSON.stringify({ ...STUB, CreateTime: 0 }).replace("0}", "1796069866005385982}"));
    const event = parsed(JSON.stringify({ ...EVENT, CreateTime: 0 }).replace("0}", "1796069866222848134}"));
    expect(updated(older, event)).toContain('"CreateTime":1796069866222848134');
    expect(updated({ ...older, JobVersion: parseExact("1796069866005385982") }, event)).toContain(
      '"JobVersion":1796069866005385982',
    );
  });

  it.each([
    [
      "the scheduler has written it since, perhaps for another version of its job",
      STUB,
      { AllocModifyIndex: 18 },
    ],
    ["it does not say when the scheduler has", STUB, { AllocModifyIndex: undefined }],
    ["it is another one of its name", STUB, { CreateIndex: 16 }],
    ["another evaluation has placed it", STUB, { EvalID: "e2" }],
    ["it is of another node", STUB, { NodeID: "n2" }],
    ["it has no tasks, or none that it tells of", STUB, { TaskStates: undefined }],
    [
      "a task's event has no message, which the list would make",
      STUB,
      { TaskStates: { t: { Events: [{ ...STARTED, DisplayMessage: "" }] } } },
    ],
    [
      "what it leaves out was an object",
      { ...STUB, DeploymentStatus: EVENT.DeploymentStatus },
      { DeploymentStatus: undefined },
    ],
    ["it was to migrate, and nothing is said of that", { ...STUB, DesiredTransition: { Migrate: true } }, {}],
    ["it has a member that is nowhere in the event", { ...STUB, JobRegion: "global" }, {}],
    ["there were preempted ones", { ...STUB, PreemptedAllocations: ["a0"] }, {}],
  ])("is read where %s", (_why, stub, changes) => {
    const event = parsed(JSON.stringify({ ...EVENT, ...changes }));
    expect(updated(stub, event)).toBeUndefined();
  });
});

describe("a frame", () => {
  const hintOf = (index: number, ...fields: readonly object[]) => {
    const events = fields.map((each) => allocationEvent("a1", "web", { fields: each }));
    return parseFrame(Buffer.from(JSON.stringify(frame(index, ...events))))?.hints[0];
  };

  it("has the allocation where its client may have been the only one to write it", () => {
    expect(hintOf(21, EVENT)?.update).toMatchObject({ ClientStatus: "running" });
    expect(hintOf(21, { ...EVENT, AllocModifyIndex: 21 })?.update).toBeUndefined();
    expect(hintOf(21, { ...EVENT, AllocModifyIndex: undefined })?.update).toBeUndefined();
    expect(hintOf(21, EVENT, { ...EVENT, AllocModifyIndex: 21 })?.update).toBeUndefined();
  });

  it("tells other workers of it, with all its digits", () => {
    const hint = { ...HINT, update: parsed('{"CreateTime":1796069866005385982}') };
    const told = entryMessage("*", { index: 21n, explained: new Set(), hints: [hint] });
    const message = parseHintMessage(JSON.stringify(told));
    expect(message?.kind === "entry" && entryOf(message).hints).toEqual([hint]);
  });
});

describe("a reader of stubs", () => {
  const hint: Hint = { ...HINT, update: EVENT };
  const { signal } = new AbortController();

  function rig(known: JsonObject | undefined) {
    const asked: (string | undefined)[] = [];
    const answers: ((response: ListResponse) => void)[] = [];
    const reader = new StubReader({
      known: () => known,
      list: ({ index }) => {
        asked.push(index);
        return new Promise((resolve) => answers.push(resolve));
      },
      consistency: "default",
      onRead: () => undefined,
      onFailed: () => undefined,
    });
    return { asked, answers, reader };
  }

  it("asks Nomad for nothing where the event says all, and takes every event for a state of its own", () => {
    const { asked, reader } = rig(STUB);
    reader.add(hint, signal);
    reader.add({ ...hint, index: 22n, update: { ...EVENT, ModifyIndex: 22 } }, signal);
    const read = reader.take(signal).map(({ index, soleEvent, body }) => ({
      index,
      soleEvent,
      modified: (JSON.parse(body.toString()) as { ModifyIndex: number }).ModifyIndex,
    }));
    expect(read).toEqual([
      { index: 21n, soleEvent: 21n, modified: 21 },
      { index: 22n, soleEvent: 22n, modified: 22 },
    ]);
    expect(asked).toEqual([]);
  });

  it("asks where it does not, where nothing is known, and for what comes while an answer is awaited", () => {
    const unknown = rig(undefined);
    unknown.reader.add(hint, signal);
    expect(unknown.reader.take(signal)).toEqual([]);
    expect(unknown.asked).toEqual(["20"]);
    const { asked, reader } = rig(STUB);
    reader.add({ ...hint, update: { ...EVENT, AllocModifyIndex: 19 } }, signal);
    reader.add({ ...hint, index: 22n, update: { ...EVENT, ModifyIndex: 22 } }, signal);
    expect(reader.take(signal)).toEqual([]);
    expect(asked).toEqual(["21"]);
    reader.add({ ...hint, index: 23n, update: { ...EVENT, ModifyIndex: 23 } }, signal);
    expect(reader.take(signal)).toEqual([]);
    expect(reader.behind).toBe(2);
  });

  it("reads for an event that does not say all what those before it said too, and says that there were some", async () => {
    const { asked, answers, reader } = rig(STUB);
    reader.add(hint, signal);
    reader.add({ ...HINT, index: 22n }, signal);
    expect(asked).toEqual(["21"]);
    answers[0]?.({ body: Buffer.from("[{}]"), index: "22", elapsedMs: 1 } as ListResponse);
    await Promise.resolve();
    await Promise.resolve();
    expect(reader.take(signal)).toMatchObject([{ index: 22n, soleEvent: null }]);
  });

  it.each([
    ["before it", 19n, null],
    ["after it", 22n, 21n],
    ["in the same entry", 21n, 21n],
  ])(
    "says of a job's event whether it was the only one, where an event of its allocations came %s",
    async (_, index, soleEvent) => {
      const { answers, reader } = rig(STUB);
      const job: Hint = { resource: "jobs", namespace: "default", key: "web", index: 21n, cause: "Job" };
      const related: Hint = { ...job, index, cause: "Allocation" };
      // While nothing is under way, they wait.
      for (const each of index < 21n ? [related, job] : [job, related]) reader.add(each, AbortSignal.abort());
      reader.take(signal);
      answers[0]?.({ body: Buffer.from("[{}]"), index: "22", elapsedMs: 1 } as ListResponse);
      await Promise.resolve();
      await Promise.resolve();
      expect(reader.take(signal)).toMatchObject([{ index: 22n, soleEvent }]);
    },
  );

  it("makes many stubs some at a time, in order, and none of what a list has", () => {
    const { asked, reader } = rig(STUB);
    for (let n = 0; n < 100; n += 1) reader.add({ ...hint, index: BigInt(100 + n) }, signal);
    reader.forget(109n);
    const taken: bigint[][] = [];
    for (let read = reader.take(signal); read.length > 0; read = reader.take(signal))
      taken.push(read.map(({ index }) => index));
    expect(taken.flat()).toEqual(Array.from({ length: 90 }, (_, n) => BigInt(110 + n)));
    expect(Math.max(...taken.map(({ length }) => length))).toBeLessThan(50);
    expect(asked).toEqual([]);
  });
});
