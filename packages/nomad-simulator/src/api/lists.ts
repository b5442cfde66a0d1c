import type { Access } from "../acl/access.ts";
import { PLAIN_TABLES, plainList, type PlainTable } from "../store/plain-tables.ts";
import type { Row } from "../store/row.ts";
import type { State } from "../store/state.ts";
import { UUID_TABLES, type TableName } from "../store/tables.ts";
import { blockingQuery, type Run } from "./blocking.ts";
import { parseFilter } from "./filter.ts";
import { accessFor, metaFor, type ApiContext } from "./context.ts";
import { list, PERMISSION_DENIED, problem, type Reply } from "./reply.ts";
import type { ApiRequest } from "./request.ts";
import { matchesOf } from "./list-watch.ts";
import { CAPABILITY, pageOf, type ListTable } from "./pages.ts";
import { uuidPrefixProblem } from "./watch-prefix.ts";

/** Nomad's word before a failed lookup; deployments have none. */
const LOOKUP: Partial<Record<TableName, string>> = {
  nodes: "node lookup failed: ",
  allocations: "alloc lookup failed: ",
  evaluations: "eval lookup failed: ",
};

/** Lists that know `filter`; the others ignore it. */
const FILTERED: ReadonlySet<TableName> = new Set([
  "jobs",
  "nodes",
  "allocations",
  "deployments",
  "evaluations",
]);
/** Lists that never say 0. */
const FLOORED: ReadonlySet<TableName> = new Set([
  "namespaces",
  "policies",
  ...PLAIN_TABLES.filter((table) => !table.startsWith("csi-")),
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
  if (isPlain(table) && plainList(table).management === "refused") return access.management;
  return table !== "nodes" || access.nodeRead;
}

function isPlain(table: ListTable): table is PlainTable {
  return (PLAIN_TABLES as readonly ListTable[]).includes(table);
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
  const fits = (row: Row): boolean => isVisible(row, table, access, visible) && passes(row);
  const page = pageOf(state, table, request, fits);
  const index = indexOf(state, table);
  const meta = metaFor(context, request, index);
  return {
    index,
    reply: list(page.rows, page.nextToken === undefined ? meta : { ...meta, nextToken: page.nextToken }),
    matches: visible?.size === 0 ? () => false : matchesOf(state, table, request, page),
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
  if (isPlain(table) && plainList(table).management === "filtered") return access.management;
  return visible === undefined || visible.has(row.namespace);
}

/** Raft index of the list: the table's, for jobs also the summaries'; some lists never say 0. */
export function indexOf(state: State, table: ListTable): number {
  const index = state.indexOf(table);
  if (table === "jobs") return Math.max(index, state.indexOf("job_summary"));
  return FLOORED.has(table) ? Math.max(1, index) : index;
}
