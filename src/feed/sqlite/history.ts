import type { SQLInputValue } from "node:sqlite";
import { SEVERITIES, SEVERITY_NAMES } from "../../schemas/severity.ts";
import type { HistoryQuery } from "../log.ts";
import { EVENT_COLUMNS } from "./rows.ts";
import { GRAVE } from "./schema.ts";

export interface Plan {
  readonly sql: string;
  readonly values: SQLInputValue[];
}

/** Sequences between which all answers lie, both exclusive: paging and the bounds on time together. */
export interface Range {
  readonly after: number;
  readonly before: number;
}

const COLUMNS = ["key", "job", "node", "resource", "namespace", "op"] as const;

/**
 * The index to walk, most selective first: the first whose question is asked. Most events are updates, so any
 * other `op` tells more than a namespace or a kind of object does.
 */
const INDEXES: readonly (readonly [index: string, answers: (query: HistoryQuery) => boolean])[] = [
  ["events_by_key", (query) => query.key !== undefined],
  ["events_by_job", (query) => query.job !== undefined],
  ["events_by_node", (query) => query.node !== undefined],
  ["events_by_severity", (query) => isGrave(query.minSeverity)],
  ["events_by_scope", (query) => query.resource !== undefined && query.namespace !== undefined],
  ["events_by_op", (query) => query.op !== undefined && query.op !== "update"],
  ["events_by_namespace", (query) => query.namespace !== undefined],
  ["events_by_resource", (query) => query.resource !== undefined],
  ["events_by_op", (query) => query.op !== undefined],
];

/**
 * One statement that walks one index in the order of the sequence and stops at the limit: it never sorts and
 * never reads the whole log. The index is named, so that SQLite has nothing to guess.
 */
export function planHistory(query: HistoryQuery, range: Range): Plan {
  const walk = chooseWalk(query);
  const conditions = [`${walk.sequence} > ?`, `${walk.sequence} < ?`];
  const values: SQLInputValue[] = [range.after, range.before];
  for (const column of COLUMNS) {
    const value = query[column];
    if (value === undefined) continue;
    conditions.push(`${column} = ?`);
    values.push(value);
  }
  if (query.minSeverity !== undefined) conditions.push(...severityConditions(query.minSeverity));
  if (query.signal !== undefined) {
    conditions.push(walk.signalCondition);
    values.push(query.signal);
  }
  const direction = query.order === "oldest-first" ? "ASC" : "DESC";
  return {
    sql: `SELECT ${EVENT_COLUMNS.replace("sequence", walk.sequence)} FROM ${walk.from}
      WHERE ${conditions.join(" AND ")} ORDER BY ${walk.sequence} ${direction} LIMIT ?`,
    values: [...values, Math.max(0, query.limit)],
  };
}

interface Walk {
  readonly from: string;
  readonly sequence: string;
  readonly signalCondition: string;
}

function chooseWalk(query: HistoryQuery): Walk {
  if (query.signal !== undefined && query.key === undefined) {
    return {
      from: "event_signals CROSS JOIN events ON events.sequence = event_signals.sequence",
      sequence: "event_signals.sequence",
      signalCondition: "event_signals.signal = ?",
    };
  }
  const [index] = INDEXES.find(([, answers]) => answers(query)) ?? [];
  return {
    from: index === undefined ? "events" : `events INDEXED BY ${index}`,
    sequence: "events.sequence",
    signalCondition:
      "EXISTS (SELECT 1 FROM event_signals WHERE event_signals.signal = ? AND event_signals.sequence = events.sequence)",
  };
}

/** The first of a grave severity repeats the index's own words: SQLite proves nothing cleverer than that. */
function severityConditions(least: NonNullable<HistoryQuery["minSeverity"]>): string[] {
  const names = SEVERITY_NAMES.filter((name) => SEVERITIES[name] >= SEVERITIES[least]);
  const own = `severity IN (${names.map((name) => `'${name}'`).join(",")})`;
  return isGrave(least) ? [GRAVE, own] : [own];
}

function isGrave(least: HistoryQuery["minSeverity"]): boolean {
  return least !== undefined && SEVERITIES[least] >= SEVERITIES.WARN;
}
