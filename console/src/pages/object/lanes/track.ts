import type { JsonChange } from "nomad-changefeed-client";
import { isChange, type FeedItem } from "../../../feed/event-facts.ts";
import { summaryOf } from "../../../words/summary.ts";
import { sequenceOf } from "../../../words/cursor.ts";
import { partsOf } from "../../../words/names.ts";
import { msOfNanos } from "../../../words/nanos.ts";
import { text, type Stub } from "../stubs.ts";

/** One event of an object, as lanes are drawn from it. */
export interface Step {
  /** When it happened. */
  readonly ms: number;
  /** When the feed saw it. */
  readonly recordedMs: number;
  readonly cursor: string;
  /** The object after it, of a deletion before it; undefined where the event was too large to hold it. */
  readonly stub: Stub | undefined;
  readonly changes: readonly JsonChange[];
  /** None was left out for size. */
  readonly hasAllChanges: boolean;
  readonly op: string;
  readonly signals: readonly string[];
  /** In words: "failed". */
  readonly what: string;
  readonly detail: string;
}

/** What happened to one object. */
export interface Track {
  readonly subject: string;
  readonly resource: string;
  readonly namespace: string;
  readonly key: string;
  /** Oldest first. */
  readonly steps: readonly Step[];
  /** The newest there is of it; undefined where all events were too large to hold it. */
  readonly stub: Stub | undefined;
  /** When Nomad made it, where it says so. */
  readonly createdMs: number | undefined;
}

export type Tracks = ReadonlyMap<string, Track>;

/** By subject. `events` may be in any order and come twice; `current` is of objects that may have no event. */
export function tracksOf(events: readonly FeedItem[], current: ReadonlyMap<string, Stub>): Tracks {
  const steps = new Map<string, Map<string, Step>>();
  for (const subject of current.keys()) steps.set(subject, new Map());
  for (const event of events) {
    if (!isChange(event)) continue;
    const known = steps.get(event.subject) ?? new Map<string, Step>();
    known.set(event.cursor, stepOf(event));
    steps.set(event.subject, known);
  }
  return new Map(
    [...steps].map(([subject, byCursor]) => [
      subject,
      trackOf(subject, [...byCursor.values()], current.get(subject)),
    ]),
  );
}

type Change = Extract<FeedItem, { data: { op: string } }>;

function stepOf(event: Change): Step {
  const { op, signals, changes = [], changesTruncated, after, before } = event.data;
  return {
    ms: Date.parse(event.time),
    recordedMs: Date.parse(event.recordedtime),
    cursor: event.cursor,
    stub: after ?? before,
    changes,
    hasAllChanges: changesTruncated === undefined,
    op,
    signals,
    ...summaryOf(event),
  };
}

function trackOf(subject: string, steps: Step[], current: Stub | undefined): Track {
  const inOrder = steps.toSorted((a, b) => a.ms - b.ms || sequenceOf(a.cursor) - sequenceOf(b.cursor));
  const stub = inOrder.findLast((step) => step.stub !== undefined)?.stub ?? current;
  return {
    ...partsOf(subject),
    subject,
    steps: inOrder,
    stub,
    createdMs: msOfNanos(stub?.["CreateTime"]) ?? undefined,
  };
}

/** A stretch of time over which a member of an object had one value. */
export interface Segment {
  /** -Infinity: since before what is known. */
  readonly fromMs: number;
  /** Null: it still has. */
  readonly toMs: number | null;
  readonly value: string;
  /** Of the event that brought it; null where it was so before. */
  readonly cursor: string | null;
}

/** Over time, the values of a member; "" where there is none. */
export function segmentsOf(track: Track, field: string): Segment[] {
  const found: Segment[] = [];
  const begin = (fromMs: number, value: string, cursor: string | null) => {
    const last = found.at(-1);
    if (last?.toMs === null) {
      if (last.value === value) return;
      found[found.length - 1] = { ...last, toMs: fromMs };
    }
    found.push({ fromMs, toMs: null, value, cursor });
  };
  const earliest = valueBefore(track, field);
  if (earliest !== undefined) begin(track.createdMs ?? -Infinity, earliest, null);
  for (const { ms, stub, op, cursor } of track.steps) {
    const last = found.at(-1);
    if (op === "delete") {
      if (last?.toMs === null) found[found.length - 1] = { ...last, toMs: ms };
      continue;
    }
    if (stub !== undefined) begin(ms, text(stub, field), cursor);
  }
  return found.filter(({ fromMs, toMs }) => toMs === null || toMs > fromMs);
}

/** What happened to the object itself, without versions of a job that no poll saw. */
export function stateSteps(steps: readonly Step[]): Step[] {
  return steps.filter(({ op }) => op !== "version");
}

/** The value before the first event that is known; undefined where there was no object yet. */
function valueBefore({ steps, stub }: Track, field: string): string | undefined {
  const [first] = stateSteps(steps);
  if (first === undefined) return stub === undefined ? undefined : text(stub, field);
  if (first.op === "create" || first.stub === undefined) return undefined;
  const change = first.changes.find(({ path }) => path === `/${field}`);
  if (change === undefined) return text(first.stub, field);
  return typeof change.from === "string" ? change.from : "";
}

export function endMs({ steps }: Track): number | null {
  const last = stateSteps(steps).at(-1);
  return last?.op === "delete" ? last.ms : null;
}
