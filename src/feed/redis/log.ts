import type { Cursor } from "../../schemas/cursor.ts";
import type { LogEntry } from "../../schemas/draft.ts";
import { scopeName, type Scope } from "../../schemas/scope.ts";
import type { Clock } from "../../shared/clock.ts";
import { randomEpoch } from "../epoch.ts";
import { Conflict, Fenced, LogUnusable } from "../errors.ts";
import type {
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
import { COMMIT } from "./commit-script.ts";
import { argumentsOf, readClaimReply, readCommitReply, scopeRow, seenArguments } from "./commit.ts";
import { scopeNamed } from "./codec.ts";
import type { Connection } from "./connection.ts";
import { RedisConsumers } from "./consumers.ts";
import { RedisDeadLetters } from "./dead-letters.ts";
import { RedisDocuments } from "./documents.ts";
import { feedIsGone } from "./errors.ts";
import { SequencePredictor } from "./sequence-predictor.ts";
import { Reply, type ReplySource } from "./reply.ts";
import { waitUntilDurable, type Durability } from "./durability.ts";
import { KeyLists } from "./key-lists.ts";
import { firstChangesIn } from "../first-changes.ts";
import { eventsAt, scanHistory, type Range } from "./history.ts";
import { outageArguments, readOutageReply, TELL_OUTAGE } from "./outage.ts";
import { readPage } from "./pages.ts";
import { BEFORE, BEGIN_EMPTY, CLAIM, FILLED, TIMES, TRIM } from "./log-scripts.ts";
import { filterOf, RedisConsistentRead, LOAD_LIMITS } from "./state.ts";
import { Watch } from "./watch.ts";
import type { TailLossDetector } from "./tail-loss-detector.ts";

export interface RedisLogParts {
  readonly connection: Connection;
  /** Opens a connection for blocking reads. */
  readonly connect: () => Promise<Connection>;
  readonly prefix: string;
  /** Undefined: for reading only. */
  readonly writer: WriterParts | undefined;
  readonly clock: Clock;
  readonly maxDeadLetters: number;
  /** When something is recorded; "" for Redis's own clock. */
  readonly recordedAt: () => number | "";
}

export interface WriterParts {
  readonly source: string;
  readonly durability: Durability;
  readonly streamPerResource: boolean;
  readonly tailLoss: TailLossDetector;
}

/**
 * The log in Redis: a stream and the hashes beside it, under one prefix. Any number of processes write and read.
 * Each write is one script, so log, state and checkpoint change together, and go back together where Redis loses
 * its tail. A writer notices that, see TailLossDetector; then every claim made before conflicts, and its holder derives
 * from Nomad what was lost.
 */
export class RedisLog implements FeedLog {
  readonly consumers: ConsumerStore;
  readonly deadLetters: DeadLetterStore;
  readonly documents: DocumentStore;
  readonly #parts: RedisLogParts;
  readonly #waiters: Waiters;
  readonly #watch: Watch;
  /** Scope name to the fence it was claimed with here. */
  readonly #claimed = new Map<string, number>();
  readonly #predictor = new SequencePredictor();
  readonly #keyLists: KeyLists;
  #highestFence = 0;
  #closed = false;

  constructor(parts: RedisLogParts) {
    this.#parts = parts;
    const { connection, connect, prefix, clock, maxDeadLetters: most } = parts;
    const stores = { connection, prefix, writing: () => this.#writing().connection, clock };
    this.consumers = new RedisConsumers(stores);
    this.deadLetters = new RedisDeadLetters(stores, most);
    this.documents = new RedisDocuments(stores);
    this.#waiters = new Waiters(clock);
    this.#keyLists = new KeyLists(clock);
    this.#watch = new Watch(connect, prefix, { waiters: this.#waiters, clock });
  }

  async head(): Promise<FeedHead> {
    if (this.#parts.writer !== undefined) return this.#writing().tailLoss.check();
    const fields = ["epoch", "sequence", "floor", "nomadEpoch"];
    const reply = await this.#connection.call("HMGET", this.#key("meta"), ...fields);
    const meta = new Reply(reply, this.#source("meta"));
    const epoch = meta.textOrNull(0, "epoch");
    if (!epoch) throw feedIsGone(this.#connection.where);
    return {
      epoch,
      sequence: meta.integer(1, "sequence"),
      floor: meta.integer(2, "floor"),
      nomadEpoch: meta.integerOrNull(3, "nomadEpoch") ?? 0,
    };
  }

  async bytes(): Promise<number> {
    const reply = await this.#connection.call("HMGET", this.#key("meta"), "bytes");
    return new Reply(reply, this.#source("meta")).integerOrNull(0, "bytes") ?? 0;
  }

  async claim(scope: Scope, owner: string): Promise<Claim> {
    const { connection, source, tailLoss } = this.#writing();
    const { resource, namespace } = scope;
    for (;;) {
      const own = [
        resource,
        namespace,
        owner,
        source,
        randomEpoch(),
        this.#parts.recordedAt(),
        this.#highestFence,
      ];
      const reply = await connection.run(CLAIM, [...own, ...seenArguments(tailLoss.seen)]);
      const claim = readClaimReply(
        new Reply(reply, connection.source("the answer to CLAIM")),
        scope,
        connection,
      );
      if (claim === "lost") await tailLoss.check();
      else {
        this.#highestFence = Math.max(this.#highestFence, claim.fence);
        this.#claimed.set(scopeName(scope), claim.fence);
        return claim;
      }
    }
  }

  async *loadState(scope: Scope): AsyncGenerator<StateEntry[]> {
    await using read = await RedisConsistentRead.open(this.#connection, this.#keyLists, { whole: false });
    yield* read.entries(filterOf(scope), LOAD_LIMITS);
  }

  async commit(commit: Commit): Promise<Committed> {
    const { connection, durability, tailLoss } = this.#writing();
    const { clock } = this.#parts;
    for (;;) {
      const reply = await this.#send(commit);
      if (reply === "unclaimed") throw this.#unclaimed(commit);
      if (reply === "lost") await tailLoss.check();
      else if (reply !== "moved") {
        if (reply.seen !== undefined) tailLoss.remember(reply.seen);
        await waitUntilDurable(connection, this.#key("meta"), { durability, clock });
        this.#waiters.wake(reply.committed.last);
        return reply.committed;
      }
    }
  }

  async outage(): Promise<string | null> {
    const outage = await this.#connection.call("HGET", this.#key("meta"), "outage");
    return typeof outage === "string" && outage !== "" ? outage : null;
  }

  async tellOutage(change: OutageChange): Promise<number | undefined> {
    const { connection, durability, streamPerResource, tailLoss } = this.#writing();
    const { clock } = this.#parts;
    for (;;) {
      const context = { nowMs: this.#parts.recordedAt(), seen: tailLoss.seen, streamPerResource };
      const reply = readOutageReply(
        new Reply(
          await connection.run(TELL_OUTAGE, outageArguments(change, context)),
          connection.source("the answer to TELL_OUTAGE"),
        ),
      );
      if (reply === "lost") await tailLoss.check();
      else {
        if (reply === undefined) return undefined;
        tailLoss.remember(reply);
        await waitUntilDurable(connection, this.#key("meta"), { durability, clock });
        this.#waiters.wake(reply.sequence);
        return reply.sequence;
      }
    }
  }

  async #send(commit: Commit): Promise<ReturnType<typeof readCommitReply>> {
    const { connection, streamPerResource, tailLoss } = this.#writing();
    const { seen } = tailLoss;
    const { events } = commit;
    const after = this.#predictor.predict(events.length, seen);
    const sealedAfter = this.#predictor.isGood && events.length > 0 ? after : undefined;
    const context = { nowMs: this.#parts.recordedAt(), seen, streamPerResource, sealedAfter };
    let right: boolean | undefined;
    try {
      const answer = await connection.run(COMMIT, argumentsOf(commit, context));
      const reply = readCommitReply(new Reply(answer, connection.source("the answer to COMMIT")), commit);
      if (reply === "moved") right = false;
      else if (typeof reply === "object" && reply.seen !== undefined) {
        right = reply.committed.first === after.sequence + 1;
      }
      return reply;
    } finally {
      this.#predictor.settle(right);
    }
  }

  async read(cursor: Cursor, options: { limit: number; maxBytes?: number }): Promise<LogEntry[]> {
    return readPage(this.#connection, this.#parts.prefix, cursor, options);
  }

  async eventsAt(sequences: readonly number[]): Promise<LogEntry[]> {
    return eventsAt(this.#connection, this.#parts.prefix, sequences);
  }

  async waitBeyond(sequence: number, options: WaitOptions): Promise<boolean> {
    const newest = await this.#newest();
    if (newest > sequence) return true;
    if (this.#closed) return false;
    const answer = this.#waiters.wait(sequence, options);
    this.#watch.watch(newest);
    return answer;
  }

  async history(query: HistoryQuery): Promise<LogEntry[]> {
    return firstOf(this.scanHistory(query), query.limit);
  }

  async *scanHistory(query: HistoryScan): AsyncGenerator<LogEntry[]> {
    yield* scanHistory(this.#connection, this.#parts.prefix, query, await this.#rangeOf(query));
  }

  async *firstChanges(query: FirstChanges): AsyncGenerator<FirstChange[]> {
    yield* firstChangesIn((scan) => this.scanHistory(scan), query);
  }

  async hasHoles(): Promise<boolean> {
    const [place, length] = await this.#connection.together([
      ["HMGET", this.#key("meta"), "sequence", "floor"],
      ["XLEN", this.#key("log")],
    ]);
    const meta = new Reply(place, this.#source("meta"));
    return length !== meta.integer(0, "sequence") - meta.integer(1, "floor");
  }

  async cursorAt(timeMs: number): Promise<Cursor> {
    const { epoch, sequences } = await this.#before([timeMs]);
    return { epoch, sequence: sequences[0] ?? 0 };
  }

  async overflow(sequence: number): Promise<string | undefined> {
    const data = await this.#connection.call("HGET", this.#key("overflow"), sequence);
    return typeof data === "string" ? data : undefined;
  }

  async consistentRead(): Promise<ConsistentRead> {
    return RedisConsistentRead.open(this.#connection, this.#keyLists, { whole: true });
  }

  async times(): Promise<LogTimes> {
    const reply = await this.#connection.run(TIMES, [this.#parts.recordedAt()]);
    const times = new Reply(reply, this.#connection.source("the answer to TIMES"));
    return {
      nowMs: times.integer(0, "now"),
      oldestMs: times.integerOrNull(1, "oldest"),
      newestMs: times.integerOrNull(2, "newest"),
    };
  }

  async trim(
    limits: TrimLimits,
    { signal }: { signal?: AbortSignal } = {},
  ): Promise<{ floor: number; removed: number }> {
    const { maxEvents = "", maxBytes = "", recordedBeforeMs = "", keepAfter = "" } = limits;
    const limitArguments = [maxEvents, maxBytes, recordedBeforeMs, keepAfter];
    let removed = 0;
    for (;;) {
      const answer = await this.#writing().connection.run(TRIM, limitArguments);
      const reply = new Reply(answer, this.#connection.source("the answer to TRIM"));
      const gone = reply.integer(1, "removed");
      removed += gone;
      if (gone === 0 || signal?.aborted === true) return { floor: reply.integer(0, "floor"), removed };
    }
  }

  async scopes(): Promise<ScopeStatus[]> {
    const names = await this.#connection.call("SMEMBERS", this.#key("scopes"));
    const ordered = new Reply(names, this.#source("scopes")).texts().toSorted();
    const rows = await this.#connection.each(
      ordered.map((name) => ["HGETALL", this.#key(`scope:${name}`)] as const),
    );
    return ordered
      .map((name, n) => {
        const source = this.#source(`scope:${name}`);
        return scopeRow(scopeNamed(name), new Reply(rows[n], source).fields(), source);
      })
      .filter(({ fence }) => fence > 0)
      .map(({ scope, fence, owner, rev, baselined, checkpoint, notes }) => ({
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
    const reply = await this.#connection.run(FILLED, []);
    const names = new Reply(reply, this.#connection.source("the answer to FILLED"));
    return names.texts().toSorted().map(scopeNamed);
  }

  async beginEmpty(scopes: readonly Scope[]): Promise<void> {
    const names = scopes.map(({ resource, namespace }) => `${resource}:${namespace}`);
    await this.#writing().connection.run(BEGIN_EMPTY, names);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    this.#waiters.end();
    this.#watch.close();
    this.#parts.connection.close();
  }

  get #connection(): Connection {
    return this.#parts.connection;
  }

  #key(name: string): string {
    return `${this.#parts.prefix}${name}`;
  }

  #source(name: string): ReplySource {
    return this.#connection.source(this.#key(name));
  }

  #writing(): WriterParts & { connection: Connection } {
    const { connection, writer } = this.#parts;
    if (writer === undefined)
      throw new LogUnusable(`The log at ${connection.where} was opened for reading only`);
    return { ...writer, connection };
  }

  /** 0 where the log was closed meanwhile. */
  async #newest(): Promise<number> {
    try {
      return (await this.head()).sequence;
    } catch (error) {
      if (this.#closed) return 0;
      throw error;
    }
  }

  async #before(times: readonly number[]): Promise<{ epoch: string; floor: number; sequences: number[] }> {
    const answer = await this.#connection.run(BEFORE, times);
    const reply = new Reply(answer, this.#connection.source("the answer to BEFORE"));
    if (reply.length === 0) throw feedIsGone(this.#connection.where);
    return {
      epoch: reply.text(0, "epoch"),
      floor: reply.integer(1, "floor"),
      sequences: times.map((_, n) => reply.integer(n + 2, "a sequence")),
    };
  }

  async #rangeOf({
    sinceMs = 0,
    untilMs = Infinity,
    after = 0,
    before = Infinity,
  }: HistoryScan): Promise<Range> {
    const latestMs = Math.min(untilMs, Number.MAX_SAFE_INTEGER);
    const { floor, sequences } = await this.#before([sinceMs, latestMs]);
    const [since = 0, until = 0] = sequences;
    return { after: Math.max(floor, since, after), before: Math.min(until + 1, before) };
  }

  /** Claimed here, it was lost with the log's tail; else it never was. */
  #unclaimed({ scope, fence, expectedRev }: Commit): Conflict | Fenced {
    return this.#claimed.get(scopeName(scope)) === fence
      ? new Conflict(scope, expectedRev, 0)
      : new Fenced(`Scope ${scopeName(scope)}`, fence, 0);
  }
}
