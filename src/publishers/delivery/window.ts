import type { Outgoing } from "./destination.ts";
import { Line } from "./line.ts";
import type { Place } from "./position.ts";

/** An event on its way, from when it was read until it is dealt with. */
export interface Pending {
  readonly event: Outgoing;
  readonly bytes: number;
  /** Where the delivery stands while this is the oldest event that is not dealt with. */
  readonly before: Place;
  /** When it was recorded, ms since 1970; null where that is not known. */
  readonly recordedMs: number | null;
  /** On the clock that nobody sets. */
  readonly pickedAtMs: number;
  attempts: number;
  /** How often it alone was put back, while its destination took others. */
  putOff: number;
}

interface Entry extends Pending {
  readonly lane: Lane;
  readonly order: number;
  isDone: boolean;
}

/** The events of one subject, in order. */
interface Lane {
  readonly subject: string;
  waiting: Entry[];
  isBusy: boolean;
  notBeforeMs: number;
}

/** A batch, in the order of the log. Its events are the window's: give them back as they are. */
export type Taken = readonly Pending[];

/**
 * The events that were read and are not dealt with yet. Of one subject, those of one batch at most are out at a time; a
 * subject that waits holds up no other. Whoever waited longest comes first.
 */
export class Window {
  readonly #isStrict: boolean;
  /** In order of the log; the first is not done, unless there is none. */
  readonly #entries = new Line<Entry>();
  readonly #lanes = new Map<string, Lane>();
  /** Lanes that are not busy, each with events that wait. */
  readonly #ready = new Line<Lane>();
  #end: Place;
  #bytes = 0;
  #waiting = { events: 0, bytes: 0 };
  #count = 0;

  /** `end`: up to where was read. `isStrict`: all events are of one subject. */
  constructor(end: Place, isStrict: boolean) {
    this.#end = end;
    this.#isStrict = isStrict;
  }

  /** Everything up to there is dealt with. */
  get place(): Place {
    return this.oldest?.before ?? this.#end;
  }

  get oldest(): Pending | undefined {
    return this.#entries.first;
  }

  /** Events from the oldest one that is not dealt with to the newest. */
  get events(): number {
    return this.#entries.length;
  }

  /** Their bytes. */
  get bytes(): number {
    return this.#bytes;
  }

  /** What is not out. */
  get waiting(): { readonly events: number; readonly bytes: number } {
    return this.#waiting;
  }

  add(event: Omit<Pending, "attempts" | "putOff">): void {
    const lane = this.#laneOf(event.event.subject);
    const entry: Entry = { ...event, attempts: 0, putOff: 0, lane, order: this.#count, isDone: false };
    this.#count += 1;
    this.#entries.add(entry);
    this.#bytes += entry.bytes;
    lane.waiting.push(entry);
    this.#account(entry, 1);
    if (!lane.isBusy && lane.waiting.length === 1) this.#ready.add(lane);
  }

  /** Everything up to there was read. */
  reached(end: Place): void {
    this.#end = end;
  }

  /** When the next of those that wait may go: ms on the clock that nobody sets; undefined where none waits. */
  nextAtMs(): number | undefined {
    let next: number | undefined;
    for (const { notBeforeMs } of this.#ready) {
      if (next === undefined || notBeforeMs < next) next = notBeforeMs;
      if (next === 0) break;
    }
    return next;
  }

  /** When the first of those that wait was read. */
  waitingSinceMs(): number | undefined {
    return this.#ready.first?.waiting[0]?.pickedAtMs;
  }

  /** The next batch, empty where nothing may go. Its subjects are busy until all of it is given back. */
  take(limits: { readonly maxEvents: number; readonly maxBytes: number }, nowMs: number): Taken {
    if (limits.maxEvents === 1) return this.#takeOne(nowMs);
    const batch: Entry[] = [];
    const lanes: Lane[] = [];
    const full = { ...limits, bytes: 0 };
    for (const lane of this.#ready) {
      if (lane.notBeforeMs > nowMs) continue;
      const count = fitting(lane.waiting, batch.length, full);
      if (count === 0) break;
      const taken = lane.waiting.splice(0, count);
      for (const entry of taken) this.#account(entry, -1);
      batch.push(...taken);
      lanes.push(lane);
      if (batch.length >= limits.maxEvents) break;
    }
    for (const lane of lanes) this.#occupy(lane);
    return batch.length > 1 ? batch.toSorted((a, b) => a.order - b.order) : batch;
  }

  /** With little work, as it is done for each event: mostly it is that of the first lane. */
  #takeOne(nowMs: number): Taken {
    for (let place = 0; place < this.#ready.length; place += 1) {
      const lane = this.#ready.at(place) as Lane;
      const entry = lane.notBeforeMs > nowMs ? undefined : lane.waiting.shift();
      if (entry === undefined) continue;
      this.#account(entry, -1);
      this.#occupy(lane);
      return [entry];
    }
    return [];
  }

  /** They are dealt with. */
  settle(events: Taken): void {
    for (const entry of events as readonly Entry[]) entry.isDone = true;
    for (let entry = this.#entries.first; entry?.isDone === true; entry = this.#entries.first) {
      this.#bytes -= entry.bytes;
      this.#entries.removeFirst();
    }
  }

  /** They go again, before the others of their subjects, and not before `notBeforeMs`. */
  putBack(events: Taken, notBeforeMs = 0): void {
    for (const [lane, own] of Map.groupBy(events as readonly Entry[], ({ lane: of }) => of)) {
      lane.waiting = [...own, ...lane.waiting].toSorted((a, b) => a.order - b.order);
      lane.notBeforeMs = Math.max(lane.notBeforeMs, notBeforeMs);
      for (const entry of own) this.#account(entry, 1);
    }
  }

  /** Nothing of this batch is out any more: the others of its subjects may go. */
  release(batch: Taken): void {
    for (const { lane } of batch as readonly Entry[]) {
      if (!lane.isBusy) continue;
      lane.isBusy = false;
      if (lane.waiting.length > 0) this.#ready.add(lane);
      else this.#lanes.delete(lane.subject);
    }
  }

  /** What was put off for a while need not wait any longer. */
  waitNoLonger(): void {
    for (const lane of this.#ready) lane.notBeforeMs = 0;
  }

  #occupy(lane: Lane): void {
    lane.isBusy = true;
    lane.notBeforeMs = 0;
    this.#ready.remove(lane);
  }

  #laneOf(subject: string): Lane {
    const name = this.#isStrict ? "" : subject;
    let lane = this.#lanes.get(name);
    if (lane === undefined) {
      lane = { subject: name, waiting: [], isBusy: false, notBeforeMs: 0 };
      this.#lanes.set(name, lane);
    }
    return lane;
  }

  #account({ bytes }: Entry, sign: 1 | -1): void {
    this.#waiting.events += sign;
    this.#waiting.bytes += sign * bytes;
  }
}

/** How many of them go into a batch that has so much already; counts their bytes. */
function fitting(
  waiting: readonly Entry[],
  events: number,
  full: { readonly maxEvents: number; readonly maxBytes: number; bytes: number },
): number {
  let count = 0;
  for (const { bytes } of waiting) {
    const isFirst = events + count === 0;
    if (events + count >= full.maxEvents || (!isFirst && full.bytes + bytes > full.maxBytes)) break;
    full.bytes += bytes;
    count += 1;
  }
  return count;
}
