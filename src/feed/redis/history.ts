import type { LogEntry } from "../../schemas/draft.ts";
import { SEVERITIES } from "../../schemas/severity.ts";
import type { HistoryQuery } from "../log.ts";
import { entryOf, isGrave, type StreamEntry } from "./codec.ts";
import type { Connection } from "./connection.ts";

/** Sequences between which all answers lie, both exclusive: paging and the bounds on time together. */
export interface Range {
  readonly after: number;
  readonly before: number;
}

const PAGE_EVENTS = 200;

/**
 * Walks the smallest index that the question names (object, job, node, signal, WARN and above) in the order asked
 * for, and looks at each event it lists; a question that names none walks the stream itself.
 */
export async function findHistory(
  connection: Connection,
  prefix: string,
  query: HistoryQuery,
  range: Range,
): Promise<LogEntry[]> {
  const index = await smallestIndex(connection, prefix, query);
  const found: LogEntry[] = [];
  let { after, before } = range;
  while (found.length < query.limit && before - after > 1) {
    const page =
      index === undefined
        ? await pageOfStream(connection, `${prefix}log`, query, { after, before })
        : await pageOfIndex(connection, prefix, index, query, { after, before });
    found.push(...page.entries.filter((entry) => matches(entry, query)));
    if (page.last === undefined) break;
    if (query.order === "oldest-first") after = page.last;
    else before = page.last;
  }
  return found.slice(0, Math.max(0, query.limit));
}

interface Page {
  readonly entries: readonly LogEntry[];
  /** The sequence at which the next page goes on; undefined where there is none. */
  readonly last: number | undefined;
}

async function pageOfStream(
  connection: Connection,
  log: string,
  { order }: HistoryQuery,
  { after, before }: Range,
): Promise<Page> {
  const [from, to] = [after + 1, before - 1];
  const reply =
    order === "oldest-first"
      ? await connection.call("XRANGE", log, from, to, "COUNT", PAGE_EVENTS)
      : await connection.call("XREVRANGE", log, to, from, "COUNT", PAGE_EVENTS);
  const entries = (reply as StreamEntry[]).map(entryOf);
  return { entries, last: entries.at(-1)?.sequence };
}

async function pageOfIndex(
  connection: Connection,
  prefix: string,
  index: string,
  { order }: HistoryQuery,
  { after, before }: Range,
): Promise<Page> {
  const [low, high] = [`(${after}`, `(${before}`];
  const bounds = ["LIMIT", 0, PAGE_EVENTS] as const;
  const reply =
    order === "oldest-first"
      ? await connection.call("ZRANGEBYSCORE", index, low, high, ...bounds)
      : await connection.call("ZREVRANGEBYSCORE", index, high, low, ...bounds);
  const sequences = reply as string[];
  const replies = await connection.each(
    sequences.map((sequence) => ["XRANGE", `${prefix}log`, sequence, sequence] as const),
  );
  const entries = replies.flatMap((one) => (one as StreamEntry[]).map(entryOf));
  const last = sequences.at(-1);
  return { entries, last: last === undefined ? undefined : Number(last) };
}

async function smallestIndex(
  connection: Connection,
  prefix: string,
  query: HistoryQuery,
): Promise<string | undefined> {
  const names: string[] = [];
  if (query.key !== undefined) names.push(`key:${query.key}`);
  if (query.job !== undefined) names.push(`job:${query.job}`);
  if (query.node !== undefined) names.push(`node:${query.node}`);
  if (query.signal !== undefined) names.push(`signal:${query.signal}`);
  if (query.minSeverity !== undefined && isGrave(query.minSeverity)) names.push("grave");
  const keys = names.map((name) => `${prefix}by:${name}`);
  if (keys.length < 2) return keys[0];
  const sizes = (await connection.each(keys.map((key) => ["ZCARD", key] as const))) as number[];
  return keys[sizes.indexOf(Math.min(...sizes))];
}

const SAME = ["resource", "key", "namespace", "job", "node", "op"] as const;

function matches(entry: LogEntry, query: HistoryQuery): boolean {
  if (query.signal !== undefined && !entry.signals.includes(query.signal)) return false;
  if (query.minSeverity !== undefined && SEVERITIES[entry.severity] < SEVERITIES[query.minSeverity])
    return false;
  return SAME.every((name) => query[name] === undefined || query[name] === entry[name]);
}
