import { piecesText, PieceWriter, type GoValue } from "../go-json.ts";
import { jobDiff } from "../job-diff.ts";
import { fullJob, versionsOf } from "../job-spec.ts";
import type { Row } from "../store/row.ts";
import type { State } from "../store/state.ts";
import { blockingQuery, type Run } from "./blocking.ts";
import { accessFor, metaFor, type ApiContext } from "./context.ts";
import { json, PERMISSION_DENIED, problem, type QueryMeta, type Reply } from "./reply.ts";
import type { ApiRequest } from "./request.ts";
import { rowOf } from "./watch-prefix.ts";

/** `GET /v1/job/<id>/versions`: the versions that are kept, newest first, and with `diffs` what each changed. */
export async function jobVersionsEndpoint(
  context: ApiContext,
  request: ApiRequest,
  id: string,
): Promise<Reply> {
  if (accessFor(context, request)?.allows(request.namespace, "read-job") !== true) return PERMISSION_DENIED;
  return await blockingQuery(context, request, (state) => run(context, request, id, state));
}

function run(context: ApiContext, request: ApiRequest, id: string, state: State): Run {
  const row = state.tables.jobs.get(request.namespace, id);
  const index = row?.stub.ModifyIndex ?? state.indexOf("jobs");
  const meta = metaFor(context, request, index);
  return {
    index,
    reply: row === undefined ? problem(404, "job versions not found", meta) : found(row, meta, request.diffs),
    matches: (op) => op.trees.includes("jobs") && rowOf(op).key === id,
  };
}

function found(row: Row<"jobs">, meta: QueryMeta, withDiffs: boolean): Reply {
  const versions = versionsOf(row);
  const diffs = versions.slice(1).map((before, at) => jobDiff(before, versions[at] ?? before));
  const body: { readonly [field: string]: GoValue } = {
    Diffs: withDiffs && diffs.length > 0 ? diffs : null,
    Index: meta.index,
    KnownLeader: meta.knownLeader,
    LastContact: meta.lastContactMs * 1_000_000,
    NextToken: "",
    Versions: versions.map((version) => sorted(fullJob(version))),
  };
  return json(piecesText(new PieceWriter().value(body).finish()), meta);
}

function sorted(struct: { readonly [field: string]: GoValue }): GoValue {
  return Object.fromEntries(Object.entries(struct).toSorted(([a], [b]) => (a < b ? -1 : 1)));
}
