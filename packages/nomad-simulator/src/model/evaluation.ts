import { PieceWriter, type GoValue, type Piece } from "../go-json.ts";

/** An evaluation. Nomad leaves out every field that is zero, so all but the first ones are optional. */
export type EvaluationStub = Readonly<{
  CreateIndex: number;
  CreateTime: bigint;
  ID: string;
  JobID: string;
  ModifyIndex: number;
  ModifyTime: bigint;
  Namespace: string;
  Priority: number;
  Status: EvaluationStatus;
  TriggeredBy: string;
  Type: string;
  BlockedEval?: string;
  ClassEligibility?: ReadonlyMap<string, boolean>;
  DeploymentID?: string;
  FailedTGAllocs?: ReadonlyMap<string, GoValue>;
  JobModifyIndex?: number;
  NextEval?: string;
  NodeID?: string;
  NodeModifyIndex?: number;
  PlanAnnotations?: GoValue;
  PreviousEval?: string;
  QueuedAllocations?: ReadonlyMap<string, number>;
  SnapshotIndex?: number;
  StatusDescription?: string;
  WaitUntil?: string;
}>;

type EvaluationStatus = "blocked" | "pending" | "complete" | "failed" | "canceled";

export function isActiveEvaluation(evaluation: EvaluationStub): boolean {
  return evaluation.Status === "pending" || evaluation.Status === "blocked";
}

export function encodeEvaluation(stub: EvaluationStub): Piece[] {
  const fields = Object.entries(stub as Record<string, GoValue>)
    .filter(([, value]) => !isZero(value))
    .toSorted(([a], [b]) => (a < b ? -1 : 1));
  return new PieceWriter().value(Object.fromEntries(fields)).finish();
}

function isZero(value: GoValue): boolean {
  if (value instanceof Map) return value.size === 0;
  return value === null || value === 0 || value === 0n || value === "" || value === false;
}

/** Why a task group could not be placed: Nomad's AllocMetric. */
export function exhaustedMetric(nodes: number, dimension: string): GoValue {
  return {
    AllocationTime: 15008,
    ClassExhausted: null,
    ClassFiltered: null,
    CoalescedFailures: 0,
    ConstraintFiltered: null,
    DimensionExhausted: new Map([[dimension, nodes]]),
    NodePool: "default",
    NodesAvailable: new Map([["dc1", nodes]]),
    NodesEvaluated: nodes,
    NodesExhausted: nodes,
    NodesFiltered: 0,
    NodesInPool: nodes,
    QuotaExhausted: null,
    ResourcesExhausted: null,
    ScoreMetaData: null,
    Scores: null,
  };
}

/** What a scheduling pass meant to do, per group: Nomad's PlanAnnotations. */
export function planAnnotations(
  group: string,
  updates: { place?: number; stop?: number; ignore?: number },
): GoValue {
  const desired = {
    Canary: 0,
    DestructiveUpdate: 0,
    Disconnect: 0,
    Ignore: updates.ignore ?? 0,
    InPlaceUpdate: 0,
    Migrate: 0,
    Place: updates.place ?? 0,
    Preemptions: 0,
    Reconnect: 0,
    RescheduleLater: 0,
    RescheduleNow: 0,
    Stop: updates.stop ?? 0,
  };
  return { DesiredTGUpdates: new Map([[group, desired]]), PreemptedAllocs: null };
}
