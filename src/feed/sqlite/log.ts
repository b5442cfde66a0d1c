import type { Cursor } from "../../schemas/cursor.ts";
import type { LogEntry } from "../../schemas/draft.ts";
import type { Scope } from "../../schemas/scope.ts";
import { CursorExpired, EpochChanged, FutureCursor, LogUnavailable, LogUnusable } from "../errors.ts";
import type {
  ChangeCounts,
  Claim,
  Commit,
  Committed,
  ConsumerStore,
  DeadLetterStore,
  DocumentStore,
  FeedHead,
  FeedLog,
  FirstChange,
  FirstChanges,
  HistoryQuery,
  HistoryScan,
  LogTimes,
  OutageChange,
  ScopeStatus,
  ConsistentRead,
  StateEntry,
  TrimLimits,
  WaitOptions,
} from "../log.ts";
import { firstOf } from "../first-of.ts";
import { Waiters } from "../waiters.ts";
import { every, type Clock } from "../../shared/clock.ts";
import { SqliteChangeCounts } from "./change-counts.ts";
import { claimScope, commitChunk, recordKnownEmpty } from "./commit.ts";
import type { Connection } from "./connection.ts";
import { SqliteConsumers } from "./consumers.ts";
import { SqliteDeadLetters } from "./dead-letters.ts";
import { SqliteDocuments } from "./documents.ts";
import { damaged, moved } from "./errors.ts";
import { placeHolder } from "./file.ts";
import { firstChanges } from "./first-changes.ts";
import { scanHistory, type Range } from "./history.ts";
import { entryOf, EVENT_COLUMNS, headOf, readMeta, scopeOf } from "./rows.ts";
import { readByTransaction, SqliteConsistentReads } from "./consistent-reads.ts";
import { outageOf, tellOutage } from "./outage.ts";
import { filledScopes, filterOf, stateBatches } from "./state.ts";
import { WriteAhead } from "./write-ahead.ts";
import { lastBefore, reclaimBatch, recordedText, recordedTimes, trimBatch } from "./trim.ts";

/** How often a reader looks whether another process has written. */
const FOREIGN_WRITES_MS = 250;

export interface SqliteLogParts {
  readonly connection: Connection;
  readonly readOnly: boolean;
  /** What commits may keep for consistent reads: beyond this, the oldest end. */
  readonly maxKeptBytes: number;
  readonly clock: Clock;
  readonly maxDeadLetters: number;
  /** Called once by `close`, before the connection goes. */
  readonly onClose: () => void;
  /** Called once after the connection went. */
  readonly onClosed: () => void;
}

/**
 * The log in one SQLite file (WAL). One process writes, any number read. The file is the only truth: nothing is kept
 * between calls, so what a crash leaves is what the next open sees. Calls are synchronous inside and short: the longest is
 * one commit with its fsync.
 */
export class SqliteLog implements FeedLog {
  readonly consumers: ConsumerStore;
  readonly deadLetters: DeadLetterStore;
  readonly documents: DocumentStore;
  readonly changeCounts: ChangeCounts;
  readonly #parts: SqliteLogParts;
  readonly #waiters: Waiters;
  /** None where another process writes. */
  readonly #reads: SqliteConsistentReads | undefined;
  /** The same. */
  readonly #writeAhead: WriteAhead | undefined;
  /** The file that was opened, whatever is at its path later. */
  readonly #file: number | undefined;
  #stopWatching: (() => void) | undefined;
  #closed = false;

  constructor(parts: SqliteLogParts) {
    this.#parts = parts;
    this.#waiters = new Waiters(parts.clock);
    this.#file = placeHolder(parts.connection.path);
    this.#reads = parts.readOnly ? undefined : new SqliteConsistentReads(parts.connection, parts);
    this.#writeAhead = parts.readOnly ? undefined : new WriteAhead(parts.connection, parts.clock);
    this.consumers = new SqliteConsumers(parts.connection, () => this.#writing(), parts.clock);
    const reading = () => this.#connection;
    const { clock, maxDeadLetters: most } = parts;
    this.deadLetters = new SqliteDeadLetters(reading, () => this.#writing(), { clock, most });
    this.documents = new SqliteDocuments(reading, () => this.#writing(), clock);
    this.changeCounts = new SqliteChangeCounts(reading);
  }

  async head(): Promise<FeedHead> {
    return headOf(readMeta(this.#connection));
  }

  async bytes(): Promise<number> {
    return readMeta(this.#connection).bytes;
  }

  async claim(scope: Scope, owner: string): Promise<Claim> {
    return claimScope(this.#writing(), scope, owner);
  }

  async *loadState(scope: Scope): AsyncGenerator<StateEntry[]> {
    yield* stateBatches(this.#connection, filterOf(scope));
  }

  async commit(commit: Commit): Promise<Committed> {
    const { committed, appended } = commitChunk(this.#writing(), commit, {
      nowText: recordedText(this.#parts.clock.now()),
      keep: (ref) => this.#reads?.keep(ref),
    });
    this.#waiters.wake(committed.last, appended);
    this.#reads?.boundKept();
    this.#writeAhead?.committed();
    return committed;
  }

  async outage(): Promise<string | null> {
    return outageOf(this.#connection);
  }

  async tellOutage(change: OutageChange): Promise<number | undefined> {
    const sequence = tellOutage(this.#writing(), change, recordedText(this.#parts.clock.now()));
    if (sequence !== undefined) this.#waiters.wake(sequence);
    return sequence;
  }

  async read(
    cursor: Cursor,
    { limit, maxBytes = Infinity }: { limit: number; maxBytes?: number },
  ): Promise<LogEntry[]> {
    return this.#connection.snapshot(() => this.#pageFrom(cursor, limit, maxBytes));
  }

  async eventsAt(sequences: readonly number[]): Promise<LogEntry[]> {
    const rows = this.#connection.all(
      `SELECT ${EVENT_COLUMNS} FROM events WHERE sequence IN (SELECT value FROM json_each(?))`,
      [JSON.stringify(sequences)],
    );
    return rows.map(entryOf);
  }

  async waitBeyond(sequence: number, options: WaitOptions): Promise<boolean> {
    if (readMeta(this.#connection).sequence > sequence) return true;
    const answer = this.#waiters.wait(sequence, options);
    this.#watchForeignWrites();
    return answer;
  }

  async history(query: HistoryQuery): Promise<LogEntry[]> {
    return firstOf(this.scanHistory(query), query.limit);
  }

  async *scanHistory(query: HistoryScan): AsyncGenerator<LogEntry[]> {
    yield* scanHistory(this.#connection, query, this.#rangeOf(query));
  }

  async *firstChanges(query: FirstChanges): AsyncGenerator<FirstChange[]> {
    yield* firstChanges(this.#connection, query);
  }

  async hasHoles(): Promise<boolean> {
    return false;
  }

  async cursorAt(timeMs: number): Promise<Cursor> {
    return this.#connection.snapshot(() => {
      const { epoch, floor } = readMeta(this.#connection);
      return { epoch, sequence: lastBefore(this.#connection, timeMs, floor) };
    });
  }

  async overflow(sequence: number): Promise<string | undefined> {
    return this.#connection.get("SELECT data FROM overflow WHERE sequence = ?", [sequence])?.text("data");
  }

  async consistentRead(): Promise<ConsistentRead> {
    const connection = this.#connection;
    return this.#reads?.open() ?? readByTransaction(connection);
  }

  async times(): Promise<LogTimes> {
    return { nowMs: this.#parts.clock.now(), ...recordedTimes(this.#connection) };
  }

  async trim(
    limits: TrimLimits,
    { signal }: { signal?: AbortSignal } = {},
  ): Promise<{ floor: number; removed: number }> {
    const mayGoOn = () => signal?.aborted !== true;
    let removed = 0;
    while (mayGoOn()) {
      const gone = trimBatch(this.#writing(), limits);
      if (gone === 0) break;
      removed += gone;
      await this.#parts.clock.yield();
    }
    if (removed > 0) while (mayGoOn() && reclaimBatch(this.#writing())) await this.#parts.clock.yield();
    return { floor: readMeta(this.#connection).floor, removed };
  }

  async scopes(): Promise<ScopeStatus[]> {
    const rows = this.#connection.all("SELECT * FROM scopes WHERE fence > 0 ORDER BY resource, namespace");
    return rows.map(scopeOf).map(({ scope, fence, owner, rev, baselined, checkpoint, notes }) => ({
      scope,
      fence,
      owner,
      rev,
      baselined,
      checkpoint,
      notes,
    }));
  }

  async filled(): Promise<Scope[]> {
    return filledScopes(this.#connection);
  }

  async beginEmpty(scopes: readonly Scope[]): Promise<void> {
    const connection = this.#writing();
    connection.transaction(() => {
      for (const scope of scopes) recordKnownEmpty(connection, scope);
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    this.#stopWatching?.();
    this.#writeAhead?.stop();
    this.#waiters.end();
    try {
      this.#parts.onClose();
    } finally {
      this.#parts.connection.close();
      this.#parts.onClosed();
    }
  }

  get #connection(): Connection {
    if (this.#closed) throw new LogUnavailable(`The log ${this.#parts.connection.path} is closed`);
    return this.#parts.connection;
  }

  #writing(): Connection {
    if (this.#parts.readOnly) {
      throw new LogUnusable(`The log ${this.#parts.connection.path} was opened for reading only`);
    }
    const connection = this.#connection;
    // SQLite itself would go on writing to a file that nobody finds again.
    if (placeHolder(connection.path) !== this.#file) throw moved(connection.path);
    return connection;
  }

  /** Answers the newest sequence. */
  #check(cursor: Cursor): number {
    const { epoch, sequence, floor } = readMeta(this.#connection);
    if (cursor.epoch !== epoch) throw new EpochChanged(cursor, { epoch, sequence });
    if (cursor.sequence > sequence) throw new FutureCursor(cursor, { epoch, sequence });
    if (cursor.sequence < floor) throw new CursorExpired(cursor, { epoch, sequence: floor });
    return sequence;
  }

  #pageFrom(cursor: Cursor, limit: number, maxBytes: number): LogEntry[] {
    const head = this.#check(cursor);
    const entries = this.#page(cursor.sequence, limit, maxBytes);
    if (entries.length === 0 && cursor.sequence < head && limit > 0) this.#missing(cursor.sequence + 1);
    return entries;
  }

  #missing(sequence: number): never {
    throw damaged(this.#connection.path, `event ${sequence} is missing`);
  }

  #page(after: number, limit: number, maxBytes: number): LogEntry[] {
    const entries: LogEntry[] = [];
    let bytes = 0;
    this.#connection.each(
      `SELECT ${EVENT_COLUMNS} FROM events WHERE sequence > ? ORDER BY sequence LIMIT ?`,
      [after, Math.max(0, limit)],
      (row) => {
        const entry = entryOf(row);
        const next = after + entries.length + 1;
        if (entry.sequence !== next) this.#missing(next);
        bytes += Buffer.byteLength(entry.json);
        if (bytes > maxBytes && entries.length > 0) return false;
        entries.push(entry);
        return bytes < maxBytes;
      },
    );
    return entries;
  }

  #rangeOf(query: HistoryScan): Range {
    const since = query.sinceMs === undefined ? 0 : lastBefore(this.#connection, query.sinceMs, 0);
    const until = query.untilMs === undefined ? Infinity : lastBefore(this.#connection, query.untilMs, 0) + 1;
    return {
      after: Math.max(since, query.after ?? 0),
      before: Math.min(until, query.before ?? Infinity, Number.MAX_SAFE_INTEGER),
    };
  }

  #watchForeignWrites(): void {
    if (!this.#parts.readOnly || this.#stopWatching !== undefined || this.#waiters.size === 0) return;
    this.#stopWatching = every(this.#parts.clock, FOREIGN_WRITES_MS, () => {
      try {
        this.#waiters.wake(readMeta(this.#connection).sequence);
      } catch {
        // The waiters' own next call meets the same error and tells them.
        this.#waiters.end();
      }
      if (this.#waiters.size > 0) return;
      this.#stopWatching?.();
      this.#stopWatching = undefined;
    });
  }
}
