import { isTerminalClient } from "./terminal.ts";
import { isActiveDeployment } from "../model/deployment.ts";
import { isActiveEvaluation } from "../model/evaluation.ts";
import { EMPTY_GROUP_SUMMARY, type GroupSummary, type JobStub } from "../model/job.ts";
import type { ClientStatus } from "../model/allocation.ts";
import { jobGroup } from "../store/state.ts";
import type { Transaction } from "./transaction.ts";

const COUNTER: Readonly<Record<ClientStatus, keyof GroupSummary>> = {
  pending: "Starting",
  running: "Running",
  complete: "Complete",
  failed: "Failed",
  lost: "Lost",
  unknown: "Unknown",
};

/**
 * Moves a job's summary counters. Only the summary's own index moves, as in Nomad: the job's ModifyIndex
 * stays though its stub changes.
 */
export function countInSummary(
  tx: Transaction,
  namespace: string,
  jobId: string,
  group: string,
  deltas: Partial<Record<keyof GroupSummary, number>>,
): void {
  const job = tx.get("jobs", namespace, jobId);
  if (job === undefined) return;
  const old = job.stub.JobSummary.Summary.get(group) ?? EMPTY_GROUP_SUMMARY;
  const next = { ...old };
  for (const [counter, by] of Object.entries(deltas) as [keyof GroupSummary, number][]) {
    next[counter] = Math.max(0, old[counter] + by);
  }
  const Summary = new Map(job.stub.JobSummary.Summary).set(group, next);
  const JobSummary = { ...job.stub.JobSummary, ModifyIndex: tx.index, Summary };
  tx.put("jobs", namespace, jobId, { ...job.stub, JobSummary }, job.model, { through: ["job_summary"] });
}

/** Accounts for an allocation's way from one client status to another; undefined: it is new. */
export function countStatus(
  tx: Transaction,
  stub: { Namespace: string; JobID: string; TaskGroup: string },
  from: ClientStatus | undefined,
  to: ClientStatus,
): void {
  if (from === to) return;
  const deltas: Partial<Record<keyof GroupSummary, number>> = { [COUNTER[to]]: 1 };
  if (from === undefined) deltas.Queued = -1;
  else if (!isTerminalClient(from)) deltas[COUNTER[from]] = -1;
  countInSummary(tx, stub.Namespace, stub.JobID, stub.TaskGroup, deltas);
}

/** Derives the job's status again; where it changed, the job's ModifyIndex moves and its parent counts it. */
export function refreshJobStatus(tx: Transaction, namespace: string, jobId: string): void {
  const job = tx.get("jobs", namespace, jobId);
  if (job === undefined) return;
  const status = statusOf(tx, job.stub);
  if (status === job.stub.Status) return;
  countChild(tx, job.stub, job.stub.Status, status);
  tx.put("jobs", namespace, jobId, { ...job.stub, ModifyIndex: tx.index, Status: status }, job.model);
}

const CHILD_COUNTER = { pending: "Pending", running: "Running", dead: "Dead" } as const;

export function countChild(
  tx: Transaction,
  child: JobStub,
  from: JobStub["Status"] | undefined,
  to: JobStub["Status"],
): void {
  if (child.ParentID === "") return;
  const parent = tx.get("jobs", child.Namespace, child.ParentID);
  if (parent === undefined) return;
  const Children = { ...parent.stub.JobSummary.Children };
  if (from !== undefined) Children[CHILD_COUNTER[from]] -= 1;
  Children[CHILD_COUNTER[to]] += 1;
  const JobSummary = { ...parent.stub.JobSummary, Children, ModifyIndex: tx.index };
  tx.put("jobs", child.Namespace, child.ParentID, { ...parent.stub, JobSummary }, parent.model, {
    through: ["job_summary"],
  });
}

/** Nomad's getJobStatus. */
function statusOf(tx: Transaction, job: JobStub): JobStub["Status"] {
  if (job.Type === "system" || job.Periodic || job.ParameterizedJob) return job.Stop ? "dead" : "running";
  const group = jobGroup(job.Namespace, job.ID);
  if (tx.group("deployments", group).some((row) => isActiveDeployment(row.stub))) return "running";
  const allocations = tx.group("allocations", group);
  if (allocations.some(({ stub }) => stub.DesiredStatus === "run" && !isTerminalClient(stub.ClientStatus))) {
    return "running";
  }
  const evaluations = tx.group("evaluations", group);
  if (evaluations.some((row) => isActiveEvaluation(row.stub))) return "pending";
  return evaluations.length > 0 || allocations.length > 0 || job.Stop ? "dead" : "pending";
}
