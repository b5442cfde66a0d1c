import { expect, test } from "vitest";
import { JobMetricsFold, OTHER } from "../../src/alerts/job-metrics.ts";
import type { ResourceType } from "../../src/schemas/resources.ts";
import { changeOf, SAMPLES } from "../support/event-fixtures.ts";
import { loggedEvents } from "../support/logged-events.ts";

const BEGIN = Date.parse("2026-11-29T03:00:00Z");
const MINUTE = 60_000;

const there = (resource: ResourceType, fields: object) => {
  const { ref, after } = {
    after: undefined,
    ...changeOf(resource, undefined, { ...SAMPLES[resource], ...fields }),
  };
  return { ref, stub: after?.value ?? {} };
};
const job = (ID: string) => there("jobs", { ID });
const blocked = there("evaluations", { Status: "blocked" });

test("a job that is seen begins at 0, and what was counted stays through a time in which nobody looked", () => {
  const fold = new JobMetricsFold(10);
  fold.seed({ objects: [job("web"), blocked, there("nodes", { Status: "down" })] }, BEGIN);
  expect(fold.counts(BEGIN).jobs.get("default/web")).toMatchObject({
    groups: { frontend: { restarts: 0, oomKills: 0, failedAllocations: 0, reschedules: 0 } },
    deployments: { successful: 0, failed: 0, cancelled: 0 },
    blockedSeconds: 0,
  });
  const { jobs, nodes } = fold.counts(BEGIN + MINUTE);
  expect(jobs.get("default/web")?.blockedSeconds).toBe(60);
  expect([...nodes.values()]).toEqual([{ downSeconds: 60, drainSeconds: 0 }]);

  fold.seed({ objects: [job("web"), there("nodes", {})] }, BEGIN + 2 * MINUTE);
  const later = fold.counts(BEGIN + 9 * MINUTE);
  expect(later.jobs.get("default/web")?.blockedSeconds).toBe(120);
  expect([...later.nodes.values()]).toEqual([{ downSeconds: 120, drainSeconds: 0 }]);

  fold.seed({ objects: [job("api")] }, BEGIN + 9 * MINUTE);
  const { jobs: rest, nodes: gone } = fold.counts(BEGIN + 9 * MINUTE);
  expect([...rest.keys()]).toEqual([OTHER, "default/api"]);
  expect(gone.size).toBe(0);
});

test("jobs beyond the bound are counted together, and one of them gets its own counts where there is room", () => {
  const fold = new JobMetricsFold(1);
  fold.seed({ objects: [job("api"), job("web")] }, BEGIN);
  const failed = { ...SAMPLES.allocations, ClientStatus: "failed" };
  const fail = (JobID: string, sequence: number) =>
    loggedEvents(
      changeOf("allocations", { ...SAMPLES.allocations, JobID }, { ...failed, JobID }),
      BEGIN,
      sequence,
    ).forEach((event) => fold.apply(event));
  fail("api", 1);
  fail("web", 2);
  fail("web", 3);
  const { jobs } = fold.counts(BEGIN);
  expect([...jobs.keys()]).toEqual([OTHER, "default/api"]);
  expect(jobs.get("default/api")?.groups["frontend"]?.failedAllocations).toBe(1);
  expect(jobs.get(OTHER)?.groups[OTHER]?.failedAllocations).toBe(2);

  fold.seed({ objects: [job("web")] }, BEGIN);
  fail("web", 4);
  expect(fold.counts(BEGIN).jobs.get("default/web")?.groups["frontend"]?.failedAllocations).toBe(1);
});
