import type { NomadStub } from "../../../packages/client/src/shared.ts";
import { failuresOf } from "./failures.ts";
import type { Known } from "./known.ts";
import type { GroupStanding, Outcome, Standing } from "./standing.ts";
import { isNamed, type Wanted } from "./wanted.ts";
import { shortId } from "../../shared/short-id.ts";

type Deployment = NomadStub<"deployments">;
type Group = NonNullable<Deployment["TaskGroups"]>[string];
type End = Pick<Outcome, "end" | "why">;

export function deploymentStanding(deployment: Deployment, known: Known, wanted: Wanted): Standing {
  const { ID, JobID, JobVersion, Status, StatusDescription } = deployment;
  const groups = Object.entries(deployment.TaskGroups ?? {});
  const outcome = outcomeOf(deployment, known, wanted);
  return {
    subject: `deployment ${shortId(ID)} of ${JobID}, version ${JobVersion}`,
    version: JobVersion,
    deployment: ID,
    status: Status,
    groups: Object.fromEntries(groups.map(([name, group]) => [name, countsOf(group)])),
    note: StatusDescription,
    outcome: outcome && { ...outcome, isSure: isNamed(wanted) },
  };
}

/** Before a promotion Nomad counts canaries. */
function countsOf(group: Group): GroupStanding {
  const wanted = waitsForCanaries(group) ? group.DesiredCanaries : group.DesiredTotal;
  return { ready: group.HealthyAllocs, wanted };
}

function waitsForCanaries({ DesiredCanaries, Promoted }: Group): boolean {
  return DesiredCanaries > 0 && !Promoted;
}

function outcomeOf(deployment: Deployment, known: Known, { goal }: Wanted): End | undefined {
  const { Status, StatusDescription } = deployment;
  if (Status === "failed" || Status === "cancelled")
    return {
      end: "failed",
      why: [StatusDescription, ...failuresOf(known, deployment.JobVersion)].join("; "),
    };
  if (goal === "needs-promotion") return promotionOf(deployment);
  if (Status === "successful") return { end: "reached", why: StatusDescription };
  if (goal === "complete" || !isHealthy(deployment)) return undefined;
  return { end: "reached", why: "every group has its healthy allocations" };
}

function isHealthy({ TaskGroups }: Deployment): boolean {
  const groups = Object.values(TaskGroups ?? {});
  return (
    groups.length > 0 &&
    groups.every((group) => !waitsForCanaries(group) && group.HealthyAllocs >= group.DesiredTotal)
  );
}

function promotionOf({ TaskGroups, Status, StatusDescription }: Deployment): End | undefined {
  const canaries = Object.values(TaskGroups ?? {}).filter(({ DesiredCanaries }) => DesiredCanaries > 0);
  if (canaries.length === 0)
    return { end: "failed", why: "no group has canaries: there is nothing to promote" };
  if (canaries.every(({ Promoted }) => Promoted)) return { end: "reached", why: "it is promoted already" };
  const areHealthy = canaries.every((group) => group.HealthyAllocs >= group.DesiredCanaries);
  if (Status === "running" && areHealthy && StatusDescription.includes("requires manual promotion"))
    return { end: "reached", why: "its canaries are healthy and wait for a promotion" };
  return undefined;
}
