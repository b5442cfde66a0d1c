import {
  NO_TRANSITION,
  type AllocationStub,
  type ClientStatus,
  type TaskState,
} from "../model/allocation.ts";
import type { Row } from "../store/row.ts";
import { countStatus, refreshJobStatus } from "./summary.ts";
import { clientDescription, clientStatusOf, NEW_TASK, receive } from "./tasks.ts";
import type { Transaction } from "./transaction.ts";

export type Allocation = Row<"allocations">;

export interface Placement {
  readonly job: Row<"jobs">;
  readonly group: string;
  /** Number in the name: `web.frontend[3]`. */
  readonly slot: number;
  readonly node: Row<"nodes">;
  readonly evalId: string;
  readonly deploymentId?: string;
  readonly canary?: boolean;
  /** The allocation this one replaces after a failure. */
  readonly previous?: Allocation;
}

/** Places a pending allocation. */
export function placeAllocation(tx: Transaction, placement: Placement): Allocation {
  const { job, group, node } = placement;
  const now = tx.nowNs();
  const ID = tx.uuid();
  const stub: AllocationStub = {
    ClientDescription: "",
    ClientStatus: "pending",
    CreateIndex: tx.index,
    CreateTime: now,
    DeploymentStatus:
      placement.canary === true ? { Canary: true, Healthy: null, ModifyIndex: 0, Timestamp: null } : null,
    DesiredDescription: "",
    DesiredStatus: "run",
    DesiredTransition: NO_TRANSITION,
    EvalID: placement.evalId,
    FollowupEvalID: "",
    ID,
    JobID: job.key,
    JobType: job.stub.Type,
    JobVersion: job.model.version,
    ModifyIndex: tx.index,
    ModifyTime: now,
    Name: `${job.key}.${group}[${placement.slot}]`,
    Namespace: job.namespace,
    NextAllocation: "",
    NodeID: node.key,
    NodeName: node.stub.Name,
    PreemptedAllocations: null,
    PreemptedByAllocation: "",
    RescheduleTracker: trackerAfter(placement.previous, now),
    TaskGroup: group,
    TaskStates: null,
  };
  countStatus(tx, stub, undefined, "pending");
  const row = tx.put("allocations", job.namespace, ID, stub, {
    allocModifyIndex: tx.index,
    deploymentId: placement.deploymentId ?? "",
  });
  refreshJobStatus(tx, job.namespace, job.key);
  return row;
}

function trackerAfter(previous: Allocation | undefined, now: bigint): AllocationStub["RescheduleTracker"] {
  if (previous === undefined) return null;
  const event = {
    Delay: 5_000_000_000n,
    PrevAllocID: previous.key,
    PrevNodeID: previous.stub.NodeID,
    RescheduleTime: now,
  };
  return {
    Events: [...(previous.stub.RescheduleTracker?.Events ?? []), event].slice(-5),
    LastReschedule: "ok",
  };
}

/** What the node's client reports: tasks, and the client status that follows from them. */
export function reportTasks(
  tx: Transaction,
  row: Allocation,
  tasks: ReadonlyMap<string, TaskState>,
  extra: Partial<AllocationStub> = {},
): Allocation {
  const status = clientStatusOf(tasks.values());
  return reportStatus(tx, row, status, { ...extra, TaskStates: tasks });
}

/**
 * What the node's client reports, status given. It writes the node's row again too, which moves the index of
 * the node list though no node looks different.
 */
export function reportStatus(
  tx: Transaction,
  row: Allocation,
  status: ClientStatus,
  extra: Partial<AllocationStub> = {},
): Allocation {
  const stub: AllocationStub = {
    ...row.stub,
    ...extra,
    ClientDescription: clientDescription(status),
    ClientStatus: status,
    ModifyIndex: tx.index,
    ModifyTime: tx.nowNs(),
  };
  const next = tx.put("allocations", row.namespace, row.key, stub, row.model);
  const node = tx.get("nodes", "-", row.stub.NodeID);
  if (node !== undefined) tx.rewrite(node);
  if (status !== row.stub.ClientStatus) {
    countStatus(tx, stub, row.stub.ClientStatus, status);
    refreshJobStatus(tx, row.namespace, row.stub.JobID);
  }
  return next;
}

/** What the servers decide about an allocation: desired status, transition, links. */
export function directAllocation(
  tx: Transaction,
  row: Allocation,
  changes: Partial<AllocationStub>,
): Allocation {
  const stub = { ...row.stub, ...changes, ModifyIndex: tx.index, ModifyTime: tx.nowNs() };
  const model = { ...row.model, allocModifyIndex: tx.index };
  const next = tx.put("allocations", row.namespace, row.key, stub, model);
  if (stub.ClientStatus !== row.stub.ClientStatus) {
    countStatus(tx, stub, row.stub.ClientStatus, stub.ClientStatus);
  }
  refreshJobStatus(tx, row.namespace, row.stub.JobID);
  return next;
}

/** Tasks of a fresh allocation after its client took it. */
export function receivedTasks(job: Row<"jobs">, group: string, time: bigint): ReadonlyMap<string, TaskState> {
  const spec = job.model.groups.find(({ name }) => name === group);
  return new Map(
    (spec?.tasks ?? ["main"]).map((task, position) => [
      task,
      receive(NEW_TASK, time + BigInt(position) * 131_313n),
    ]),
  );
}
