import type { Aspect, EventDraft, LogEntry, Op } from "../../schemas/draft.ts";
import { SEVERITIES, type Severity } from "../../schemas/severity.ts";
import type { StateEntry } from "../log.ts";
import type { ResourceType } from "../../schemas/resources.ts";

/** `[id, fields]` as XRANGE answers: the fields in the order in which the commit script writes them. */
export type StreamEntry = readonly [id: string, fields: readonly string[]];

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

export function entryOf([id, fields]: StreamEntry): LogEntry {
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
    facts = "[]",
  ] = fields;
  const [eventId, resource, aspect, job, node, time, signals] = JSON.parse(facts) as Facts;
  return {
    sequence: sequenceOf(id),
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

/** The sequence in a stream id `<sequence>-<nomadIndex>`. */
export function sequenceOf(id: string): number {
  return Number(id.slice(0, id.indexOf("-")));
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

export function stateEntry(hash: string, key: string, value: Buffer): StateEntry {
  const split = hash.indexOf(":");
  const end = value.indexOf(NEWLINE);
  return {
    ref: { resource: hash.slice(0, split) as ResourceType, namespace: hash.slice(split + 1), key },
    rev: value.toString("utf8", 0, end),
    stub: value.subarray(end + 1),
  };
}

/** RFC 3339, from ms since 1970. */
export function timeText(timeMs: number): string {
  return new Date(timeMs).toISOString();
}
