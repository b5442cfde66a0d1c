import type { NomadStub } from "nomad-changefeed-client";

type Deployment = Pick<NomadStub<"deployments">, "Status" | "TaskGroups">;

/** Its canaries are healthy, and it waits for somebody to promote them. */
export function needsPromotion({ Status, TaskGroups }: Deployment): boolean {
  if (Status !== "running") return false;
  const groups = Object.values(TaskGroups ?? {}).filter(
    ({ DesiredCanaries, Promoted }) => DesiredCanaries > 0 && !Promoted,
  );
  return groups.length > 0 && groups.every(areCanariesReady);
}

function areCanariesReady(group: NonNullable<Deployment["TaskGroups"]>[string]): boolean {
  return group["AutoPromote"] !== true && group.HealthyAllocs >= group.DesiredCanaries;
}

/** Statuses that a deployment does not leave. */
export function isOver(status: string): boolean {
  return ["successful", "failed", "cancelled"].includes(status);
}

export function deploymentTone(status: string): "plain" | "ok" | "warn" | "error" | "info" {
  if (status === "needs promotion" || status === "paused" || status === "blocked") return "warn";
  if (status === "failed") return "error";
  return isOver(status) ? "plain" : "info";
}
