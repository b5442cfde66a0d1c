import { accessFor, replicaFor, type ApiContext } from "./context.ts";
import { PERMISSION_DENIED, problem, type Reply } from "./reply.ts";
import type { ApiRequest } from "./request.ts";

const LINES = 40;

/** `GET /v1/client/fs/logs/<allocation>`, from the end, as plain text: what a task would write that fails. */
export function taskLogsEndpoint(context: ApiContext, request: ApiRequest, id: string): Reply {
  const row = replicaFor(context, request).state.tables.allocations.get("-", id);
  if (row === undefined) return problem(404, `Unknown allocation "${id}"`);
  if (accessFor(context, request)?.allows(row.namespace, "read-logs") !== true) return PERMISSION_DENIED;
  const { task } = request;
  if (!row.stub.TaskStates?.has(task))
    return problem(404, `task "${task}" not started yet. No logs available`);
  const lines = Array.from({ length: LINES }, (_, at) => `${task}: step ${at + 1} of ${LINES}`);
  const text = [...lines, "\u001B[31mfatal\u001B[0m: connect with token=simulated-secret: refused"].join(
    "\n",
  );
  return problem(200, `${text}\n`.slice(-request.offset));
}
