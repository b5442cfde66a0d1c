import type { NomadStub } from "nomad-changefeed-client";
import { isOver, needsPromotion } from "../words/deployment.ts";
import { msOfNanos } from "../words/nanos.ts";

/** A group of a deployment. */
export interface GroupFacts {
  readonly name: string;
  readonly desired: number;
  readonly placed: number;
  readonly healthy: number;
  readonly unhealthy: number;
  readonly canaries: number;
  readonly placedCanaries: number;
  readonly isPromoted: boolean;
  readonly autoPromotes: boolean;
  readonly autoReverts: boolean;
  /** Ms since 1970: without progress until then it fails. Null: it has no deadline yet. */
  readonly deadlineMs: number | null;
}

/** A deployment as the board shows it. */
export interface DeploymentFacts {
  readonly subject: string;
  readonly namespace: string;
  readonly id: string;
  readonly job: string;
  readonly version: number;
  readonly status: string;
  readonly description: string;
  readonly needsPromotion: boolean;
  readonly isOver: boolean;
  readonly groups: readonly GroupFacts[];
  /** Ms since 1970; Nomad tells of them since 1.10. */
  readonly createdMs: number | null;
  readonly modifiedMs: number | null;
}

export function deploymentFacts({
  subject,
  namespace,
  id,
  stub,
}: {
  readonly subject: string;
  readonly namespace: string;
  readonly id: string;
  readonly stub: NomadStub<"deployments">;
}): DeploymentFacts {
  return {
    subject,
    namespace,
    id,
    job: stub.JobID,
    version: stub.JobVersion,
    status: stub.Status,
    description: stub.StatusDescription,
    needsPromotion: needsPromotion(stub),
    isOver: isOver(stub.Status),
    groups: Object.entries(stub.TaskGroups ?? {})
      .map(([name, group]) => groupFacts(name, group))
      .toSorted((one, other) => (one.name < other.name ? -1 : 1)),
    createdMs: msOfNanos(stub.CreateTime),
    modifiedMs: msOfNanos(stub.ModifyTime),
  };
}

/** How it stands, as people say it: one that needs a promotion runs, for Nomad. */
export function stateOf({ needsPromotion: needs, status }: DeploymentFacts): string {
  return needs ? "needs promotion" : status;
}

/** Of all groups together. */
export function sumOf(
  { groups }: DeploymentFacts,
  of: "desired" | "placed" | "healthy" | "unhealthy" | "canaries",
): number {
  return groups.reduce((total, group) => total + (group[of] || 0), 0);
}

type Group = NonNullable<NomadStub<"deployments">["TaskGroups"]>[string];

function groupFacts(name: string, group: Group): GroupFacts {
  return {
    name,
    desired: group.DesiredTotal,
    placed: group.PlacedAllocs,
    healthy: group.HealthyAllocs,
    unhealthy: group.UnhealthyAllocs,
    canaries: group.DesiredCanaries,
    placedCanaries: group.PlacedCanaries?.length ?? 0,
    isPromoted: group.Promoted,
    autoPromotes: group["AutoPromote"] === true,
    autoReverts: group["AutoRevert"] === true,
    deadlineMs: deadlineIn(group["RequireProgressBy"]),
  };
}

/** Go's zero time stands for none. */
function deadlineIn(time: unknown): number | null {
  if (typeof time !== "string" || time.startsWith("0001-")) return null;
  const ms = Date.parse(time);
  return Number.isNaN(ms) ? null : ms;
}

/** The first deadline of those groups that still have to become healthy: one that waits for a promotion has none. */
export function deadlineOf({ groups, isOver: over }: DeploymentFacts): number | null {
  if (over) return null;
  const open = groups.filter(
    ({ healthy, desired, canaries, isPromoted }) =>
      healthy < (canaries > 0 && !isPromoted ? canaries : desired),
  );
  const deadlines = open.flatMap(({ deadlineMs }) => deadlineMs ?? []);
  return deadlines.length === 0 ? null : Math.min(...deadlines);
}
