import type { Cursor } from "../schemas/cursor.ts";
import type { EventDraft, EventFacts, LogEntry, Op } from "../schemas/draft.ts";
import type { ObjectRef, ResourceType } from "../schemas/resources.ts";
import type { Scope } from "../schemas/scope.ts";
import type { Severity } from "../schemas/severity.ts";

/**
 * The log of one feed: events in one contiguous sequence, the objects' last known state, and each scope's
 * checkpoint, which change together or not at all.
 *
 * State is kept per object, a scope is a view of it: `jobs/*` sees what `jobs/default` wrote. Claiming a scope
 * therefore also takes it from the holders of every overlapping scope.
 *
 * Every implementation passes the suite in test/contract/feed-log.ts. Any method may reject with LogUnavailable, which
 * passes, and with LogUnusable, which does not; one that writes with LogFull, too. What else a method rejects with is
 * said there; all of it is in feed/errors.ts.
 */
export interface FeedLog {
  /** Where the feed begins and ends now. */
  head(): Promise<FeedHead>;

  /** Bytes of JSON that the log holds, overflow included: what retention by bytes goes by. */
  bytes(): Promise<number>;

  /**
   * Takes a scope for `owner` (a process-unique name, for people): a new fence, higher than any before; older
   * claims of this and of overlapping scopes are fenced off. A scope that was never polled, but whose objects
   * an overlapping scope covered, comes back as baselined.
   */
  claim(scope: Scope, owner: string): Promise<Claim>;

  /** The scope's objects, in batches, ordered by namespace, then key (bytewise). Consistent while claimed. */
  loadState(scope: Scope): AsyncIterable<StateEntry[]>;

  /**
   * Appends events, writes state, and (with `checkpoint`) moves the checkpoint, atomically and durably.
   * A repetition of the commit that set the scope's rev answers "duplicate" with the sequence range it had.
   * @throws Fenced when a newer claim exists; Conflict when the scope's rev is not `expectedRev`.
   */
  commit(commit: Commit): Promise<Committed>;

  /** Names the outage of Nomad that the feed told of and has not yet called over; null where there is none. */
  outage(): Promise<string | null>;

  /**
   * Appends the event with which an outage begins or ends, if the log's outage still is `from`: of several processes
   * one tells of it. Answers the event's sequence; undefined where another process was first.
   */
  tellOutage(change: OutageChange): Promise<number | undefined>;

  /**
   * Events after `cursor`, oldest first, at most `limit` and about `maxBytes` of JSON (at least one where there
   * is one). `{epoch, sequence: floor}` is the earliest cursor.
   * @throws CursorExpired, FutureCursor, EpochChanged; EventsMissing where there is a hole after the cursor.
   */
  read(cursor: Cursor, options: { limit: number; maxBytes?: number }): Promise<LogEntry[]>;

  /** The events with these sequences, as far as they are there, in any order. */
  eventsAt(sequences: readonly number[]): Promise<LogEntry[]>;

  /**
   * Resolves true once an event after `sequence` exists that was not handed over, false after `timeoutMs` or when
   * `signal` aborts.
   */
  waitBeyond(sequence: number, options: WaitOptions): Promise<boolean>;

  /** Events by object, job, namespace, signal and time, by index. */
  history(query: HistoryQuery): Promise<LogEntry[]>;

  /**
   * The same without a limit, in batches that may be empty: each costs about the same, whether much matches or
   * nothing does, so that a reader can make a pause after any.
   */
  scanHistory(query: HistoryScan): AsyncIterable<LogEntry[]>;

  /** Whether events are missing inside the log. Where they are what makes a log unusable, none are. */
  hasHoles(): Promise<boolean>;

  /**
   * Of each object with an event between two sequences the first of these events, in small batches of which some may be
   * empty, in no order; an object may come again, with a later one. Where an index tells all of it, no event is
   * read; in Redis those of the range are.
   */
  firstChanges(query: FirstChanges): AsyncIterable<FirstChange[]>;

  /** Counts changes of objects without looking at each. Absent where no index can tell. */
  readonly changeCounts?: ChangeCounts;

  /** Last sequence recorded before `time` (ms since 1970) as a cursor: where `since` starts. */
  cursorAt(timeMs: number): Promise<Cursor>;

  /** The `data` the size cap cut from the event with this sequence, or undefined. */
  overflow(sequence: number): Promise<string | undefined>;

  /** Current objects and the cursor at which they are true, as of one moment. Dispose it when done. */
  consistentRead(): Promise<ConsistentRead>;

  /** What the log's clock says (in Redis the server's, for all workers), and when its events were recorded. */
  times(): Promise<LogTimes>;

  /**
   * Drops the oldest events beyond the limits; state stays. Answers the new floor and how many went. Much to
   * drop takes time: once `signal` aborts, the rest is left for the next time.
   */
  trim(limits: TrimLimits, options?: { signal?: AbortSignal }): Promise<{ floor: number; removed: number }>;

  /** Durable named consumers: where each has got to. */
  consumers: ConsumerStore;

  /** Events that a consumer could not deliver and went on without: its dead letters. */
  deadLetters: DeadLetterStore;

  /** Small named texts that outlive a process, each with one holder. */
  documents: DocumentStore;

  /** Every scope that was ever claimed, for health and `doctor`. */
  scopes(): Promise<ScopeStatus[]>;

  /** Resource and namespace of all objects in the state, each pair once, in order. */
  filled(): Promise<Scope[]>;

  /** What `knownEmptyScopes` of a commit do, where there is nothing else to commit. */
  beginEmpty(scopes: readonly Scope[]): Promise<void>;

  [Symbol.asyncDispose](): Promise<void>;
}

export interface WaitOptions {
  readonly timeoutMs: number;
  readonly signal?: AbortSignal;
  /**
   * Called with what a commit through this log appended right behind the sequence that is waited beyond, once it is
   * durable and before the commit is answered. True: it needs no reading, and the wait goes on behind it. A log need
   * not call it: what is not handed over is read.
   */
  readonly take?: (appended: Appended) => boolean;
}

/** The events that a commit appended, at least one, in order and without gaps. */
export interface Appended {
  /** The cursor before the first. */
  readonly after: Cursor;
  readonly entries: readonly LogEntry[];
  /** Bytes of the JSON of each, in UTF-8. */
  readonly sizes: readonly number[];
}

export interface FeedHead {
  readonly epoch: string;
  /** Sequence of the newest event; 0 in a new feed. */
  readonly sequence: number;
  /** Sequence of the newest event that retention removed; cursors below it have expired. 0 when none was. */
  readonly floor: number;
  /** Generation of Nomad's state: grows when Nomad was restored from a snapshot. */
  readonly nomadEpoch: number;
}

export interface Checkpoint {
  /** Index of the last poll that was committed whole, in decimal. */
  readonly index: string;
  readonly nomadEpoch: number;
  /** Objects in the scope. */
  readonly count: number;
  /** RFC 3339, when that poll was answered. */
  readonly observedAt: string;
}

/** What a scope's owner must not forget when it ends before its next checkpoint, or is followed by another. */
export interface ScopeNotes {
  /** A resync that began and has not ended, and the Nomad epoch it began. */
  readonly resync: { readonly reason: string; readonly nomadEpoch: number } | null;
  /** Namespaces whose objects are kept as they were, because the token may not see them. */
  readonly hiddenNamespaces: readonly string[];
  /** The trouble that the feed last spoke of and has not yet called over. */
  readonly trouble: "stale" | "access-lost" | "unsupported" | null;
  /** The trouble is told of, or about to be, for the feed as a whole: the scope wrote no event about it. */
  readonly covered?: boolean;
  /**
   * Namespaces in which objects of a former namespace of that name came back after the feed had told that they were
   * deleted, and the index at which the present one was created. A later delete of such an object is another event.
   */
  readonly reusedNamespaces?: readonly (readonly [namespace: string, createIndex: string])[];
  /** Highest index that single objects were read at, where it is above the checkpoint's, which is of the last list. */
  readonly seenIndex?: string;
}

export const NO_NOTES: ScopeNotes = { resync: null, hiddenNamespaces: [], trouble: null };

export interface Claim {
  readonly scope: Scope;
  readonly fence: number;
  /** Number of commits of the scope so far; the next commit names it. */
  readonly rev: number;
  /** Whether the scope's objects were ever read: if not, the first poll is the baseline. */
  readonly baselined: boolean;
  readonly checkpoint: Checkpoint | null;
  /** Whether the checkpoint was made under an overlapping scope, which may have seen less than this one. */
  readonly borrowed: boolean;
  readonly notes: ScopeNotes;
}

export interface StateEntry {
  readonly ref: ObjectRef;
  readonly rev: string;
  /** The stub's bytes as Nomad sent them. */
  readonly stub: Buffer;
}

export interface StateWrite {
  readonly ref: ObjectRef;
  /** Null removes the object. */
  readonly next: { readonly rev: string; readonly stub: Buffer } | null;
}

export interface Commit {
  readonly scope: Scope;
  readonly fence: number;
  readonly expectedRev: number;
  /** Names this commit; a retry carries the same. */
  readonly commitId: string;
  readonly events: readonly EventDraft[];
  readonly state: readonly StateWrite[];
  /** Present on the last chunk of a poll only. */
  readonly checkpoint?: Checkpoint;
  /** Replaces the scope's notes; absent: they stay. */
  readonly notes?: ScopeNotes;
  /**
   * Scopes that are known to have been empty at this point (their namespace was just created): their first
   * poll is a diff against nothing, not a baseline. Scopes already known are left alone.
   */
  readonly knownEmptyScopes?: readonly Scope[];
}

/** Null: no outage. */
export interface OutageChange {
  readonly from: string | null;
  readonly to: string | null;
  readonly event: EventDraft;
}

export interface Committed {
  readonly status: "committed" | "duplicate";
  /** Sequences of the first and last event; both 0 where the commit had none. */
  readonly first: number;
  readonly last: number;
  /** The scope's rev now. */
  readonly rev: number;
}

/**
 * All conditions hold together; an absent one allows everything. Bounds on time are of the recording: from
 * `sinceMs` on, and before `untilMs`.
 */
export interface HistoryQuery {
  readonly resource?: ResourceType;
  readonly key?: string;
  readonly namespace?: string;
  readonly job?: string;
  readonly node?: string;
  /** Null: control events. */
  readonly op?: Op | null;
  readonly signal?: string;
  readonly minSeverity?: Severity;
  readonly sinceMs?: number;
  readonly untilMs?: number;
  /** Only events after / before this sequence, for paging. */
  readonly after?: number;
  readonly before?: number;
  readonly order: "oldest-first" | "newest-first";
  readonly limit: number;
}

/** What a log knows of an event without reading it. */
export type HistoryFacts = Omit<EventFacts, "id" | "time"> & Pick<LogEntry, "sequence">;

export interface HistoryScan extends Omit<HistoryQuery, "limit"> {
  /**
   * Of control events: `too`, they match whatever is asked of objects, `none`, they do not. Absent: as any event, by
   * their scope. Severity and bounds hold for all.
   */
  readonly control?: "too" | "none";
  /**
   * Asked of each event that matches, by what an index knows of it before it is read, as far as that is so; in order, but
   * for control events beside others.
   */
  readonly includes?: (facts: HistoryFacts) => boolean;
}

/** All conditions hold together; an absent one allows everything. The bounds are exclusive. */
export interface FirstChanges extends Pick<HistoryQuery, "resource" | "namespace" | "key"> {
  readonly after: number;
  readonly before: number;
}

export interface FirstChange extends ObjectRef {
  readonly sequence: number;
}

/** Everything here comes in steps, each of which costs little and waits for nothing. */
export interface ChangeCounts {
  /** Resource and namespace of all changes that the log has, each pair once. */
  scopes(): AsyncIterable<Scope>;
  /** How many changes of a scope there are, of each kind; a step may have none. No event is read. */
  count(query: CountedChanges): AsyncIterable<ChangeCount[]>;
}

/** The bounds are exclusive. Of the namespace "*": of all namespaces together. */
export interface CountedChanges extends Scope {
  readonly after: number;
  readonly before: number;
}

/** So many changes; others of the same kind may be in another step. */
export interface ChangeCount {
  readonly op: Op;
  readonly severity: Severity;
  readonly count: number;
}

/** All conditions hold together; an absent one allows everything. */
export interface StateFilter {
  readonly resource?: ResourceType;
  readonly namespace?: string;
  readonly key?: string;
  /** Asked once for each resource and namespace, before any object of it is read. */
  readonly includes?: (part: StatePart) => boolean;
}

/** The objects of one resource in one namespace. */
export type StatePart = Pick<ObjectRef, "resource" | "namespace">;

export interface ConsistentRead extends AsyncDisposable {
  readonly cursor: Cursor;
  /** Those that match, in order of resource, namespace, key, in small batches, of which some may be empty. */
  entries(filter?: StateFilter): AsyncIterable<StateEntry[]>;
}

export interface LogTimes {
  /** Ms since 1970, as are the others. */
  readonly nowMs: number;
  /** Null where the log holds no event. */
  readonly oldestMs: number | null;
  readonly newestMs: number | null;
}

/** Whichever is exceeded first. Absent: no limit of that kind. */
export interface TrimLimits {
  readonly maxEvents?: number;
  readonly maxBytes?: number;
  /** What was recorded earlier goes, ms since 1970. */
  readonly recordedBeforeMs?: number;
  /** Events after this sequence stay, whatever the others say. */
  readonly keepAfter?: number;
}

export interface Consumer {
  readonly name: string;
  readonly cursor: Cursor;
  /** When its cursor or its error last changed. */
  readonly updatedAt: string;
  readonly lastError: string | null;
  /** Who made it, or was the first to use one that nobody owned; null: nobody yet. */
  readonly owner: string | null;
}

/** In whose name a consumer is made, moved or removed. */
export interface ConsumerActor {
  /** Null: nobody in particular; what they make has no owner. */
  readonly owner: string | null;
  /** Acts for every owner, and takes nothing from anybody. */
  readonly manages: boolean;
}

/** The feed itself, and whoever asks where nobody is asked who they are. */
export const FOR_ALL: ConsumerActor = { owner: null, manages: true };

export interface PutOptions {
  readonly lastError?: string;
  readonly rewind?: boolean;
  /** Default: FOR_ALL. */
  readonly by?: ConsumerActor;
  /** How many names there may be before a new one is refused. Absent: no limit of that kind. */
  readonly limits?: { readonly ofOwner?: number | undefined; readonly total?: number | undefined };
}

export interface ConsumerStore {
  get(name: string): Promise<Consumer | undefined>;
  list(): Promise<Consumer[]>;
  /**
   * Stores the cursor; never moves backwards unless `rewind`. A name that nobody owns becomes that of who stores it.
   * @throws ConsumerTaken, ConsumersFull
   */
  put(name: string, cursor: Cursor, options?: PutOptions): Promise<Consumer>;
  /** Its dead letters go with it. @throws ConsumerTaken */
  remove(name: string, by?: ConsumerActor): Promise<boolean>;
}

/** An event as its consumer parks it, whole: retention may take it from the log at any time. */
export interface Parked {
  /** The event's own place in the log. */
  readonly cursor: Cursor;
  readonly id: string;
  /** The event, the text that subscribers get. */
  readonly json: string;
  /** Why it could not be delivered, for people. */
  readonly reason: string;
  /** How often it was tried. */
  readonly attempts: number;
}

export interface DeadLetter extends Parked {
  /** RFC 3339. */
  readonly parkedAt: string;
}

/** A consumer with so many dead letters has a destination that is down, not some events that it cannot take. */
export const MAX_DEAD_LETTERS = 10_000;

/**
 * Dead letters, by consumer, in order of sequence. Retention does not touch them. A letter is named by its cursor:
 * after a change of the epoch the same sequence names another event.
 */
export interface DeadLetterStore {
  /**
   * Parks an event, in any order. One that is parked already stays as it is. Answers the letter as it is kept.
   * @throws DeadLettersFull where the consumer has as many others as it may.
   */
  put(consumer: string, letter: Parked): Promise<DeadLetter>;
  /** Those after the letter of `after`, which need not be there any more; at most `limit`. */
  list(consumer: string, options: { after?: Cursor; limit: number }): Promise<DeadLetter[]>;
  /** Answers how many of them were there. */
  remove(consumer: string, cursors: readonly Cursor[]): Promise<number>;
  count(consumer: string): Promise<number>;
}

export interface StoredDocument {
  readonly name: string;
  /** Who claimed it last: a process-unique name, for people. */
  readonly owner: string;
  /** Higher with each claim and each change, also of a document that was removed and is there again. */
  readonly fence: number;
  /** Null: claimed, and nothing saved yet. */
  readonly text: string | null;
  /** RFC 3339: when its text, its fence or its owner last changed. */
  readonly updatedAt: string;
}

/** Of a document's text, in UTF-8. */
export const MAX_DOCUMENT_BYTES = 1 << 20;

/**
 * Small named documents beside the log, of whom knows its fence: where a destination has got to, which alerts fire.
 * Retention does not touch them.
 */
export interface DocumentStore {
  get(name: string): Promise<StoredDocument | undefined>;
  /** Those whose names begin with `prefix`, in order of their names. */
  list(prefix: string): Promise<StoredDocument[]>;
  /** Takes it for `owner`; older holders may not save any more. Creates it where there is none. */
  claim(name: string, owner: string): Promise<StoredDocument>;
  /** @throws Fenced where its fence is another or it is gone; DocumentTooLarge */
  save(name: string, fence: number, text: string): Promise<void>;
  /**
   * Changes it for whoever steers: the fence rises, so that the owner takes notice, and the owner stays.
   * @throws Fenced where its fence is another or it is gone; DocumentTooLarge
   */
  change(name: string, fence: number, text: string): Promise<StoredDocument>;
  /** Answers whether it was there. */
  remove(name: string): Promise<boolean>;
}

export interface ScopeStatus {
  readonly scope: Scope;
  readonly fence: number;
  readonly owner: string;
  readonly rev: number;
  readonly baselined: boolean;
  readonly checkpoint: Checkpoint | null;
  readonly notes: ScopeNotes;
}
