import type { ConsistentRead, FeedLog, StateEntry, StateFilter, StatePart } from "../feed/log.ts";
import type { Cursor } from "../schemas/cursor.ts";
import type { LogEntry } from "../schemas/draft.ts";
import { subjectOf, type ObjectRef } from "../schemas/resources.ts";
import { compareBytes } from "../shared/compare-bytes.ts";
import type { Baselines } from "./baselines.ts";
import { byPart, FirstEvents, inOrder } from "./first-events.ts";
import { assertTold } from "./moment.ts";
import { beforeEvent } from "./undo.ts";

/** Events that are read at once, to be undone. */
const BATCH_EVENTS = 25;
/** Keys that are held at once, as long as they are of several parts: some 15 MB. */
const MAX_KEYS = 100_000;

interface PastReadParts {
  readonly log: FeedLog;
  readonly baselines: Baselines;
  /** Of the present; disposed of with the read. */
  readonly present: ConsistentRead;
  /** Of the past, in the same epoch. */
  readonly cursor: Cursor;
  readonly maxKeys?: number;
}

/** An object whose place in the answer has come: as it is, or to be undone from its first event. */
type Place =
  | { readonly ref: ObjectRef; readonly entry: StateEntry; readonly first?: undefined }
  | { readonly ref: ObjectRef; readonly first: number; readonly entry?: undefined };

/**
 * The objects as they were at an earlier cursor: those of the present read, but for each object with an event between
 * the two cursors what was before its first one. Events after the present read count for nothing. What an object's
 * scope was not yet read for is not known, and left out. Holds the names of the changed objects of one part (resource
 * and namespace), and of others as long as there are few.
 */
export class PastRead implements ConsistentRead {
  readonly cursor: Cursor;
  readonly #parts: PastReadParts;

  constructor(parts: PastReadParts) {
    this.#parts = parts;
    this.cursor = parts.cursor;
  }

  /** @throws StateExpired where retention has removed an event that was needed */
  async *entries(filter: StateFilter = {}): AsyncGenerator<StateEntry[]> {
    const { present, baselines } = this.#parts;
    yield* baselines.find(this.cursor, present.cursor.sequence);
    let places: Place[] = [];
    for await (const place of this.#inOrder(filter)) {
      if (place !== undefined) places.push(place);
      if (place !== undefined && places.length < BATCH_EVENTS) continue;
      yield await this.#asTheyWere(places);
      places = [];
    }
    yield await this.#asTheyWere(places);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#parts.present[Symbol.asyncDispose]();
  }

  /** The objects of the present and those with an event since, each once; undefined after steps that found none. */
  async *#inOrder(filter: StateFilter): AsyncGenerator<Place | undefined, void, void> {
    const changed = this.#changed(filter);
    let next = await changed.next();
    for await (const entries of this.#parts.present.entries(filter)) {
      for (let entry = entries.shift(); entry !== undefined; entry = entries.shift()) {
        for (; next.done !== true && comesBefore(next.value, entry); next = await changed.next())
          yield next.value;
        const isChanged =
          next.done !== true && next.value !== undefined && byPlace(next.value.ref, entry.ref) === 0;
        if (!isChanged) yield { ref: entry.ref, entry };
      }
      yield undefined;
    }
    for (; next.done !== true; next = await changed.next()) yield next.value;
  }

  /** The objects with an event between the two cursors, in order; undefined between steps that find none. */
  async *#changed(filter: StateFilter): AsyncGenerator<Place | undefined, void, void> {
    const found = new FirstEvents(this.#parts.maxKeys ?? MAX_KEYS);
    yield* this.#find(filter, found);
    for (const part of found.parts) {
      const { resource, namespace } = part;
      let { keys } = part;
      if (keys === undefined) {
        const again = new FirstEvents(Number.POSITIVE_INFINITY);
        yield* this.#find({ resource, namespace }, again);
        keys = again.parts[0]?.keys ?? new Map<string, number>();
      }
      part.keys = undefined;
      const sorting = inOrder(keys);
      let sorted = sorting.next();
      for (; sorted.done !== true; sorted = sorting.next()) yield undefined;
      for (const key of sorted.value) {
        const first = keys.get(key);
        if (first !== undefined) yield { ref: { resource, namespace, key }, first };
      }
    }
  }

  /** By the index of the log. */
  async *#find({ includes, ...wanted }: StateFilter, found: FirstEvents): AsyncGenerator<undefined> {
    const { log, present } = this.#parts;
    const range = { after: this.cursor.sequence, before: present.cursor.sequence + 1 };
    if (range.before - range.after > 1) {
      const asked = new Map<string, boolean>();
      const isWanted = ({ resource, namespace }: StatePart): boolean => {
        const name = `${resource}/${namespace}`;
        const known = asked.get(name) ?? includes?.({ resource, namespace }) ?? true;
        asked.set(name, known);
        return known;
      };
      for await (const changes of log.firstChanges({ ...wanted, ...range })) {
        for (const change of changes) if (isWanted(change)) found.note(change);
        yield undefined;
      }
    }
    // What was removed meanwhile might have been some object's first event.
    await assertTold(log, this.cursor);
  }

  async #asTheyWere(places: readonly Place[]): Promise<StateEntry[]> {
    const known = places.filter((place) => this.#wasKnown(place));
    const events = await this.#changesFrom(known.flatMap(({ first }) => first ?? []));
    const entries = await Promise.all(
      known.map(async ({ ref, entry, first }) => entry ?? this.#beforeFirst(ref, events.get(first))),
    );
    return entries.filter((entry) => entry !== undefined);
  }

  /** Whether its scope had been read by then, or an event tells of it before that. */
  #wasKnown({ ref, first = Number.POSITIVE_INFINITY }: Place): boolean {
    const mark = this.#parts.baselines.markOf(ref);
    return mark <= this.cursor.sequence || mark > first;
  }

  async #beforeFirst(ref: ObjectRef, event: LogEntry | undefined): Promise<StateEntry | undefined> {
    if (event === undefined)
      throw new RangeError(`The log does not have the event that its index names of ${subjectOf(ref)}`);
    return beforeEvent(ref, event, async (sequence) => {
      const data = await this.#parts.log.overflow(sequence);
      // It is there for every event that needs it, unless retention has just taken both.
      if (data === undefined) await assertTold(this.#parts.log, this.cursor);
      return data;
    });
  }

  /**
   * Of each sequence the first event from there on that tells what was before it: versions that no poll saw do not, and
   * stand right before the one of their object that does.
   */
  async #changesFrom(sequences: readonly number[]): Promise<Map<number | undefined, LogEntry>> {
    const events = await this.#eventsAt(sequences);
    const passing = [...events].filter(([, { op }]) => op === "version");
    if (passing.length === 0) return events;
    const next = await this.#changesFrom(passing.map(([, { sequence }]) => sequence + 1));
    for (const [asked, { sequence }] of passing) {
      const change = next.get(sequence + 1);
      if (change !== undefined) events.set(asked, change);
    }
    return events;
  }

  async #eventsAt(sequences: readonly number[]): Promise<Map<number | undefined, LogEntry>> {
    if (sequences.length === 0) return new Map();
    const events = await this.#parts.log.eventsAt(sequences);
    // What retention has just taken is missing, and in another epoch other events have these sequences.
    await assertTold(this.#parts.log, this.cursor);
    return new Map(events.map((event) => [event.sequence, event]));
  }
}

function comesBefore(place: Place | undefined, entry: StateEntry): boolean {
  return place === undefined || byPlace(place.ref, entry.ref) < 0;
}

function byPlace(a: ObjectRef, b: ObjectRef): number {
  return byPart(a, b) || compareBytes(a.key, b.key);
}
