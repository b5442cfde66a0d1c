import type { Consistency, ListRequest, ListResponse } from "../../nomad/api.ts";
import type { JsonObject } from "../../schemas/json.ts";
import { subjectOf, type ObjectRef } from "../../schemas/resources.ts";
import type { Hint } from "./hint.ts";
import { updatedAllocation } from "./updated-allocation.ts";

/** Reads of one scope under way at once. */
const READS_AT_ONCE = 8;
/** Beyond so many stubs that nobody took yet no more are read. */
const MOST_UNTAKEN = 512;
/** How long a read may wait for the write that its hint tells of: events come before their commit. */
const WAIT_MS = 2_000;
/** The same where what was written may not concern the object at all. */
const WAIT_FOR_RELATED_MS = 100;
/** Stubs made of events between two turns of the event loop. */
const UPDATES_AT_ONCE = 32;
/** Events kept to make stubs of; beyond that their objects are read. */
const MOST_UPDATES = 1_024;

/** What was read of one object. */
export interface ReadStub {
  readonly ref: ObjectRef;
  /** A list with the object, with others whose keys begin with its key, or without it; where it `isMade`, its stub. */
  readonly body: Buffer;
  readonly isMade: boolean;
  /** Index of the table at which that is true. */
  readonly index: bigint;
  /** Index of the one event of the object that was heard since it was last known; null where there were several. */
  readonly soleEvent: bigint | null;
  /** From when it was asked for to its whole body, ms; 0 where the event brought it. */
  readonly readMs: number;
}

export interface StubReaderParts {
  /** The stub of an object as it was last known; undefined where there is none. */
  readonly known: (ref: ObjectRef) => JsonObject | undefined;
  readonly list: (request: ListRequest) => Promise<ListResponse>;
  readonly consistency: Consistency;
  /** Something was read. */
  readonly onRead: () => void;
  /** The write that a hint told of was not to be seen in time, or what it named could not be read. */
  readonly onFailed: (hint: Hint, error?: unknown) => void;
}

/** An object that its client has written, and how it is since. */
interface Update {
  readonly subject: string;
  readonly hint: Hint;
  readonly object: JsonObject;
}

/** What was heard of an object since it was last known. */
interface Heard {
  /** The last. */
  readonly hint: Hint;
  /** Events of the object itself, and the index of the last. */
  readonly own: number;
  readonly ownIndex: bigint;
  /** The lowest index of all that was heard: what another event led to may have changed the object then. */
  readonly firstIndex: bigint;
}

/**
 * Reads the objects that hints name, each by itself: its stub from the list endpoint, by exact prefix, blocking on the
 * hint's index so that it cannot be older. One read an object at a time; hints that come meanwhile make one more.
 */
export class StubReader {
  readonly #parts: StubReaderParts;
  /** To be read, the longest awaited first. */
  readonly #waiting = new Map<string, Heard>();
  readonly #reading = new Set<string>();
  /** Could not be read: a list is to tell, or they are tried again after it. */
  readonly #unread = new Map<string, Heard>();
  /** Were read before the table had got to the hint's index, where what was written then may concern them. */
  readonly #early = new Map<string, Heard>();
  /** In the order of the events. No read of their objects is due or under way. */
  #updates: Update[] = [];
  #read: ReadStub[] = [];
  /** How often all was forgotten. */
  #cleared = 0;

  constructor(parts: StubReaderParts) {
    this.#parts = parts;
  }

  /** Objects named that were not read yet. */
  get behind(): number {
    return this.#waiting.size + this.#reading.size;
  }

  /** Hints and what was read of them that nobody took yet. */
  get kept(): number {
    const unread = this.#waiting.size + this.#unread.size + this.#early.size;
    return unread + this.#updates.length + this.#read.length;
  }

  add({ update, ...hint }: Hint, signal: AbortSignal): void {
    const { payload, index } = hint;
    const subject = subjectOf(hint);
    if (payload !== undefined) this.#keep(hint, { body: asList(payload), isMade: false });
    else if (update !== undefined && this.#updates.length < MOST_UPDATES && !this.#isToBeRead(subject)) {
      this.#updates.push({ subject, hint, object: update });
      this.#parts.onRead();
    } else {
      const own = isOwn(hint);
      const others = this.#leaveUpdates(subject);
      this.#wait(subject, {
        hint,
        own: others + (own ? 1 : 0),
        ownIndex: own ? index : 0n,
        firstIndex: index,
      });
      this.#startReads(signal);
    }
  }

  #isToBeRead(subject: string): boolean {
    return [this.#waiting, this.#reading, this.#unread, this.#early].some((some) => some.has(subject));
  }

  /** What is read holds them too. Answers how many there were. */
  #leaveUpdates(subject: string): number {
    const others = this.#updates.filter((update) => update.subject !== subject);
    const left = this.#updates.length - others.length;
    if (left > 0) this.#updates = others;
    return left;
  }

  /** Some of them, and until something comes of one. */
  #applyUpdates(): void {
    while (this.#updates.length > 0 && this.#read.length === 0)
      for (const update of this.#updates.splice(0, UPDATES_AT_ONCE)) this.#apply(update);
  }

  #apply({ subject, hint, object }: Update): void {
    const known = this.#isToBeRead(subject) ? undefined : this.#parts.known(refOf(hint));
    const stub = known && updatedAllocation(known, object);
    const { index } = hint;
    if (stub === undefined) this.#wait(subject, { hint, own: 1, ownIndex: index, firstIndex: index });
    else this.#keep(hint, { body: stub, isMade: true });
  }

  #keep(hint: Hint, what: Pick<ReadStub, "body" | "isMade">): void {
    const { index } = hint;
    this.#read.push({ ref: refOf(hint), ...what, index, soleEvent: index, readMs: 0 });
    this.#parts.onRead();
  }

  /** The table has got to this index: what was read too early is read again. */
  reached(index: bigint, signal: AbortSignal): void {
    for (const [subject, heard] of this.#early) {
      if (heard.hint.index > index) continue;
      this.#early.delete(subject);
      this.#wait(subject, heard);
    }
    this.#startReads(signal);
  }

  /** What was read since it was last asked for. */
  take(signal: AbortSignal): readonly ReadStub[] {
    this.#applyUpdates();
    const read = this.#read;
    this.#read = [];
    this.#startReads(signal);
    return read;
  }

  /** A whole list at this index makes reading what was written before needless. */
  forget(index: bigint): void {
    for (const [subject, heard] of this.#unread) this.#wait(subject, heard);
    this.#unread.clear();
    for (const kept of [this.#waiting, this.#early]) {
      for (const [subject, { hint }] of kept) if (hint.index <= index) kept.delete(subject);
    }
    this.#updates = this.#updates.filter(({ hint }) => hint.index > index);
    this.#read = this.#read.filter((read) => read.index > index);
  }

  clear(): void {
    this.#cleared++;
    this.#waiting.clear();
    this.#unread.clear();
    this.#early.clear();
    this.#updates = [];
    this.#read = [];
  }

  /** Joins what else was heard of the object and is not read yet. */
  #wait(subject: string, heard: Heard): void {
    const other = this.#waiting.get(subject) ?? this.#unread.get(subject);
    this.#unread.delete(subject);
    this.#waiting.set(subject, other === undefined ? heard : joined(other, heard));
  }

  #startReads(signal: AbortSignal): void {
    if (signal.aborted) return;
    for (const [subject, heard] of this.#waiting) {
      if (this.#reading.size >= READS_AT_ONCE || this.#read.length >= MOST_UNTAKEN) return;
      if (this.#reading.has(subject)) continue;
      this.#waiting.delete(subject);
      void this.#readOne(subject, heard, signal);
    }
  }

  async #readOne(subject: string, heard: Heard, signal: AbortSignal): Promise<void> {
    this.#reading.add(subject);
    const { hint } = heard;
    const cleared = this.#cleared;
    try {
      const response = await this.#parts.list(this.#request(hint, signal));
      signal.throwIfAborted();
      this.#took(heard, response);
    } catch (error) {
      if (cleared !== this.#cleared) return;
      if (signal.aborted) this.#wait(subject, heard);
      else {
        this.#unread.set(subject, heard);
        this.#parts.onFailed(hint, error);
      }
    } finally {
      this.#reading.delete(subject);
      if (!signal.aborted) this.#startReads(signal);
    }
  }

  #request(hint: Hint, signal: AbortSignal): ListRequest {
    const { resource, namespace, key, index } = hint;
    return {
      resource,
      namespace,
      // Keys are sorted: the object itself comes first, if it is there.
      prefix: key,
      perPage: 1,
      // Nomad blocks while its index is not above this one.
      index: String(index - 1n),
      waitMs: isOwn(hint) ? WAIT_MS : WAIT_FOR_RELATED_MS,
      consistency: this.#parts.consistency,
      signal,
    };
  }

  #took(heard: Heard, { body, elapsedMs, ...response }: ListResponse): void {
    const { hint, own, ownIndex, firstIndex } = heard;
    const index = BigInt(response.index);
    const subject = subjectOf(hint);
    this.#early.delete(subject);
    if (index < hint.index) {
      if (isOwn(hint)) this.#parts.onFailed(hint);
      else this.#early.set(subject, heard);
    }
    const again = this.#waiting.get(subject);
    const isSole = own === 1 && firstIndex === ownIndex && (again === undefined || again.hint.index > index);
    this.#read.push({
      ref: refOf(hint),
      body,
      isMade: false,
      index,
      soleEvent: isSole ? ownIndex : null,
      readMs: elapsedMs,
    });
    // What was heard of meanwhile is in it already.
    if (again !== undefined && again.hint.index <= index) this.#waiting.delete(subject);
    this.#parts.onRead();
  }
}

function joined(a: Heard, b: Heard): Heard {
  const [first, last] = a.hint.index <= b.hint.index ? [a, b] : [b, a];
  // Of one entry, the event of the object itself says more.
  const isSame = first.hint.index === last.hint.index;
  const hint = isSame && isOwn(first.hint) ? first.hint : last.hint;
  const ownIndex = a.ownIndex > b.ownIndex ? a.ownIndex : b.ownIndex;
  const firstIndex = a.firstIndex < b.firstIndex ? a.firstIndex : b.firstIndex;
  return { hint, own: a.own + b.own, ownIndex, firstIndex };
}

/** Whether the event was of the object itself, and not of one that its stub sums up. */
function isOwn({ resource, cause }: Hint): boolean {
  return resource !== "jobs" || cause === "Job";
}

function refOf({ resource, namespace, key }: Hint): ObjectRef {
  return { resource, namespace, key };
}

function asList(payload: Buffer): Buffer {
  return Buffer.concat([Buffer.from("["), payload, Buffer.from("]")]);
}
