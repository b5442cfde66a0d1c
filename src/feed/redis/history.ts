import type { LogEntry } from "../../schemas/draft.ts";
import { SEVERITIES } from "../../schemas/severity.ts";
import type { HistoryScan } from "../log.ts";
import { entriesOf } from "./codec.ts";
import type { Connection } from "./connection.ts";
import { integerOf, Reply } from "./reply.ts";
import { postedBy, sequencesIn, type Posted } from "./postings.ts";

/** Sequences between which all answers lie, both exclusive: paging and the bounds on time together. */
export interface Range {
  readonly after: number;
  readonly before: number;
}

/** Events read in one go: everybody waits while they are decoded. */
const PAGE_EVENTS = 50;

/**
 * Asks the index for the object, job, node, signal or severity that the question names, in the order asked for, and
 * looks at each event it finds; a question that names none walks the stream itself.
 */
export async function* scanHistory(
  connection: Connection,
  prefix: string,
  query: HistoryScan,
  range: Range,
): AsyncGenerator<LogEntry[]> {
  const posted = postedBy(query);
  const pages =
    posted === undefined
      ? pagesOfStream(connection, prefix, query, range)
      : pagesOfIndex(connection, prefix, posted, query, range);
  for await (const page of pages) yield page.filter((entry) => matches(entry, query));
}

async function* pagesOfStream(
  connection: Connection,
  prefix: string,
  { order }: HistoryScan,
  range: Range,
): AsyncGenerator<LogEntry[]> {
  const log = `${prefix}log`;
  let { after, before } = range;
  while (before - after > 1) {
    const [from, to] = [after + 1, before - 1];
    const reply =
      order === "oldest-first"
        ? await connection.call("XRANGE", log, from, to, "COUNT", PAGE_EVENTS)
        : await connection.call("XREVRANGE", log, to, from, "COUNT", PAGE_EVENTS);
    const entries = entriesOf(reply, connection.source(log));
    const last = entries.at(-1)?.sequence;
    if (last === undefined) return;
    yield entries;
    if (order === "oldest-first") after = last;
    else before = last;
  }
}

async function* pagesOfIndex(
  connection: Connection,
  prefix: string,
  { partition, name }: Posted,
  { order }: HistoryScan,
  { after, before }: Range,
): AsyncGenerator<LogEntry[]> {
  const segments = await segmentsBetween(connection, prefix, { after, before });
  for (const segment of order === "oldest-first" ? segments : segments.toReversed()) {
    const text = await connection.call("GET", `${prefix}by:${segment}:${partition}`);
    const wanted = sequencesIn(typeof text === "string" ? text : "", name).filter(
      (sequence) => sequence > after && sequence < before,
    );
    if (order !== "oldest-first") wanted.reverse();
    for (let start = 0; start < wanted.length; start += PAGE_EVENTS) {
      const page = wanted.slice(start, start + PAGE_EVENTS);
      yield await eventsAt(connection, prefix, page);
    }
  }
}

/** @see FeedLog.eventsAt */
export async function eventsAt(
  connection: Connection,
  prefix: string,
  sequences: readonly number[],
): Promise<LogEntry[]> {
  const log = `${prefix}log`;
  const replies = await connection.each(sequences.map((n) => ["XRANGE", log, n, n] as const));
  return replies.flatMap((one) => entriesOf(one, connection.source(log)));
}

/** The segments of the index with events in the range, oldest first. A segment is named by its first event. */
async function segmentsBetween(
  connection: Connection,
  prefix: string,
  { after, before }: Range,
): Promise<string[]> {
  const bounds = [`(${after}`, "+inf"] as const;
  const reply = await connection.call("ZRANGEBYSCORE", `${prefix}segments`, ...bounds);
  const source = connection.source(`${prefix}segments`);
  return new Reply(reply, source).texts().filter((first) => integerOf(first, "a segment", source) < before);
}

const SAME = ["resource", "key", "namespace", "job", "node", "op"] as const;

function matches(entry: LogEntry, query: HistoryScan): boolean {
  if (query.minSeverity !== undefined && SEVERITIES[entry.severity] < SEVERITIES[query.minSeverity])
    return false;
  return isAsked(entry, query) && query.includes?.(entry) !== false;
}

function isAsked(entry: LogEntry, query: HistoryScan): boolean {
  const { control, signal } = query;
  if (entry.op === null && control !== undefined) return control === "too";
  if (signal !== undefined && !entry.signals.includes(signal)) return false;
  return SAME.every((name) => query[name] === undefined || query[name] === entry[name]);
}
