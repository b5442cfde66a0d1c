import type { Matches } from "../store/replica.ts";
import type { Row } from "../store/row.ts";
import type { State } from "../store/state.ts";
import { rowId, UUID_TABLES } from "../store/tables.ts";
import { isNamespaced, uuidText, type ListTable, type Page } from "./pages.ts";
import type { ApiRequest } from "./request.ts";
import { rowOf, uuidKey, watchPrefix } from "./watch-prefix.ts";

/** Which writes wake a list that has seen this page. */
export function matchesOf(state: State, name: ListTable, request: ApiRequest, page: Page): Matches {
  const { namespace, prefix } = request;
  const table = state.table(name);
  if (name === "jobs") return jobMatches(state, request, page);
  if (prefix !== "" && UUID_TABLES.has(name)) {
    const near = table.neighbours(uuidText(prefix)).map(uuidKey);
    return watchPrefix(name, (op) => uuidKey(rowOf(op).key), near, uuidKey(prefix));
  }
  if (prefix !== "") {
    const near = table.neighbours(`-\0${prefix}`).map((id) => id.slice(2));
    return watchPrefix(name, (op) => rowOf(op).key, near, prefix);
  }
  if (!isNamespaced(name) || namespace === "*") return (op) => op.trees.includes(name);
  const names = [...table.namespaces()].map(terminated);
  return watchPrefix(name, (op) => terminated(rowOf(op).namespace), names, terminated(namespace));
}

/** A list of jobs watches the jobs' tree and the summary of every job on it. */
function jobMatches(state: State, { namespace, prefix }: ApiRequest, page: Page): Matches {
  const ofPage = summariesOf(page);
  if (namespace === "*")
    return (op) => op.trees.includes("jobs") || (op.trees.includes("job_summary") && ofPage(rowOf(op)));
  const wanted = `${namespace}\0${prefix}`;
  const near = state.tables.jobs.neighbours(wanted).map(terminated);
  const registered = watchPrefix("jobs", (op) => terminated(idOf(rowOf(op))), near, wanted);
  return (op) => registered(op) || (op.trees.includes("job_summary") && ofPage(rowOf(op)));
}

/** The summaries that were looked at: those of the page, and of the row after it. */
function summariesOf({ rows, following }: Page): (row: Row) => boolean {
  let ids: ReadonlySet<string> | undefined;
  return (row) => {
    ids ??= new Set([...rows, ...(following === undefined ? [] : [following])].map(idOf));
    return ids.has(idOf(row));
  };
}

const idOf = (row: Row): string => rowId(row.table, row.namespace, row.key);

const terminated = (text: string): string => `${text}\0`;
