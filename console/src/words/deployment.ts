import type { NomadStub } from "nomad-changefeed-client";

type Deployment = Pick<NomadStub<"deployments">, "Status" | "StatusDescription" | "TaskGroups">;

/** Its canaries are healthy, and it waits for somebody to promote them. */
export function needsPromotion({ Status, StatusDescription, TaskGroups }: Deployment): boolean {
  if (isOver(Status) || !StatusDescription.includes("requires manual promotion")) return false;
  return Object.values(TaskGroups ?? {}).every(
    ({ HealthyAllocs, DesiredCanaries }) => HealthyAllocs >= DesiredCanaries,
  );
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
