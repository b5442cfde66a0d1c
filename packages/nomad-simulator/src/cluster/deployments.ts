import type { DeploymentState, DeploymentStub } from "../model/deployment.ts";
import type { Row } from "../store/row.ts";
import { goTime } from "../go-time.ts";
import { directAllocation, type Allocation } from "./allocations.ts";
import { refreshJobStatus } from "./summary.ts";
import type { Transaction } from "./transaction.ts";

export type Deployment = Row<"deployments">;

const PROGRESS_DEADLINE_NS = 600_000_000_000n;

export const DESCRIPTIONS = {
  running: "Deployment is running",
  needsPromotion: "Deployment is running but requires manual promotion",
  successful: "Deployment completed successfully",
  newerVersion: "Cancelled due to newer version of job",
  stopped: "Cancelled because job is stopped",
  unhealthy: "Failed due to unhealthy allocations",
  deadline: "Failed due to progress deadline",
  marked: "Deployment marked as failed",
} as const;

export function createDeployment(tx: Transaction, job: Row<"jobs">, fresh: boolean): Deployment {
  const now = tx.nowNs();
  const ID = tx.uuid();
  const canaries = fresh ? 0 : job.model.canaries;
  const groups = job.model.groups.map(({ name, count }): [string, DeploymentState] => [
    name,
    {
      AutoPromote: canaries > 0 && job.model.autoPromote,
      AutoRevert: job.model.autoRevert,
      DesiredCanaries: canaries,
      DesiredTotal: count,
      HealthyAllocs: 0,
      PlacedAllocs: 0,
      PlacedCanaries: null,
      ProgressDeadline: PROGRESS_DEADLINE_NS,
      Promoted: false,
      RequireProgressBy: null,
      UnhealthyAllocs: 0,
    },
  ]);
  const stub: DeploymentStub = {
    CreateIndex: tx.index,
    CreateTime: now,
    EvalPriority: job.stub.Priority,
    ID,
    IsMultiregion: false,
    JobCreateIndex: job.stub.CreateIndex,
    JobID: job.key,
    JobModifyIndex: job.stub.ModifyIndex,
    JobSpecModifyIndex: job.stub.JobModifyIndex,
    JobVersion: job.model.version,
    ModifyIndex: tx.index,
    ModifyTime: 0n,
    Namespace: job.namespace,
    Status: "running",
    StatusDescription: canaries > 0 ? DESCRIPTIONS.needsPromotion : DESCRIPTIONS.running,
    TaskGroups: new Map(groups),
  };
  const row = tx.put("deployments", job.namespace, ID, stub, null);
  refreshJobStatus(tx, job.namespace, job.key);
  return row;
}

export function updateDeployment(
  tx: Transaction,
  row: Deployment,
  changes: Partial<DeploymentStub>,
): Deployment {
  const stub = { ...row.stub, ...changes, ModifyIndex: tx.index, ModifyTime: tx.nowNs() };
  const next = tx.put("deployments", row.namespace, row.key, stub, null);
  if (changes.Status !== undefined) refreshJobStatus(tx, row.namespace, row.stub.JobID);
  return next;
}

function updateGroup(
  tx: Transaction,
  row: Deployment,
  group: string,
  change: (state: DeploymentState) => DeploymentState,
  extra: Partial<DeploymentStub> = {},
): Deployment {
  const state = row.stub.TaskGroups.get(group);
  if (state === undefined) return row;
  return updateDeployment(tx, row, {
    ...extra,
    TaskGroups: new Map(row.stub.TaskGroups).set(group, change(state)),
  });
}

/** Counts placed allocations, the canaries among them by id. */
export function recordPlacement(
  tx: Transaction,
  row: Deployment,
  group: string,
  ids: readonly string[],
  canary: boolean,
): Deployment {
  const by = goTime(tx.nowNs() + PROGRESS_DEADLINE_NS);
  return updateGroup(tx, row, group, (state) => ({
    ...state,
    PlacedAllocs: state.PlacedAllocs + ids.length,
    PlacedCanaries: canary ? [...(state.PlacedCanaries ?? []), ...ids] : state.PlacedCanaries,
    RequireProgressBy: state.RequireProgressBy ?? by,
  }));
}

/** The client found an allocation healthy or not: seen on the allocation and counted in the deployment. */
export function recordHealth(tx: Transaction, allocation: Allocation, healthy: boolean): void {
  const canary = allocation.stub.DeploymentStatus?.Canary ?? false;
  const now = tx.nowNs();
  const DeploymentStatus = {
    Canary: canary,
    Healthy: healthy,
    ModifyIndex: tx.index,
    Timestamp: goTime(now),
  };
  directAllocation(tx, allocation, { DeploymentStatus });
  const deployment = tx.get("deployments", allocation.namespace, allocation.model.deploymentId);
  if (deployment === undefined) return;
  updateGroup(tx, deployment, allocation.stub.TaskGroup, (state) => ({
    ...state,
    HealthyAllocs: state.HealthyAllocs + (healthy ? 1 : 0),
    RequireProgressBy: goTime(now + PROGRESS_DEADLINE_NS),
    UnhealthyAllocs: state.UnhealthyAllocs + (healthy ? 0 : 1),
  }));
}

/** Promotes the canaries: they lose their canary mark in the same raft entry. */
export function promoteDeployment(tx: Transaction, row: Deployment): Deployment {
  for (const state of row.stub.TaskGroups.values()) {
    for (const id of state.PlacedCanaries ?? []) {
      const canary = tx.get("allocations", row.namespace, id);
      if (canary?.stub.DeploymentStatus?.Canary !== true) continue;
      const DeploymentStatus = { ...canary.stub.DeploymentStatus, Canary: false, ModifyIndex: tx.index };
      directAllocation(tx, canary, { DeploymentStatus });
    }
  }
  const TaskGroups = new Map(
    [...row.stub.TaskGroups].map(([name, state]) => [name, { ...state, Promoted: true }]),
  );
  return updateDeployment(tx, row, { StatusDescription: DESCRIPTIONS.running, TaskGroups });
}
