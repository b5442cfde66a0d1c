import { PieceWriter, type Piece } from "../go-json.ts";
import type { AclPolicyModel, AclPolicyStub, AclTokenStub } from "../acl/records.ts";
import { encodeAllocation, type AllocationModel, type AllocationStub } from "../model/allocation.ts";
import type { DeploymentStub } from "../model/deployment.ts";
import { encodeEvaluation, type EvaluationStub } from "../model/evaluation.ts";
import type { JobModel, JobStub } from "../model/job.ts";
import type { NamespaceStub } from "../model/namespace.ts";
import { PLAIN_TABLES, type PlainStub, type PlainTable } from "./plain-tables.ts";
import type { NodeModel, NodeStub } from "../model/node.ts";

export interface Stubs extends Record<PlainTable, PlainStub> {
  jobs: JobStub;
  nodes: NodeStub;
  allocations: AllocationStub;
  deployments: DeploymentStub;
  evaluations: EvaluationStub;
  namespaces: NamespaceStub;
  policies: AclPolicyStub;
  tokens: AclTokenStub;
}

export interface Models extends Record<PlainTable, null> {
  jobs: JobModel;
  nodes: NodeModel;
  allocations: AllocationModel;
  deployments: null;
  evaluations: null;
  namespaces: null;
  policies: AclPolicyModel;
  tokens: null;
}

export type TableName = keyof Stubs;

export const TABLES: readonly TableName[] = [
  "jobs",
  "nodes",
  "allocations",
  "deployments",
  "evaluations",
  "namespaces",
  "policies",
  "tokens",
  ...PLAIN_TABLES,
];

/** Raft index entries. A job's summary has its own, though its row is the job's here. */
export type IndexName = TableName | "job_summary";

/** Order of a list without a prefix: by age (CreateIndex, ID), or by key. */
export const ORDER: Readonly<Record<TableName, "age" | "key">> = {
  jobs: "key",
  nodes: "key",
  allocations: "age",
  deployments: "age",
  evaluations: "age",
  namespaces: "key",
  policies: "key",
  tokens: "key",
  ...(Object.fromEntries(PLAIN_TABLES.map((table) => [table, "key"])) as Record<PlainTable, "key">),
};

/** Tables whose keys are UUIDs, indexed by their 16 bytes. */
export const UUID_TABLES: ReadonlySet<TableName> = new Set([
  "nodes",
  "allocations",
  "deployments",
  "evaluations",
]);

/**
 * Identity of a row in its table: namespace and key, which sorts as Nomad's compound index does; the key alone
 * where it is a UUID.
 */
export function rowId(table: TableName, namespace: string, key: string): string {
  return UUID_TABLES.has(table) ? key : `${namespace}\0${key}`;
}

export function encodeStub<T extends TableName>(table: T, stub: Stubs[T]): Piece[] {
  if (table === "allocations") return encodeAllocation(stub as AllocationStub);
  if (table === "evaluations") return encodeEvaluation(stub as EvaluationStub);
  return new PieceWriter().value(stub).finish();
}
