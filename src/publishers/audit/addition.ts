import { AUDIT_FORMAT, type AuditMark } from "../../schemas/audit.ts";
import { formatCursor, parseCursor, type Cursor } from "../../schemas/cursor.ts";
import { LEAST_BEFORE } from "../../schemas/envelope-schema.ts";
import { frameSchema, type GapData } from "../../schemas/frames-schema.ts";
import type { Outgoing } from "../delivery/destination.ts";
import { entryOf, type DetachedObject } from "./entry.ts";
import { TrailBehind } from "./errors.ts";

/** What stands before the cursor in an event's envelope. */
const CURSOR = '"cursor":"';

/** Which event a trail goes on with. */
export interface TrailEnd {
  readonly epoch: string;
  readonly nextSeq: number;
}

/** What a trail calls itself and its feed, in its first entry. */
export interface TrailNames {
  /** CloudEvents source of the feed. */
  readonly feed: string;
  readonly origin: string;
  /** The destination's, for what people have to do. */
  readonly name: string;
}

/**
 * What a batch adds to a trail that ends somewhere. An event that is there already adds nothing; a notice that events
 * are gone adds a mark; what has no place in the log, as a test, adds nothing.
 */
export class Addition {
  readonly entries: string[] = [];
  readonly objects: DetachedObject[] = [];
  readonly #names: TrailNames;
  #end: TrailEnd | undefined;

  /** `end`: undefined where the trail is empty. */
  constructor(end: TrailEnd | undefined, names: TrailNames) {
    this.#end = end;
    this.#names = names;
  }

  /** Of the trail with all this. */
  get end(): TrailEnd | undefined {
    return this.#end;
  }

  /** @throws TrailBehind, EntryTooLarge */
  add(event: Outgoing): void {
    if (event.cursor !== null) this.#addEvent(this.#placeOf(event), event);
    else if (event.type === "nomad.feed.gap") this.#addGap(gapOf(event));
  }

  #addEvent({ epoch, sequence }: Cursor, event: Outgoing): void {
    const end = this.#end;
    if (end === undefined) this.#begin(epoch, sequence);
    else if (epoch !== end.epoch) this.#mark({ type: "changefeed.audit.epoch", epoch, nextSeq: sequence });
    else if (sequence < end.nextSeq) return;
    else if (sequence > end.nextSeq) throw this.#behind(end, event);
    const { text, object } = entryOf(event);
    this.entries.push(text);
    if (object !== undefined) this.objects.push(object);
    this.#end = { epoch, nextSeq: sequence + 1 };
  }

  /** Where the event itself says that it stands: what was recorded before a new epoch is still of the old one. */
  #placeOf(event: Outgoing): Cursor {
    const { id, json } = event;
    const at = cursorIn(event) + CURSOR.length;
    // Which is most often right behind the last one, and then need not be read.
    const next = this.#end && { epoch: this.#end.epoch, sequence: this.#end.nextSeq };
    if (next !== undefined && json.startsWith(`${formatCursor(next)}"`, at)) return next;
    const place = at < CURSOR.length ? undefined : parseCursor(json.slice(at, json.indexOf('"', at)));
    if (place === undefined) throw new Error(`the event ${id} does not say where it stands in the log`);
    return place;
  }

  #behind({ epoch, nextSeq }: TrailEnd, { cursor }: Outgoing): TrailBehind {
    const last = formatCursor({ epoch, sequence: nextSeq - 1 });
    return new TrailBehind(last, String(cursor), this.#names.name);
  }

  #begin(epoch: string, firstSeq: number): void {
    const { feed, origin } = this.#names;
    this.#mark({ type: "changefeed.audit.genesis", feed, epoch, firstSeq, origin, format: AUDIT_FORMAT });
  }

  /**
   * An empty trail begins with the event that comes, and so does a new epoch: the log may still hold events that it had
   * before, which keep their cursors.
   */
  #addGap(gap: Gap): void {
    const end = this.#end;
    if (end === undefined) return;
    const { epoch } = end;
    const nextSeq = gap.behind.sequence + 1;
    if (isRewound(gap, end)) this.#mark({ type: "changefeed.audit.epoch", epoch, nextSeq });
    else if (nextSeq > end.nextSeq)
      this.#mark({
        type: "changefeed.audit.gap",
        fromSeq: end.nextSeq,
        nextSeq,
        reason: REASONS[gap.reason],
      });
    else return;
    this.#end = { epoch, nextSeq };
  }

  #mark(mark: AuditMark): void {
    this.entries.push(JSON.stringify(mark));
  }
}

const REASONS = {
  expired: "expired: retention removed them from the log before they were entered here",
  missing: "missing: another program removed them from the log",
  "epoch-changed": "epoch-changed: the log began a new history and does not hold them",
} as const satisfies Record<GapData["reason"], string>;

/** What stands before it need not be searched; the partition key is the subject again. */
function cursorIn({ id, type, subject, json }: Outgoing): number {
  const at = json.indexOf(CURSOR, LEAST_BEFORE.cursor + id.length + type.length + 2 * subject.length);
  return at === -1 ? json.indexOf(CURSOR) : at;
}

interface Gap {
  readonly reason: GapData["reason"];
  readonly wanted: Cursor;
  readonly behind: Cursor;
}

/**
 * Whether the log was set back within one epoch, as when it was restored from a copy, and other events have the numbers
 * from there on. A notice that comes again finds the trail before what was wanted.
 */
function isRewound({ reason, wanted, behind }: Gap, { epoch, nextSeq }: TrailEnd): boolean {
  const isSameEpoch = reason === "epoch-changed" && wanted.epoch === epoch && behind.epoch === epoch;
  return isSameEpoch && behind.sequence + 1 < nextSeq && nextSeq > wanted.sequence;
}

function gapOf({ id, json }: Outgoing): Gap {
  const frame = frameSchema.parse(JSON.parse(json));
  const data = frame.type === "nomad.feed.gap" ? frame.data : undefined;
  const [wanted, behind] = [parseCursor(data?.wanted ?? ""), parseCursor(data?.cursor ?? "")];
  if (data === undefined || wanted === undefined || behind === undefined)
    throw new Error(`the notice ${id} does not say which events are gone`);
  return { reason: data.reason, wanted, behind };
}
