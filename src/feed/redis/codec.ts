import type { Aspect, EventDraft, LogEntry, Op } from "../../schemas/draft.ts";
import { SEVERITIES, type Severity } from "../../schemas/severity.ts";
import type { StateEntry } from "../log.ts";
import { integerOf, isTexts, jsonOf, Reply, wrong, type ReplySource } from "./reply.ts";
import type { ResourceType } from "../../schemas/resources.ts";
import type { Scope } from "../../schemas/scope.ts";

/** What an entry's `facts` hold, in this order, beside its other fields; "" stands for null. */
type Facts = [
  id: string,
  resource: string,
  aspect: string,
  job: string,
  node: string,
  time: string,
  signals: string[],
];

export function factsOf(draft: EventDraft): string {
  const { id, resource, aspect, job, node, time, signals } = draft;
  return JSON.stringify([id, resource ?? "", aspect ?? "", job ?? "", node ?? "", time, signals]);
}

function isFacts(value: unknown): value is Facts {
  return Array.isArray(value) && value.length === 7 && isTexts(value.slice(0, 6)) && isTexts(value[6]);
}

/** Names and values of the fields, in the order in which the commit script writes them. */
const FIELD_COUNT = 16;

/** `[id, fields]` each, as XRANGE answers; nothing where nothing was asked for. @throws LogUnusable */
export function entriesOf(reply: unknown, source: ReplySource): LogEntry[] {
  return reply === null ? [] : new Reply(reply, source).parts.map((entry) => entryOf(entry, source));
}

/** What only our own code writes is taken at its word, as in SQLite: `op`, `aspect`, `severity`, `resource`. */
function entryOf(entry: unknown, source: ReplySource): LogEntry {
  const [id, fields] = idAndFieldsOf(entry, source);
  if (fields.length < FIELD_COUNT) throw wrong(source, `entry ${id}`, `${FIELD_COUNT / 2} fields`, fields);
  const [
    ,
    data = "",
    ,
    ,
    ,
    type = "",
    ,
    op = "",
    ,
    namespace = "",
    ,
    key = "",
    ,
    severity = "",
    ,
    facts = "",
  ] = fields;
  const [eventId, resource, aspect, job, node, time, signals] = jsonOf(
    facts,
    isFacts,
    `facts in entry ${id}`,
    source,
  );
  return {
    sequence: sequenceOf(id, source),
    id: eventId,
    type,
    resource: resource || null,
    namespace: namespace || null,
    key: key || null,
    op: (op || null) as Op | null,
    aspect: (aspect || null) as Aspect | null,
    signals,
    severity: severity as Severity,
    job: job || null,
    node: node || null,
    time,
    json: data,
  };
}

/** An entry of a stream. @throws LogUnusable */
export function idAndFieldsOf(entry: unknown, source: ReplySource): [id: string, fields: string[]] {
  const [id, fields]: unknown[] = Array.isArray(entry) ? entry : [];
  if (typeof id !== "string" || !isTexts(fields)) throw wrong(source, "an entry", "an id and fields", entry);
  return [id, fields];
}

/** The sequence in a stream id `<sequence>-<nomadIndex>`. */
export function sequenceOf(id: string, source: ReplySource): number {
  return integerOf(id.slice(0, id.indexOf("-")), "the sequence in an entry's id", source);
}

const REV = '"rev":{"current":"';
const TO_INDEX = '"toIndex":"';

/**
 * The Nomad index to be read off the stream id: that of the change, or of the poll that found it where the change
 * left none; 0 for control events. It stands behind the object in `tail`, so only its end is looked at.
 */
export function nomadIndexOf({ tail, op }: EventDraft): string {
  if (op === null) return "0";
  const end = tail.slice(-1000);
  return lastIndexAfter(end, REV) ?? lastIndexAfter(end, TO_INDEX) ?? "0";
}

/** The index that stands, in quotes, behind the last `name` in `text`. */
function lastIndexAfter(text: string, name: string): string | undefined {
  let last: string | undefined;
  for (let at = text.indexOf(name); at !== -1; at = text.indexOf(name, at + 1)) {
    const start = at + name.length;
    const index = text.slice(start, text.indexOf('"', start));
    if (/^\d{1,19}$/.test(index)) last = index;
  }
  return last;
}

/** Severities that are rare enough for an index. */
export function isSevere(severity: Severity): boolean {
  return SEVERITIES[severity] >= SEVERITIES.WARN;
}

const NEWLINE = 10;

/** An object in its state hash: rev, newline, the stub's bytes as Nomad sent them. */
export function stateValue(rev: string, stub: Buffer): Buffer {
  return Buffer.concat([Buffer.from(`${rev}\n`), stub]);
}

/** The scope that a key or a set names: `jobs:default`. Only our own code writes it, so it is taken at its word. */
export function scopeNamed(name: string): Scope {
  const split = name.indexOf(":");
  return { resource: name.slice(0, split) as ResourceType, namespace: name.slice(split + 1) };
}

export function stateEntry(hash: string, key: string, value: Buffer): StateEntry {
  const end = value.indexOf(NEWLINE);
  return {
    ref: { ...scopeNamed(hash), key },
    rev: value.toString("utf8", 0, end),
    stub: value.subarray(end + 1),
  };
}

/** RFC 3339, from ms since 1970. */
export function timeText(timeMs: number): string {
  return new Date(timeMs).toISOString();
}
