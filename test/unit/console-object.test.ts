import { describe, expect, it } from "vitest";
import { choicesOf } from "../../console/src/pages/event/choices.ts";
import { clientCodeOf, curlOf } from "../../console/src/pages/live/automation.ts";
import { selectionOf } from "../../console/src/pages/live/selection.ts";
import { groupsAround } from "../../console/src/pages/object/history/groups.ts";
import { lanesOf } from "../../console/src/pages/object/lanes/lanes-of.ts";
import { tracksAt } from "../../console/src/pages/object/lanes/tracks-at.ts";
import { tracksOf } from "../../console/src/pages/object/lanes/track.ts";
import { momentOf } from "../../console/src/pages/object/moment.ts";
import { tiesOf } from "../../console/src/pages/object/related.ts";
import type { Stub } from "../../console/src/pages/object/stubs.ts";
import { clustersOf } from "../../console/src/pages/object/timeline/clusters.ts";
import { ticksIn } from "../../console/src/pages/object/timeline/scale.ts";
import { stateAt, versionOf } from "../../console/src/pages/object/versions.ts";
import { factsOf } from "../../console/src/feed/event-facts.ts";
import { parseExact, scalarText } from "../../console/src/words/exact-json.ts";
import { equalsTerm } from "../../console/src/words/filter-terms.ts";
import { subjectAt } from "../../console/src/words/references.ts";
import { shownTimeOf } from "../../console/src/words/shown-time.ts";
import { BEGIN_MS, feedEvent, nanos, type Change } from "../support/console/feed-events.ts";
import { eventAfter, passes } from "../support/filters.ts";

type Changes = { path: string; from?: unknown; to?: unknown }[];

/** An event of the allocation, unless it is told to be of another object. */
const event = (
  sequence: number,
  seconds: number,
  rest: Partial<Parameters<typeof feedEvent>[2]> & { stub: Stub },
) => feedEvent(sequence, seconds, { subject: ALLOCATION, ...rest });

const ALLOCATION = "allocations/default/11111111-0000-0000-0000-000000000000";
const NEXT = "allocations/default/22222222-0000-0000-0000-000000000000";

const allocation = (status: string, rest: Stub = {}): Stub => ({
  ID: ALLOCATION.split("/")[2],
  Name: "web.frontend[0]",
  Namespace: "default",
  NodeID: "n1",
  NodeName: "node-1",
  JobID: "web",
  JobVersion: 3,
  EvalID: "e1",
  DesiredStatus: "run",
  ClientStatus: status,
  NextAllocation: "",
  CreateTime: nanos(0),
  ...rest,
});

const status = (from: string, to: string): Changes => [{ path: "/ClientStatus", from, to }];

/** Placed at 0, ran at 10, failed at 30, was gone at 60. */
const LIFE = [
  event(10, 0, { op: "create", stub: allocation("pending"), signals: ["allocation.placed"] }),
  event(20, 10, {
    stub: allocation("running"),
    changes: status("pending", "running"),
    signals: ["allocation.running"],
  }),
  event(30, 30, {
    stub: allocation("failed"),
    changes: status("running", "failed"),
    signals: ["allocation.failed"],
  }),
  event(40, 60, { op: "delete", stub: allocation("failed"), signals: ["allocation.gone"] }),
];

const known = (events: readonly Change[], current?: Stub) => ({
  versions: events.map(versionOf),
  current,
  isCut: false,
  floor: "a-5",
  oldestMs: BEGIN_MS - 60_000,
});

const at = (text: string) => momentOf(text, shownTimeOf(text, new Map(), BEGIN_MS));

/** What is said of an object at a moment: its status, or why there is none. */
function told(state: ReturnType<typeof stateAt>): string {
  return state.kind === "there" ? `there, ${String(state.stub?.["ClientStatus"])}` : state.kind;
}

describe("an object at a moment", () => {
  it("is what the events before that had made of it, by cursor and by time of recording", () => {
    const whole = known(LIFE);
    expect(told(stateAt(whole, at("a-9")))).toBe("not-yet");
    expect(told(stateAt(whole, at("a-20")))).toBe("there, running");
    expect(told(stateAt(whole, at("a-29")))).toBe("there, running");
    expect(told(stateAt(whole, at("2026-11-29T12:00:30.500Z")))).toBe("there, running");
    expect(told(stateAt(whole, at("2026-11-29T12:00:31Z")))).toBe("there, failed");
    expect(told(stateAt(whole, at("a-40")))).toBe("deleted");
    expect(told(stateAt(whole, at("")))).toBe("deleted");
  });

  it("was there before its first event, where that changed it", () => {
    const later = known(LIFE.slice(1, 3), allocation("failed"));
    expect(told(stateAt(later, at("a-15")))).toBe("there, pending");
    expect(told(stateAt(known([], allocation("running")), at("a-15")))).toBe("there, running");
  });

  it("is not changed by versions that no poll saw", () => {
    const passed = event(25, 20, { op: "version", stub: {} });
    const early = event(12, 2, { op: "version", stub: {} });
    expect(told(stateAt(known([...LIFE.slice(0, 2), passed]), at("a-26")))).toBe("there, running");
    expect(told(stateAt(known([early, ...LIFE]), at("a-9")))).toBe("not-yet");
    const later = [early, ...LIFE.slice(1, 3), passed];
    expect(told(stateAt(known(later), at("a-13")))).toBe("there, pending");
    expect(bars(ALLOCATION, later)).toEqual(bars(ALLOCATION, LIFE.slice(1, 3)));
    const then = tracksAt(tracksOf(later, new Map()), at("a-13"), { atMs: undefined, cutMs: undefined });
    expect(then?.get(ALLOCATION)?.stub?.["ClientStatus"]).toBe("pending");
    expect(factsOf(passed)).toMatchObject({ what: "submitted", detail: "version 4, overtaken" });
  });

  it("is not known before what the feed keeps, in another history, or where older events were not read", () => {
    const whole = known(LIFE);
    expect(told(stateAt(whole, at("a-4")))).toBe("unknown");
    expect(told(stateAt(whole, at("b-20")))).toBe("unknown");
    expect(told(stateAt(whole, at("2026-11-29T11:58:00Z")))).toBe("unknown");
    expect(told(stateAt({ ...known(LIFE.slice(2)), isCut: true }, at("a-15")))).toBe("unknown");
  });
});

const bars = (subject: string, events: readonly Change[], current: ReadonlyMap<string, Stub> = new Map()) =>
  Object.fromEntries(
    lanesOf(subject, tracksOf(events, current)).map(({ label, bars: of }) => [
      label,
      of.map(({ fromMs, toMs, word, tone }) => [
        word,
        tone,
        (fromMs - BEGIN_MS) / 1000,
        toMs === null ? null : (toMs - BEGIN_MS) / 1000,
      ]),
    ]),
  );

describe("the lanes of an object", () => {
  it("have its states from when to when", () => {
    expect(bars(ALLOCATION, LIFE)["Allocation"]).toEqual([
      ["pending", "wait", 0, 10],
      ["running", "ok", 10, 30],
      ["failed", "bad", 30, 60],
    ]);
  });

  it("are red only where something is wrong now", () => {
    const last = (stub: Stub) =>
      bars(ALLOCATION, [event(30, 30, { stub, changes: status("running", "failed") })]);
    expect(last(allocation("failed"))["Allocation"]?.at(-1)).toEqual(["failed", "wrong", 30, null]);
    expect(last(allocation("failed", { DesiredStatus: "stop" }))["Allocation"]?.at(-1)?.[1]).toBe("bad");
    expect(last(allocation("failed", { NextAllocation: "x" }))["Allocation"]?.at(-1)?.[1]).toBe("bad");
  });

  it("have the life of each task, also of what an allocation does not list any more", () => {
    const task = (type: string, seconds: number, rest: Stub = {}) => ({
      Type: type,
      Time: nanos(seconds),
      DisplayMessage: type,
      Details: {},
      ...rest,
    });
    const killed = task("Terminated", 20, {
      DisplayMessage: 'Exit Code: 137, Exit Message: "OOM Killed"',
      Details: { exit_code: "137", oom_killed: "true" },
    });
    const states = (state: string, events: Stub[]): Stub => ({
      TaskStates: {
        main: { State: state, Failed: false, Restarts: 0, StartedAt: null, FinishedAt: null, Events: events },
      },
    });
    const begun = [task("Received", 1), task("Task Setup", 2), task("Started", 5)];
    const events = [
      event(10, 5, { op: "create", stub: allocation("running", states("running", begun)) }),
      event(20, 25, {
        stub: allocation("running", states("running", [killed, task("Restarting", 21), task("Started", 25)])),
      }),
    ];
    expect(bars(ALLOCATION, events)["main"]).toEqual([
      ["setting up", "wait", 1, 5],
      ["running", "ok", 5, 20],
      ["restarting", "wait", 21, 25],
      ["running", "ok", 25, null],
    ]);
    const [lane] = lanesOf(ALLOCATION, tracksOf(events, new Map()));
    expect(lane?.marks.filter(({ shape }) => shape === "cross")).toEqual([
      {
        ms: BEGIN_MS + 20_000,
        words: 'Terminated: Exit Code: 137, Exit Message: "OOM Killed"',
        shape: "cross",
        cursor: "a-20",
      },
    ]);
  });

  it("have allocations of one name follow each other, and deployments end with what became of them", () => {
    const deployment = { ID: "d1", JobID: "web", JobVersion: 3, CreateTime: nanos(1) };
    const events = [
      ...LIFE.slice(0, 3),
      event(31, 40, { op: "create", subject: NEXT, stub: allocation("pending", { CreateTime: nanos(40) }) }),
      event(11, 1, {
        op: "create",
        subject: "deployments/default/d1",
        stub: { ...deployment, Status: "running" },
      }),
      event(32, 50, { subject: "deployments/default/d1", stub: { ...deployment, Status: "successful" } }),
    ];
    const lanes = bars(
      "jobs/default/web",
      events,
      new Map([["jobs/default/web", { ID: "web", Status: "running" }]]),
    );
    expect(lanes["web.frontend[0]"]).toEqual([
      ["pending", "wait", 0, 10],
      ["running", "ok", 10, 30],
      ["failed", "bad", 30, 40],
      ["pending", "wait", 40, null],
    ]);
    expect(lanes["Deployments"]).toEqual([["v3 successful", "ok", 1, 50]]);
    expect(lanes["State"]).toEqual([["running", "ok", -Infinity, null]]);
  });

  it("stand beside what an object took the place of", () => {
    const before = allocation("failed", { NextAllocation: NEXT.split("/")[2] });
    const tracks = tracksOf(
      [
        event(30, 30, { stub: before }),
        event(31, 40, { op: "create", subject: NEXT, stub: allocation("running") }),
      ],
      new Map(),
    );
    const own = tracks.get(NEXT);
    expect(own && tiesOf(own, tracks)).toMatchObject([
      { words: "Took the place of", subject: ALLOCATION, state: "failed" },
    ]);
  });
});

describe("the timeline", () => {
  it("draws one mark for those that stand too close, as what went wrong among them", () => {
    const mark = (ms: number, shape: "dot" | "cross") => ({ ms, shape, words: `at ${ms}`, cursor: null });
    const clusters = clustersOf([mark(100, "dot"), mark(0, "dot"), mark(8, "cross"), mark(14, "dot")], 10);
    expect(clusters.map(({ ms, shape, marks }) => [ms, shape, marks.length])).toEqual([
      [0, "cross", 2],
      [14, "dot", 1],
      [100, "dot", 1],
    ]);
  });

  it("has round times, no more than there is room for", () => {
    for (const lengthMs of [700, 9000, 61_000, 3_700_000, 90_000_000, 4e9]) {
      const ticks = ticksIn({ fromMs: BEGIN_MS + 123, toMs: BEGIN_MS + 123 + lengthMs }, 8);
      expect(ticks.length).toBeGreaterThan(1);
      expect(ticks.length).toBeLessThanOrEqual(9);
    }
  });
});

describe("a history in few lines", () => {
  it("tells what repeats once, and keeps what only moved indexes apart", () => {
    const quiet: Changes = [{ path: "/ModifyIndex", from: 1, to: 2 }];
    const restarted = { stub: allocation("running"), changes: status("a", "b"), signals: ["task.restarted"] };
    const events = [
      event(1, 1, restarted),
      event(2, 2, restarted),
      event(3, 3, { stub: allocation("running"), changes: quiet }),
      event(4, 4, restarted),
    ];
    expect(
      groupsAround(events.map(versionOf), -1).before.map(({ what, isQuiet, versions }) => [
        what,
        isQuiet,
        versions.length,
      ]),
    ).toEqual([
      ["restarted", false, 2],
      ["updated", true, 1],
      ["restarted", false, 1],
    ]);
  });

  it("tells what came after the moment that is shown apart from what led to it", () => {
    const running = { stub: allocation("running"), changes: status("a", "b"), signals: ["task.restarted"] };
    const versions = [1, 2, 3].map((number) => versionOf(event(number, number, running)));
    const sizes = (shown: number) => {
      const { before, later } = groupsAround(versions, shown);
      return [before, later].map((groups) => groups.map((group) => group.versions.length));
    };
    expect(sizes(1)).toEqual([[2], [1]]);
    expect(sizes(-1)).toEqual([[3], []]);
  });
});

describe("what hangs together with an object", () => {
  const DEPLOYMENT = "deployments/default/d1";
  const deployment = (word: string): Stub => ({ ID: "d1", JobID: "web", JobVersion: 3, Status: word });
  /** The deployment ran from 1 to 50, the next allocation was placed at 40 and ran at 55. */
  const tracks = tracksOf(
    [
      ...LIFE.slice(0, 3),
      event(35, 40, { op: "create", stub: allocation("pending", { ID: "2" }), subject: NEXT }),
      event(38, 50, {
        subject: DEPLOYMENT,
        stub: deployment("successful"),
        changes: [{ path: "/Status", from: "running", to: "successful" }],
      }),
      event(39, 55, {
        subject: NEXT,
        stub: allocation("running", { ID: "2" }),
        changes: status("pending", "running"),
      }),
    ],
    new Map([["evaluations/default/e1", { ID: "e1", Status: "complete" }]]),
  );
  const then = (sequence: number, cutMs?: number) =>
    tracksAt(tracks, at(`a-${sequence}`), { atMs: BEGIN_MS + sequence * 1000, cutMs });
  const states = (sequence: number) =>
    [...(then(sequence) ?? [])].map(([subject, { stub }]) => {
      const word = stub?.["ClientStatus"] ?? stub?.["Status"];
      return `${subject.split("/")[2]?.slice(0, 2)} ${String(word)}`;
    });

  it("is shown as it was at the moment, and not where it was not there yet", () => {
    expect(states(30)).toEqual(["e1 complete", "11 failed", "d1 running"]);
    expect(states(35)).toEqual(["e1 complete", "11 failed", "22 pending", "d1 running"]);
    expect(states(39)).toEqual(["e1 complete", "11 failed", "22 running", "d1 successful"]);
    expect(tracksAt(tracks, at(""), { atMs: undefined, cutMs: undefined })).toBe(tracks);
  });

  it("is not known before what was read, nor at a time that nobody can tell", () => {
    expect(then(30, BEGIN_MS + 31_000)).toBeUndefined();
    expect(then(30, BEGIN_MS + 29_000)).toBeDefined();
    expect(tracksAt(tracks, at("yesterday"), { atMs: undefined, cutMs: undefined })).toBeUndefined();
  });
});

describe("values of an object", () => {
  it("keep every digit", () => {
    const text = '{"ModifyTime":1795959164115356357,"Priority":50}';
    const value = parseExact(text) as Record<string, unknown>;
    expect(scalarText(value["ModifyTime"])).toBe("1795959164115356357");
    expect(value["Priority"]).toBe(50);
    expect(JSON.stringify(value)).toBe(text);
  });

  it("lead to the objects that they name", () => {
    expect(subjectAt("/EvalID", "e1", "default")).toBe("evaluations/default/e1");
    expect(subjectAt("/NodeID", "n1", "default")).toBe("nodes/-/n1");
    expect(subjectAt("/TaskGroups/web/PlacedCanaries/0", "a1", "qa")).toBe("allocations/qa/a1");
    expect(subjectAt("/NextAllocation", "", "default")).toBeUndefined();
    expect(subjectAt("/Name", "web", "default")).toBeUndefined();
  });

  it("become terms that the bridge's own filter holds of the object", () => {
    const text = `{"ClientStatus":"failed","ModifyTime":1795959164115356357,"Stop":true,"Parent":null,"Meta":{"my key":"a \\"b\\""}}`;
    const stub = parseExact(text) as Record<string, unknown>;
    const meta = (stub["Meta"] as Record<string, unknown>)["my key"];
    for (const [pointer, value] of [
      ["/ClientStatus", stub["ClientStatus"]],
      ["/ModifyTime", stub["ModifyTime"]],
      ["/Stop", true],
      ["/Parent", null],
      ["/Meta/my key", meta],
    ] as const) {
      const term = equalsTerm(pointer, value) ?? "";
      expect([pointer, term, passes(term, eventAfter(text))]).toEqual([pointer, term, true]);
      expect(passes(term, eventAfter('{"ClientStatus":"running","Parent":"x"}'))).toBe(false);
    }
    expect(equalsTerm("/Meta", {})).toBeUndefined();
  });
});

describe("what to subscribe to", () => {
  it("is offered as a command and a program, whatever names have in them", () => {
    const choices = choicesOf({ ...factsOf(LIFE[2] as Parameters<typeof factsOf>[0]), job: "o'brien" });
    expect(choices.map(({ words }) => words)).toEqual([
      "this object",
      "every allocation.failed",
      "this job and all of its parts",
    ]);
    const [object, , job] = choices.map(({ parameters }) => selectionOf(new URLSearchParams(parameters)));
    expect(object && curlOf("http://bridge/feed/", object)).toBe(
      [
        "curl -NG 'http://bridge/feed/v1/events' \\",
        "  -H 'Accept: application/x-ndjson' \\",
        `  --data-urlencode 'subjects=${ALLOCATION}'`,
      ].join("\n"),
    );
    expect(job && curlOf("http://bridge/", job)).toContain(String.raw`'filter=resource.job == "o'\''brien"'`);
    expect(job && clientCodeOf("http://bridge/", job)).toContain(String.raw`resource.job == \"o'brien\"`);
  });
});
