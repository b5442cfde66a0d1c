import type { Access } from "../acl/access.ts";
import type { Row } from "../store/row.ts";
import type { State } from "../store/state.ts";
import { UUID_TABLES } from "../store/tables.ts";
import { blockingQuery, type Run } from "./blocking.ts";
import { accessFor, metaFor, type ApiContext } from "./context.ts";
import { fullObject } from "../full-object.ts";
import { indexOf } from "./lists.ts";
import { list, PERMISSION_DENIED, problem, type Reply } from "./reply.ts";
import type { ApiRequest } from "./request.ts";
import { rowOf } from "./watch-prefix.ts";

export type ObjectTable =
  | "jobs"
  | "nodes"
  | "allocations"
  | "deployments"
  | "evaluations"
  | "namespaces"
  | "policies";

const ABSENT: Readonly<Record<ObjectTable, string>> = {
  jobs: "job not found",
  nodes: "node not found",
  allocations: "alloc not found",
  deployments: "deployment not found",
  evaluations: "eval not found",
  namespaces: "Namespace not found",
  policies: "ACL policy not found",
};

const LOOKUP: Partial<Record<ObjectTable, string>> = {
  nodes: "node lookup failed",
  allocations: "alloc lookup failed",
  deployments: "deployment lookup failed",
  evaluations: "eval lookup failed",
};

/** A single object. Where it is absent, 404 with the table's index, so that its arrival can be waited for. */
export async function objectEndpoint(
  context: ApiContext,
  request: ApiRequest,
  table: ObjectTable,
  key: string,
): Promise<Reply> {
  const access = accessFor(context, request);
  if (access === undefined || !mayAsk(access, request, table, key)) return PERMISSION_DENIED;
  if (UUID_TABLES.has(table) && key.length !== 36) {
    return problem(500, `${LOOKUP[table] ?? "lookup failed"}: index error: UUID must be 36 characters`);
  }
  return await blockingQuery(context, request, (state) =>
    runObject(context, request, table, key, access, state),
  );
}

function mayAsk(access: Access, request: ApiRequest, table: ObjectTable, key: string): boolean {
  switch (table) {
    case "nodes":
      return access.nodeRead;
    case "namespaces":
      return access.seesNamespace(key);
    case "policies":
      return access.management || key === "anonymous" || access.policies.has(key);
    case "jobs":
    case "deployments":
    case "evaluations":
      return access.allows(request.namespace, "read-job");
    case "allocations":
      return true;
    default:
      return table satisfies never;
  }
}

function runObject(
  context: ApiContext,
  request: ApiRequest,
  table: ObjectTable,
  key: string,
  access: Access,
  state: State,
): Run {
  const namespace = table === "jobs" ? request.namespace : "-";
  const found = state.table(table).get(namespace, key);
  const row = found !== undefined && mayRead(access, found) ? found : undefined;
  const index = row === undefined ? indexOf(state, table) : row.stub.ModifyIndex;
  const meta = metaFor(context, request, index);
  return {
    index,
    reply:
      row === undefined ? problem(404, ABSENT[table], meta) : { ...list([], meta), body: fullObject(row) },
    matches: (op) => op.trees.includes(table) && rowOf(op).key === key,
  };
}

function mayRead(access: Access, row: Row): boolean {
  const namespaced =
    row.table === "allocations" || row.table === "deployments" || row.table === "evaluations";
  return !namespaced || access.allows(row.namespace, "read-job");
}
