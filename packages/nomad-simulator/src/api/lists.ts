import type { Access } from "../acl/access.ts";
import type { Capability } from "../acl/capabilities.ts";
import type { Matches } from "../store/replica.ts";
import type { Row } from "../store/row.ts";
import type { State } from "../store/state.ts";
import { UUID_TABLES, type TableName } from "../store/tables.ts";
import { blockingQuery, type Run } from "./blocking.ts";
import { parseFilter } from "./filter.ts";
import { accessFor, metaFor, type ApiContext } from "./context.ts";
import { list, PERMISSION_DENIED, problem, type Reply } from "./reply.ts";
import type { ApiRequest } from "./request.ts";
import { rowOf, uuidKey, uuidPrefixProblem, watchPrefix } from "./watch-prefix.ts";

type ListTable = Exclude<TableName, "tokens">;

/** Nomad's word before a failed lookup; deployments have none. */
const LOOKUP: Partial<Record<TableName, string>> = {
  nodes: "node lookup failed: ",
  allocations: "alloc lookup failed: ",
  evaluations: "eval lookup failed: ",
};

const CAPABILITY: Partial<Record<TableName, Capability>> = {
  jobs: "list-jobs",
  allocations: "read-job",
  deployments: "read-job",
  evaluations: "read-job",
};

/** Lists that know `filter`; the others ignore it. */
const FILTERED: ReadonlySet<TableName> = new Set([
  "jobs",
  "nodes",
  "allocations",
  "deployments",
  "evaluations",
]);
const BAD_FILTER = "failed to create result paginator: failed to read filter expression";

/** A list endpoint. Rights are checked once, before the query first runs. */
export async function listEndpoint(
  context: ApiContext,
  request: ApiRequest,
  table: ListTable,
): Promise<Reply> {
  const access = accessFor(context, request);
  if (access === undefined || !mayList(access, request, table)) return PERMISSION_DENIED;
  const failure = UUID_TABLES.has(table) ? uuidPrefixProblem(request.prefix) : undefined;
  if (failure !== undefined) return problem(500, `${LOOKUP[table] ?? ""}${failure}`);
  const passes = FILTERED.has(table) ? parseFilter(request.filter) : () => true;
  if (passes === undefined) return problem(400, `${BAD_FILTER}: the simulator knows only == and != of texts`);
  return await blockingQuery(context, request, (state) =>
    runList(context, request, table, { access, passes }, state),
  );
}

function mayList(access: Access, request: ApiRequest, table: ListTable): boolean {
  const capability = CAPABILITY[table];
  if (capability !== undefined) return access.allows(request.namespace, capability);
  return table !== "nodes" || access.nodeRead;
}

function runList(
  context: ApiContext,
  request: ApiRequest,
  table: ListTable,
  { access, passes }: { access: Access; passes: (row: Row) => boolean },
  state: State,
): Run {
  const visible = visibleNamespaces(access, state, table);
  if (table === "deployments" && visible?.size === 0) return noDeployments(context, request);
  const rows = selectRows(state, table, request).filter(
    (row) => isVisible(row, table, access, visible) && passes(row),
  );
  const index = indexOf(state, table);
  return {
    index,
    reply: list(rows, metaFor(context, request, index)),
    matches: visible?.size === 0 ? () => false : matchesOf(state, table, request),
  };
}

/** The only list that forgets its index where the token sees no namespace at all. */
function noDeployments(context: ApiContext, request: ApiRequest): Run {
  return { index: 0, reply: list([], metaFor(context, request, 0)), matches: () => false };
}

/** Existing namespaces the rows must be of; undefined where the token may see all, existing or not. */
function visibleNamespaces(access: Access, state: State, table: ListTable): ReadonlySet<string> | undefined {
  const capability = CAPABILITY[table];
  if (capability === undefined || access.management) return undefined;
  const names = [...state.tables.namespaces.values()].map((row) => row.key);
  return new Set(names.filter((name) => access.allows(name, capability)));
}

function isVisible(
  row: Row,
  table: ListTable,
  access: Access,
  visible: ReadonlySet<string> | undefined,
): boolean {
  if (table === "namespaces") return access.seesNamespace(row.key);
  if (table === "policies") return access.management || access.policies.has(row.key);
  return visible === undefined || visible.has(row.namespace);
}

function selectRows<T extends ListTable>(state: State, name: T, request: ApiRequest): Row<T>[] {
  const table = state.table(name);
  const { prefix } = request;
  const anyNamespace = CAPABILITY[name] === undefined || request.namespace === "*";
  const inNamespace = (row: Row): boolean => anyNamespace || row.namespace === request.namespace;
  if (prefix === "") return [...table.list()].filter(inNamespace);
  if (!UUID_TABLES.has(name))
    return table.byKey().filter((row) => inNamespace(row) && row.key.startsWith(prefix));
  const bytes = uuidKey(prefix);
  return table.byKey().filter((row) => inNamespace(row) && uuidKey(row.key).startsWith(bytes));
}

/** Raft index of the list: the table's, for jobs also the summaries'; some lists never say 0. */
export function indexOf(state: State, table: ListTable): number {
  const index = state.indexOf(table);
  if (table === "jobs") return Math.max(index, state.indexOf("job_summary"));
  return table === "namespaces" || table === "policies" ? Math.max(1, index) : index;
}

function matchesOf(state: State, name: ListTable, request: ApiRequest): Matches {
  const { namespace, prefix } = request;
  const table = state.table(name);
  if (name === "jobs") return jobMatches(state, namespace, prefix);
  if (prefix !== "") {
    const encode = UUID_TABLES.has(name) ? uuidKey : (key: string): string => key;
    return watchPrefix(name, (op) => encode(rowOf(op).key), keysOf(table.values(), encode), encode(prefix));
  }
  if (CAPABILITY[name] === undefined || namespace === "*") return (op) => op.trees.includes(name);
  const names = [...table.namespaces()].map(terminated);
  return watchPrefix(name, (op) => terminated(rowOf(op).namespace), names, terminated(namespace));
}

/** A list of jobs watches the jobs' tree and the summary of every job on it. */
function jobMatches(state: State, namespace: string, prefix: string): Matches {
  if (namespace === "*") {
    return (op) =>
      op.trees.includes("jobs") || (op.trees.includes("job_summary") && rowOf(op).key.startsWith(prefix));
  }
  const keyOf = (row: { namespace: string; key: string }): string => `${row.namespace}\0${row.key}\0`;
  const wanted = `${namespace}\0${prefix}`;
  const registered = watchPrefix(
    "jobs",
    (op) => keyOf(rowOf(op)),
    keysOf(state.tables.jobs.values(), (_, row) => keyOf(row)),
    wanted,
  );
  return (op) => registered(op) || (op.trees.includes("job_summary") && keyOf(rowOf(op)).startsWith(wanted));
}

function* keysOf(rows: Iterable<Row>, encode: (key: string, row: Row) => string): Generator<string> {
  for (const row of rows) yield encode(row.key, row);
}

const terminated = (namespace: string): string => `${namespace}\0`;
