import { expect, it } from "vitest";
import { scopeCount } from "../../console/src/pages/cluster/scope-count.ts";
import { deadlineOf, deploymentFacts } from "../../console/src/rollouts/facts.ts";
import { jobState } from "../../console/src/words/job.ts";

type Job = Parameters<typeof jobState>[0];
type Deployment = Parameters<typeof deploymentFacts>[0]["stub"];

const job = (
  Status: string,
  Type: string,
  counts: { Complete?: number; Failed?: number; Lost?: number } = {},
  Stop = false,
) =>
  ({
    Status,
    Type,
    Stop,
    JobSummary: { Summary: { g: { Complete: 0, Failed: 0, Lost: 0, ...counts } } },
  }) as unknown as Job;

it.each([
  ["complete", job("dead", "batch", { Complete: 1 })],
  ["failed", job("dead", "batch", { Failed: 2 })],
  ["failed", job("dead", "sysbatch", { Lost: 1 })],
  ["ended", job("dead", "batch", { Complete: 1, Failed: 1 })],
  ["running", job("running", "batch", { Failed: 1 })],
  ["dead", job("dead", "service", { Failed: 1 })],
  ["stopped", job("dead", "batch", { Failed: 1 }, true)],
])("a job is called %s where it is", (state, found) => {
  expect(jobState(found)).toBe(state);
});

it("a deployment that waits for a promotion has no deadline, one whose canaries are not healthy has", () => {
  const RequireProgressBy = "2026-08-22T10:25:30Z";
  const deadline = (HealthyAllocs: number, Promoted: boolean) => {
    const group = { DesiredTotal: 3, DesiredCanaries: 1, HealthyAllocs, Promoted, RequireProgressBy };
    const stub = { Status: "running", StatusDescription: "", TaskGroups: { g: group } };
    return deadlineOf(
      deploymentFacts({
        subject: "deployments/default/d1",
        namespace: "default",
        id: "d1",
        stub: stub as unknown as Deployment,
      }),
    );
  };
  expect(deadline(0, false)).toBe(Date.parse(RequireProgressBy));
  expect(deadline(1, false)).toBeNull();
  expect(deadline(1, true)).toBe(Date.parse(RequireProgressBy));
  expect(deadline(3, true)).toBeNull();
});

it("scopes that Nomad does not have are not late", () => {
  const of = (...conditions: Parameters<typeof scopeCount>[0][number]["condition"][]) =>
    scopeCount(conditions.map((condition) => ({ condition })));
  expect(of("ok", "ok")).toBe("2, all up to date");
  expect(of("ok", "unsupported")).toBe("1, all up to date; 1 that Nomad does not have");
  expect(of("ok", "stale", "unsupported")).toBe("1 of 2 not up to date; 1 that Nomad does not have");
});
