import type { Random } from "../random.ts";
import { PLAIN_TABLES, plainList, type PlainTable } from "../store/plain-tables.ts";
import type { Row } from "../store/row.ts";
import { accessFor, replicaFor, type ApiContext } from "./context.ts";
import { listEndpoint } from "./lists.ts";
import { json, PERMISSION_DENIED, problem, type Reply } from "./reply.ts";
import type { ApiRequest } from "./request.ts";

/** Answers a list of plain objects, or undefined where the path is of none. */
export function plainListsAt(
  path: string,
): ((context: ApiContext, request: ApiRequest) => Reply | Promise<Reply>) | undefined {
  const tables = PLAIN_TABLES.filter((table) => plainList(table).path === path);
  if (tables.length === 0) return undefined;
  return (context, request) => {
    const table = tables.find((one) => (plainList(one).type ?? request.type) === request.type);
    // Without a type Nomad answers an empty list, and no index.
    if (table === undefined) return json("[]");
    if (table.startsWith("acl-") && !context.aclEnabled) return problem(400, "ACL support disabled");
    return table === "services" ? services(context, request) : listEndpoint(context, request, table);
  };
}

/** Services stand below their namespaces, their tags in any order. */
async function services(context: ApiContext, request: ApiRequest): Promise<Reply> {
  const reply = await listEndpoint(context, request, "services");
  if (typeof reply.body === "string") return reply;
  const byNamespace = Map.groupBy(reply.body.rows, (row) => row.namespace);
  const nested = [...byNamespace].map(([Namespace, rows]) => ({
    Namespace,
    Services: rows.map((row) => aggregate(row as Row<PlainTable>, context.random)),
  }));
  return { ...reply, body: JSON.stringify(nested) };
}

function aggregate({ key, stub }: Row<PlainTable>, random: Random): { ServiceName: string; Tags: unknown[] } {
  const tags = Array.isArray(stub["Tags"]) ? [...(stub["Tags"] as unknown[])] : [];
  return { ServiceName: key, Tags: random.chance(0.5) ? tags : tags.toReversed() };
}

/** Tokens as they are listed: without their secrets. */
export async function tokensEndpoint(context: ApiContext, request: ApiRequest): Promise<Reply> {
  if (accessFor(context, request)?.management !== true) return PERMISSION_DENIED;
  const reply = await listEndpoint(context, request, "tokens");
  if (typeof reply.body === "string") return reply;
  const stubs = reply.body.rows.map((row) => JSON.parse(row.text) as Record<string, unknown>);
  return {
    ...reply,
    body: JSON.stringify(stubs.map(({ SecretID: _secret, ExpirationTTL: _ttl, ...stub }) => stub)),
  };
}

export function nodePoolEndpoint(context: ApiContext, request: ApiRequest, name: string): Reply {
  if (accessFor(context, request) === undefined) return PERMISSION_DENIED;
  const row = replicaFor(context, request).state.table("node-pools").get("-", name);
  return row === undefined ? problem(404, "node pool not found") : json(row.text);
}
