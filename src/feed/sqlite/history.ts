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

/** The conditions that have an index, most selective first: the first one present decides which is walked. */
const INDEXES = [
  ["key", "events_by_key"],
  ["job", "events_by_job"],
  ["node", "events_by_node"],
  ["namespace", "events_by_namespace"],
  ["op", "events_by_op"],
  ["resource", "events_by_resource"],
] as const;

/**
 * One statement that walks one index in the order of the sequence and stops at the limit: it never sorts and
 * never reads the whole log. The index is named, so that SQLite has nothing to guess.
 */
export function planHistory(query: HistoryQuery, range: Range): Plan {
  const walk = chooseWalk(query);
  const conditions = [`${walk.sequence} > ?`, `${walk.sequence} < ?`];
  const values: SQLInputValue[] = [range.after, range.before];
  for (const [column] of INDEXES) {
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
  const [, found] = INDEXES.find(([column]) => query[column] !== undefined) ?? [];
  const grave = query.minSeverity !== undefined && SEVERITIES[query.minSeverity] >= SEVERITIES.WARN;
  const narrow = query.key ?? query.job ?? query.node;
  const index = grave && narrow === undefined ? "events_by_severity" : found;
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
  return SEVERITIES[least] >= SEVERITIES.WARN ? [GRAVE, own] : [own];
}
