import { expect, it } from "vitest";
import { deadlineOf, deploymentFacts } from "../../console/src/rollouts/facts.ts";

type Deployment = Parameters<typeof deploymentFacts>[0]["stub"];

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
