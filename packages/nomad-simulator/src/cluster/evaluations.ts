import { exhaustedMetric, planAnnotations, type EvaluationStub } from "../model/evaluation.ts";
import type { JobStub } from "../model/job.ts";
import type { Row } from "../store/row.ts";
import type { Transaction } from "./transaction.ts";

/** What a new evaluation takes over from its job. */
export type EvaluatedJob = Pick<JobStub, "ID" | "Namespace" | "Priority" | "Type">;

export type Evaluation = Row<"evaluations">;

/** Adds a pending evaluation of a job. */
export function createEvaluation(
  tx: Transaction,
  job: Omit<EvaluatedJob, "Type"> & { Type: string },
  triggeredBy: string,
  extra: Partial<EvaluationStub> = {},
): Evaluation {
  const now = tx.nowNs();
  const ID = tx.uuid();
  const stub: EvaluationStub = {
    CreateIndex: tx.index,
    CreateTime: now,
    ID,
    JobID: job.ID,
    ModifyIndex: tx.index,
    ModifyTime: now,
    Namespace: job.Namespace,
    Priority: job.Priority,
    Status: "pending",
    TriggeredBy: triggeredBy,
    Type: job.Type,
    ...extra,
  };
  return tx.put("evaluations", job.Namespace, ID, stub, null);
}

export function updateEvaluation(
  tx: Transaction,
  row: Evaluation,
  changes: Partial<EvaluationStub>,
): Evaluation {
  const stub = { ...row.stub, ...changes, ModifyIndex: tx.index, ModifyTime: tx.nowNs() };
  return tx.put("evaluations", row.namespace, row.key, stub, null);
}

export interface Outcome {
  readonly group: string;
  readonly placed: number;
  readonly stopped?: number;
  readonly queued?: number;
  readonly deploymentId?: string;
}

/**
 * The scheduler's last word on an evaluation. Where not everything found a place, it names the blocked
 * evaluation that waits for room.
 */
export function completeEvaluation(tx: Transaction, row: Evaluation, outcome: Outcome): Evaluation {
  const queued = outcome.queued ?? 0;
  const blocked = queued > 0 ? blockEvaluation(tx, row, outcome.group) : undefined;
  return updateEvaluation(tx, row, {
    Status: "complete",
    SnapshotIndex: tx.index - 1,
    QueuedAllocations: new Map([[outcome.group, queued]]),
    PlanAnnotations: planAnnotations(outcome.group, {
      place: outcome.placed + queued,
      ...(outcome.stopped === undefined ? {} : { stop: outcome.stopped }),
    }),
    ...(outcome.deploymentId === undefined ? {} : { DeploymentID: outcome.deploymentId }),
    ...(blocked === undefined
      ? {}
      : {
          BlockedEval: blocked.key,
          FailedTGAllocs: new Map([[outcome.group, exhaustedMetric(3, "memory")]]),
        }),
  });
}

function blockEvaluation(tx: Transaction, cause: Evaluation, group: string): Evaluation {
  const job = {
    ID: cause.stub.JobID,
    Namespace: cause.namespace,
    Priority: cause.stub.Priority,
    Type: cause.stub.Type,
  };
  return createEvaluation(tx, job, "queued-allocs", {
    Status: "blocked",
    StatusDescription: "created to place remaining allocations",
    PreviousEval: cause.key,
    SnapshotIndex: tx.index - 1,
    ClassEligibility: new Map([
      ["v1:14196507165688373957", false],
      ["v1:6142881437122093421", true],
    ]),
    FailedTGAllocs: new Map([[group, exhaustedMetric(3, "memory")]]),
  });
}

/** A scheduler that gave up: the evaluation failed, another one follows it up. */
export function failEvaluation(tx: Transaction, row: Evaluation): Evaluation {
  const { JobID, Namespace, Priority, Type } = row.stub;
  const job = { ID: JobID, Namespace, Priority, Type };
  const next = createEvaluation(tx, job, "failed-follow-up", { PreviousEval: row.key });
  updateEvaluation(tx, row, {
    NextEval: next.key,
    Status: "failed",
    StatusDescription: "maximum attempts reached (5)",
  });
  return next;
}
