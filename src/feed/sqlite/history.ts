import type { SQLInputValue } from "node:sqlite";
import { SEVERITIES, SEVERITY_NAMES } from "../../schemas/severity.ts";
import type { LogEntry } from "../../schemas/draft.ts";
import type { HistoryQuery, HistoryScan } from "../log.ts";
import type { Connection, Row } from "./connection.ts";
import { inOneOrder } from "../in-one-order.ts";
import { entryOf, EVENT_COLUMNS, FACT_COLUMNS, factsOf } from "./rows.ts";
import { SEVERE } from "./schema.ts";

interface Plan {
  readonly sql: string;
  readonly values: SQLInputValue[];
}

/** Sequences between which all answers lie, both exclusive: paging and the bounds on time together. */
export interface Range {
  readonly after: number;
  readonly before: number;
}

const COLUMNS = ["key", "job", "node", "resource", "namespace", "op"] as const;
type Column = (typeof COLUMNS)[number];

/**
 * The index to walk, most selective first: the first whose question is asked. Most events are updates, so any
 * other `op` tells more than a namespace or a kind of object does.
 */
const INDEXES: readonly (readonly [
  index: string,
  columns: readonly Column[],
  answers: (query: HistoryScan) => boolean,
])[] = [
  ["events_by_key", ["key"], (query) => query.key !== undefined],
  ["events_by_job", ["job"], (query) => query.job !== undefined],
  ["events_by_node", ["node"], (query) => query.node !== undefined],
  ["events_by_severity", [], (query) => isSevere(query.minSeverity)],
  [
    "events_by_scope",
    ["resource", "namespace"],
    (query) => query.resource !== undefined && query.namespace !== undefined,
  ],
  ["events_by_op", ["op"], (query) => query.op !== undefined && query.op !== "update"],
  ["events_by_namespace", ["namespace"], (query) => query.namespace !== undefined],
  ["events_by_resource", ["resource"], (query) => query.resource !== undefined],
  ["events_by_op", ["op"], (query) => query.op !== undefined],
];

/** Rows of the index that one statement looks at, and bytes of events read in one go: everybody waits for both. */
const STRETCH_ROWS = 500;
const BATCH_BYTES = 128 * 1024;

/** The events that match, one stretch of the index after the other; nothing is held open in between. */
export async function* scanHistory(
  connection: Connection,
  query: HistoryScan,
  range: Range,
): AsyncGenerator<LogEntry[]> {
  const { control, minSeverity, includes, order } = query;
  const asksOfObjects = query.signal !== undefined || COLUMNS.some((column) => query[column] !== undefined);
  if (control !== "too" || !asksOfObjects) {
    yield* walk(connection, query, range);
    return;
  }
  // Each has an index of its own.
  const alone: HistoryScan = {
    order,
    op: null,
    ...(minSeverity !== undefined && { minSeverity }),
    ...(includes !== undefined && { includes }),
  };
  const objects = walk(connection, { ...query, control: "none" }, range);
  yield* inOneOrder(order, objects, walk(connection, alone, range));
}

async function* walk(connection: Connection, query: HistoryScan, range: Range): AsyncGenerator<LogEntry[]> {
  let { after, before } = range;
  while (true) {
    const { sql, values } = planHistory(query, { after, before });
    const rows = connection.all(sql, values);
    let batch: LogEntry[] = [];
    let bytes = 0;
    for (const row of rows) {
      const entry = matches(row, query) ? eventAt(connection, row.integer("sequence")) : undefined;
      if (entry === undefined) continue;
      batch.push(entry);
      bytes += entry.json.length;
      if (bytes < BATCH_BYTES) continue;
      yield batch;
      batch = [];
      bytes = 0;
    }
    yield batch;
    const last = rows.at(-1)?.integer("sequence");
    if (last === undefined || rows.length < STRETCH_ROWS) return;
    if (query.order === "oldest-first") after = last;
    else before = last;
  }
}

function matches(row: Row, { includes }: HistoryScan): boolean {
  if (row.integer("matches") === 0) return false;
  return includes?.(factsOf(row)) ?? true;
}

/** Undefined where retention has just removed it. */
function eventAt(connection: Connection, sequence: number): LogEntry | undefined {
  const row = connection.get(`SELECT ${EVENT_COLUMNS} FROM events WHERE sequence = ?`, [sequence]);
  return row && entryOf(row);
}

/**
 * One statement that walks a stretch of one index in the order of the sequence, and says of each row whether it
 * matches: so it never sorts, never reads the whole log, and takes no longer where nothing matches. The index is named,
 * so that SQLite has nothing to guess.
 * @internal
 */
export function planHistory(query: HistoryScan, range: Range): Plan {
  const way = chooseWalk(query);
  const conditions: string[] = [];
  const values: SQLInputValue[] = [];
  for (const column of COLUMNS) {
    const value = query[column];
    if (value === undefined || way.columns.includes(column)) continue;
    conditions.push(`${column} IS ?`);
    values.push(value);
  }
  if (query.minSeverity !== undefined) conditions.push(severityCondition(query.minSeverity));
  if (query.signal !== undefined && way.signal === undefined) {
    conditions.push(
      "EXISTS (SELECT 1 FROM event_signals WHERE event_signals.signal = ? AND event_signals.sequence = events.sequence)",
    );
    values.push(query.signal);
  }
  if (query.control === "none") conditions.push("op IS NOT NULL");
  const matched = conditions.length === 0 ? "1" : conditions.join(" AND ");
  const leading = way.columns.map((column) => `${column} ${query[column] === null ? "IS" : "="} ?`);
  leading.push(...way.conditions);
  for (const column of way.columns) values.push(query[column] ?? null);
  if (way.signal !== undefined) values.push(way.signal);
  const within = [...leading, `${way.sequence} > ?`, `${way.sequence} < ?`].join(" AND ");
  const direction = query.order === "oldest-first" ? "ASC" : "DESC";
  return {
    sql: `SELECT ${way.sequence} AS sequence, ${FACT_COLUMNS}, (${matched}) AS matches FROM ${way.from}
      WHERE ${within} ORDER BY ${way.sequence} ${direction} LIMIT ${STRETCH_ROWS}`,
    values: [...values, range.after, range.before],
  };
}

interface Walk {
  readonly from: string;
  readonly sequence: string;
  /** Columns that the index begins with. */
  readonly columns: readonly Column[];
  /** What else holds of every row that is walked. */
  readonly conditions: readonly string[];
  readonly signal?: string;
}

function chooseWalk(query: HistoryScan): Walk {
  if (query.signal !== undefined && query.key === undefined) {
    return {
      from: "event_signals CROSS JOIN events ON events.sequence = event_signals.sequence",
      sequence: "event_signals.sequence",
      columns: [],
      conditions: ["event_signals.signal = ?"],
      signal: query.signal,
    };
  }
  const [index, columns = []] = INDEXES.find(([, , answers]) => answers(query)) ?? [];
  return {
    from: index === undefined ? "events" : `events INDEXED BY ${index}`,
    sequence: "events.sequence",
    columns,
    // In the index's own words: SQLite proves nothing cleverer than that.
    conditions: index === "events_by_severity" ? [SEVERE] : [],
  };
}

function severityCondition(least: NonNullable<HistoryQuery["minSeverity"]>): string {
  const names = SEVERITY_NAMES.filter((name) => SEVERITIES[name] >= SEVERITIES[least]);
  return `severity IN (${names.map((name) => `'${name}'`).join(",")})`;
}

function isSevere(least: HistoryQuery["minSeverity"]): boolean {
  return least !== undefined && SEVERITIES[least] >= SEVERITIES.WARN;
}
