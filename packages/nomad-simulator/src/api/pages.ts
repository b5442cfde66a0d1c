import type { Capability } from "../acl/capabilities.ts";
import { PLAIN_TABLES, plainList } from "../store/plain-tables.ts";
import type { Row } from "../store/row.ts";
import type { State } from "../store/state.ts";
import { ORDER, UUID_TABLES, type TableName } from "../store/tables.ts";
import type { ApiRequest } from "./request.ts";

export type ListTable = TableName;

/** What it takes to list a table; those of namespaces alone are in it. */
export const CAPABILITY: Partial<Record<TableName, Capability>> = {
  jobs: "list-jobs",
  allocations: "read-job",
  deployments: "read-job",
  evaluations: "read-job",
  ...Object.fromEntries(
    PLAIN_TABLES.map((table) => [table, plainList(table).capability]).filter(([, capability]) => capability),
  ),
};

/** Whether its rows are of namespaces, of which a request names one, or all. */
export function isNamespaced(table: ListTable): boolean {
  return CAPABILITY[table] !== undefined || table === "variables";
}

/** Lists without pages: they ignore the parameters. */
const UNPAGED: ReadonlySet<ListTable> = new Set(["namespaces", "policies"]);

export interface Page {
  readonly rows: readonly Row[];
  /** The row after the page, where there is one: Nomad looks at it to see that there is. */
  readonly following: Row | undefined;
  readonly nextToken: string | undefined;
}

/** The page asked for, of the rows that fit. */
export function pageOf(
  state: State,
  table: ListTable,
  request: ApiRequest,
  fits: (row: Row) => boolean,
): Page {
  const rows: Row[] = [];
  const { perPage, nextToken } = UNPAGED.has(table) ? { perPage: 0, nextToken: "" } : request;
  const token = tokenizer(table, request.prefix);
  let begun = nextToken === "";
  for (const row of selected(state, table, request)) {
    if ((!begun && token.isBelow(row, nextToken)) || !fits(row)) continue;
    begun = true;
    if (perPage !== 0 && rows.length >= perPage) return { rows, following: row, nextToken: token.of(row) };
    rows.push(row);
  }
  return { rows, following: undefined, nextToken: undefined };
}

/** The rows of the namespace and the prefix, in list order; by key where there is a prefix. */
function* selected(state: State, name: ListTable, { namespace, prefix }: ApiRequest): Iterable<Row> {
  const table = state.table(name);
  const anyNamespace = !isNamespaced(name) || namespace === "*";
  if (prefix === "") {
    yield* anyNamespace ? table.list() : table.inNamespace(namespace);
  } else if (UUID_TABLES.has(name)) {
    for (const row of table.startingWith(uuidText(prefix)))
      if (anyNamespace || row.namespace === namespace) yield row;
  } else {
    for (const each of anyNamespace ? [...table.namespaces()].toSorted() : [namespace])
      yield* table.startingWith(`${each}\0${prefix}`);
  }
}

/** A UUID, or the beginning of one, as its table spells it. */
export function uuidText(prefix: string): string {
  const hex = prefix.replaceAll("-", "").toLowerCase();
  const parts = [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)];
  return parts.filter((part) => part !== "").join("-");
}

interface Tokenizer {
  /** Names the page that begins with the row. */
  of(row: Row): string;
  isBelow(row: Row, token: string): boolean;
}

function tokenizer(table: ListTable, prefix: string): Tokenizer {
  if (ORDER[table] === "age" && prefix === "") return BY_AGE;
  return UUID_TABLES.has(table) ? textual((row) => row.key) : textual((row) => `${row.namespace}.${row.key}`);
}

const textual = (of: (row: Row) => string): Tokenizer => ({ of, isBelow: (row, token) => of(row) < token });

const BY_AGE: Tokenizer = {
  of: (row) => `${createIndexOf(row)}.${row.key}`,
  isBelow(row, token) {
    const [, index, key = ""] = /^(\d+)\.(.*)$/s.exec(token) ?? [];
    if (index === undefined) return this.of(row) < token;
    const age = createIndexOf(row) - Number(index);
    return age === 0 ? row.key < key : age < 0;
  },
};

function createIndexOf({ stub }: Row): number {
  return stub.CreateIndex;
}
