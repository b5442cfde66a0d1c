import { expect, test } from "vitest";
import { jobMetricsText, parseJobMetrics } from "../../src/alerts/job-metrics/document.ts";
import { JobMetricsFold, OTHER } from "../../src/alerts/job-metrics/fold.ts";
import { JobMetricsSeeding } from "../../src/alerts/job-metrics/seeding.ts";
import { FoldedEvent } from "../../src/alerts/model/folded-event.ts";
import type { ResourceType } from "../../src/schemas/resources.ts";
import { changeOf, SAMPLES } from "../support/event-fixtures.ts";
import { loggedEvents } from "../support/logged-events.ts";

const BEGIN = Date.parse("2026-11-29T03:00:00Z");
const MINUTE = 60_000;
const NODE = String(SAMPLES.nodes["ID"]);

const there = (resource: ResourceType, fields: object) => {
  const { ref, after } = {
    after: undefined,
    ...changeOf(resource, undefined, { ...SAMPLES[resource], ...fields }),
  };
  return { ref, stub: after?.value ?? {} };
};
const seedingOf = (objects: readonly ReturnType<typeof there>[]) => {
  const seeding = new JobMetricsSeeding();
  for (const { ref, stub } of objects) seeding.take(ref, stub);
  return seeding;
};
const job = (ID: string) => there("jobs", { ID });
const blocked = there("evaluations", { Status: "blocked" });

type Fields = object | undefined;

/** One change of an object, seen `minutes` after the begin. */
function see(
  fold: JobMetricsFold,
  minutes: number,
  resource: ResourceType,
  ...sides: [Fields, Fields]
): void {
  const [before, after] = sides.map((fields) => fields && { ...SAMPLES[resource], ...fields });
  const events = loggedEvents(changeOf(resource, before, after), BEGIN + minutes * MINUTE, 1);
  for (const event of events) fold.apply(new FoldedEvent(event));
}

test("a job that is seen begins at 0, and what was counted stays through a time in which nobody looked", () => {
  const fold = new JobMetricsFold(10);
  fold.seed(seedingOf([job("web"), blocked, there("nodes", { Status: "down" })]), BEGIN);
  expect(fold.counts(BEGIN).jobs.get("default/web")).toMatchObject({
    groups: new Map([["frontend", { restarts: 0, oomKills: 0, failedAllocations: 0, reschedules: 0 }]]),
    deployments: { successful: 0, failed: 0, cancelled: 0 },
    blockedSeconds: 0,
  });
  const { jobs, nodes } = fold.counts(BEGIN + MINUTE);
  expect(jobs.get("default/web")?.blockedSeconds).toBe(60);
  expect(nodes.get(NODE)).toEqual({ name: "worker-1", downSeconds: 60, drainSeconds: 0 });

  fold.seed(seedingOf([job("web"), there("nodes", {})]), BEGIN + 2 * MINUTE);
  const later = fold.counts(BEGIN + 9 * MINUTE);
  expect(later.jobs.get("default/web")?.blockedSeconds).toBe(120);
  expect(later.nodes.get(NODE)).toEqual({ name: "worker-1", downSeconds: 120, drainSeconds: 0 });

  fold.seed(seedingOf([job("api")]), BEGIN + 9 * MINUTE);
  const { jobs: rest, nodes: gone } = fold.counts(BEGIN + 9 * MINUTE);
  expect([...rest.keys()]).toEqual([OTHER, "default/api"]);
  expect([...gone.keys()]).toEqual([OTHER]);
});

test("jobs beyond the bound are counted together, and one of them gets its own counts where there is room", () => {
  const fold = new JobMetricsFold(1);
  fold.seed(seedingOf([job("api"), job("web")]), BEGIN);
  const fail = (JobID: string, minutes: number) =>
    see(fold, minutes, "allocations", { JobID }, { JobID, ClientStatus: "failed" });
  fail("api", 1);
  fail("web", 2);
  fail("web", 3);
  const { jobs } = fold.counts(BEGIN);
  expect([...jobs.keys()]).toEqual([OTHER, "default/api"]);
  expect(jobs.get("default/api")?.groups.get("frontend")?.failedAllocations).toBe(1);
  expect(jobs.get(OTHER)?.groups.get(OTHER)?.failedAllocations).toBe(2);

  fold.seed(seedingOf([job("web")]), BEGIN);
  fail("web", 4);
  expect(fold.counts(BEGIN).jobs.get("default/web")?.groups.get("frontend")?.failedAllocations).toBe(1);
});

test("time that goes on is counted where its job is at the time: no count ever falls, none has it twice", () => {
  const fold = new JobMetricsFold(10);
  fold.seed(seedingOf([job("web"), blocked]), BEGIN);
  see(fold, 5, "jobs", {}, undefined);
  const gone = fold.counts(BEGIN + 7 * MINUTE).jobs;
  expect([...gone.keys()]).toEqual([OTHER]);
  expect(gone.get(OTHER)?.blockedSeconds).toBe(120);
  see(fold, 8, "jobs", undefined, {});
  const back = fold.counts(BEGIN + 9 * MINUTE).jobs;
  expect(back.get(OTHER)?.blockedSeconds).toBe(180);
  expect(back.get("default/web")?.blockedSeconds).toBe(60);
});

test("nodes beyond the bound are counted together", () => {
  const fold = new JobMetricsFold(1);
  const node = (ID: string, Status: string) => there("nodes", { ID, Name: `node-${ID}`, Status });
  fold.seed(seedingOf([node("a", "ready"), node("b", "down"), node("c", "down")]), BEGIN);
  expect([...fold.counts(BEGIN + MINUTE).nodes]).toEqual([
    [OTHER, { name: OTHER, downSeconds: 120, drainSeconds: 0 }],
    ["a", { name: "node-a", downSeconds: 0, drainSeconds: 0 }],
  ]);
  fold.seed(seedingOf([node("b", "ready")]), BEGIN + MINUTE);
  expect(fold.counts(BEGIN + 2 * MINUTE).nodes.get(OTHER)?.downSeconds).toBe(120);
});

test("a batch job that completed before anybody looked has the time of that, and one that did not has none", () => {
  const fold = new JobMetricsFold(10);
  const task = { State: "dead", StartedAt: "2026-11-29T01:59:00Z", FinishedAt: "2026-11-29T02:00:00Z" };
  const done = { JobType: "batch", JobID: "nightly/periodic-1795917600", ClientStatus: "complete" };
  fold.seed(
    seedingOf([
      there("jobs", { ID: "nightly", Type: "batch" }),
      there("jobs", { ID: "weekly", Type: "batch" }),
      there("allocations", { ...done, TaskStates: { main: { ...SAMPLES.allocations, ...task } } }),
    ]),
    BEGIN,
  );
  const { jobs } = fold.counts(BEGIN);
  expect(jobs.get("default/nightly")).toMatchObject({
    isBatch: true,
    lastSuccess: BEGIN / 1000 - 3600,
  });
  expect(jobs.get("default/weekly")?.lastSuccess).toBeNull();
});

test("groups may have any name, and another bound goes on with the jobs that fit into it", () => {
  const fold = new JobMetricsFold(10);
  const Summary = JSON.parse('{"__proto__":{},"constructor":{}}') as object;
  fold.seed(seedingOf([there("jobs", { JobSummary: { Summary } }), job("api")]), BEGIN);
  const alloc = { TaskGroup: "__proto__" };
  see(fold, 1, "allocations", alloc, { ...alloc, ClientStatus: "failed" });
  expect(Object.hasOwn(Object.prototype, "failedAllocations")).toBe(false);

  const few = new JobMetricsFold(1, parseJobMetrics(jobMetricsText(fold.state)));
  expect(few.needsSeed).toBe(true);
  few.seed(seedingOf([there("jobs", { JobSummary: { Summary } }), job("api")]), BEGIN);
  const { jobs } = few.counts(BEGIN);
  expect([...jobs.keys()]).toEqual([OTHER, "default/web"]);
  const { groups } = jobs.get("default/web") ?? {};
  expect([...(groups ?? [])].map(([name, counts]) => [name, counts.failedAllocations])).toEqual([
    ["__proto__", 1],
    ["constructor", 0],
  ]);
});
