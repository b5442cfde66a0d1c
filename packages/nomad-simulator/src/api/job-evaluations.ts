import { blockingQuery, type Run } from "./blocking.ts";
import { accessFor, metaFor, type ApiContext } from "./context.ts";
import { list, PERMISSION_DENIED, type Reply } from "./reply.ts";
import type { ApiRequest } from "./request.ts";
import type { State } from "../store/state.ts";
import { rowOf } from "./watch-prefix.ts";

/** `GET /v1/job/<id>/evaluations`: those that are kept, as the list has them. */
export async function jobEvaluationsEndpoint(
  context: ApiContext,
  request: ApiRequest,
  id: string,
): Promise<Reply> {
  if (accessFor(context, request)?.allows(request.namespace, "read-job") !== true) return PERMISSION_DENIED;
  return await blockingQuery(context, request, (state) => run(context, request, id, state));
}

function run(context: ApiContext, request: ApiRequest, id: string, state: State): Run {
  const index = state.indexOf("evaluations");
  const rows = [...state.tables.evaluations.values()].filter(
    ({ namespace, stub }) => namespace === request.namespace && stub.JobID === id,
  );
  return {
    index,
    reply: list(rows, metaFor(context, request, index)),
    matches: (op) => op.trees.includes("evaluations") && rowOf(op).namespace === request.namespace,
  };
}
