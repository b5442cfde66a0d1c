/** A deployment as `/v1/deployments` lists it: the whole object. */
export type DeploymentStub = Readonly<{
  CreateIndex: number;
  CreateTime: bigint;
  EvalPriority: number;
  ID: string;
  IsMultiregion: boolean;
  JobCreateIndex: number;
  JobID: string;
  JobModifyIndex: number;
  JobSpecModifyIndex: number;
  JobVersion: number;
  ModifyIndex: number;
  ModifyTime: bigint;
  Namespace: string;
  Status: DeploymentStatus;
  StatusDescription: string;
  TaskGroups: ReadonlyMap<string, DeploymentState>;
}>;

/** Note the two l of "cancelled"; an evaluation's "canceled" has one. */
type DeploymentStatus = "running" | "paused" | "failed" | "successful" | "cancelled";

export type DeploymentState = Readonly<{
  AutoPromote: boolean;
  AutoRevert: boolean;
  DesiredCanaries: number;
  DesiredTotal: number;
  HealthyAllocs: number;
  PlacedAllocs: number;
  PlacedCanaries: readonly string[] | null;
  ProgressDeadline: bigint;
  Promoted: boolean;
  RequireProgressBy: string | null;
  UnhealthyAllocs: number;
}>;

export function isActiveDeployment(deployment: DeploymentStub): boolean {
  return deployment.Status === "running" || deployment.Status === "paused";
}
