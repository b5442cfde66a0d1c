import { z } from "zod";
import { auditMarkSchema, type AuditMark } from "../../schemas/audit.ts";
import { formatCursor, parseCursor, type Cursor } from "../../schemas/cursor.ts";

/** Every writer puts the attributes in this order; any other is read in full. */
const SEQUENCE = '"sequence":"';
const OBJECT_START = 0x7b;

/** What an entry is. */
export type EntryContent =
  | { readonly kind: "event"; readonly place: Cursor; readonly subject: string | undefined }
  | { readonly kind: "mark"; readonly mark: AuditMark }
  /** Neither. */
  | { readonly kind: "unknown" };

/** Where counting has come: the event that belongs into the next entry. Undefined before the first one. */
export type NextEvent = Cursor | undefined;

/** Why an entry is not the one that follows. */
export interface Disorder {
  readonly expected: NextEvent;
  readonly found: EntryContent;
}

/** What a trail has, counted. */
export interface Counts {
  /** Sequence of the first one that is counted; undefined where there is none. */
  firstSeq?: number;
  events: number;
  gaps: number;
  missingEvents: number;
  epochs: number;
}

/**
 * Ties indexes to sequences: each entry is the event after the one before it, or a mark that says which event is next.
 */
export class EntryOrder {
  readonly counts: Counts = { events: 0, gaps: 0, missingEvents: 0, epochs: 0 };
  feed: string | undefined;
  #next: NextEvent;
  /** What was before the first entry is not known. */
  #beginsAnywhere = false;
  readonly origin: string;

  constructor(origin: string, next?: NextEvent) {
    this.origin = origin;
    this.#next = next;
  }

  get next(): NextEvent {
    return this.#next;
  }

  /** The entries before were pruned: the first one says itself where it stands. */
  beginAnywhere(): void {
    this.#beginsAnywhere = true;
  }

  /** Undefined where the entry is the one that follows. */
  take(entry: Buffer): Disorder | undefined {
    if (this.#next !== undefined && isEvent(entry, this.#next)) return this.#count(this.#next);
    const found = contentOf(entry);
    if (this.#next === undefined && this.#beginsAnywhere) this.#beginAt(found);
    const expected = ofKnownEpoch(this.#next, found);
    if (found.kind === "mark" && this.#isInOrder(found.mark)) return this.#follow(found.mark);
    if (found.kind === "event" && expected !== undefined && isSame(found.place, expected))
      return this.#count(expected);
    return { expected, found };
  }

  #beginAt(found: EntryContent): void {
    this.#beginsAnywhere = false;
    if (found.kind === "unknown") return;
    if (found.kind === "event") this.#next = found.place;
    else if (found.mark.type === "changefeed.audit.gap")
      this.#next = { epoch: UNKNOWN_EPOCH, sequence: found.mark.fromSeq };
    else this.#next = { epoch: found.mark.epoch, sequence: 0 };
    if (found.kind === "event" || found.mark.type === "changefeed.audit.gap") this.counts.epochs++;
  }

  #count({ epoch, sequence }: Cursor): undefined {
    this.counts.firstSeq ??= sequence;
    this.counts.events++;
    this.#next = { epoch, sequence: sequence + 1 };
  }

  #isInOrder(mark: AuditMark): boolean {
    const next = this.#next;
    if (mark.type === "changefeed.audit.genesis") return next === undefined && mark.origin === this.origin;
    if (mark.type === "changefeed.audit.epoch") return next !== undefined;
    return mark.fromSeq === next?.sequence && mark.nextSeq > mark.fromSeq;
  }

  #follow(mark: AuditMark): undefined {
    if (mark.type === "changefeed.audit.gap") {
      this.counts.gaps++;
      this.counts.missingEvents += mark.nextSeq - mark.fromSeq;
      this.#next = { epoch: this.#next?.epoch ?? UNKNOWN_EPOCH, sequence: mark.nextSeq };
      return;
    }
    this.counts.epochs++;
    if (mark.type === "changefeed.audit.genesis") this.feed = mark.feed;
    const sequence = mark.type === "changefeed.audit.genesis" ? mark.firstSeq : mark.nextSeq;
    this.#next = { epoch: mark.epoch, sequence };
  }
}

/** A gap does not say of which epoch it is. */
const UNKNOWN_EPOCH = "";

/** Behind a gap that is the first entry, the event says it. */
function ofKnownEpoch(next: NextEvent, found: EntryContent): NextEvent {
  if (next?.epoch !== UNKNOWN_EPOCH || found.kind !== "event") return next;
  return { ...next, epoch: found.place.epoch };
}

function isSame(one: Cursor, other: Cursor): boolean {
  return one.epoch === other.epoch && one.sequence === other.sequence;
}

/** Whether it is this event, for certain: without reading all of it. */
function isEvent(entry: Buffer, place: Cursor): boolean {
  const at = entry.indexOf(SEQUENCE);
  const member = entry.indexOf(OBJECT_START, 1);
  // What was found may lie within a member.
  if (at < 0 || (member >= 0 && member < at)) return false;
  const text = `${SEQUENCE}${String(place.sequence).padStart(16, "0")}","cursor":"${formatCursor(place)}"`;
  return entry.toString("latin1", at, at + text.length) === text;
}

const eventSchema = z.object({ cursor: z.string(), subject: z.string().optional() });

/** By reading it in full. */
export function contentOf(entry: Buffer): EntryContent {
  const value = parsedEntry(entry);
  const event = eventSchema.safeParse(value);
  const place = event.success ? parseCursor(event.data.cursor) : undefined;
  if (place !== undefined) return { kind: "event", place, subject: event.data?.subject };
  const mark = auditMarkSchema.safeParse(value);
  return mark.success ? { kind: "mark", mark: mark.data } : { kind: "unknown" };
}

/** Undefined where it is no JSON. */
export function parsedEntry(entry: Buffer): unknown {
  try {
    return JSON.parse(entry.toString("utf8"));
  } catch {
    return undefined;
  }
}
