import { Transaction } from "./cluster/transaction.ts";
import { EventBroker } from "./events/event-broker.ts";
import { Journal } from "./journal.ts";
import type { Random } from "./random.ts";
import type { MessageType } from "./store/message-type.ts";
import { Replica } from "./store/replica.ts";
import { State, type Commit } from "./store/state.ts";
import { TABLES, type TableName } from "./store/tables.ts";

/** A copy of the whole state, to go back to. */
export interface Snapshot {
  readonly state: State;
}

export interface RaftOptions {
  readonly random: Random;
  /** Milliseconds since 1970. */
  readonly clock: () => number;
  readonly journalLimit: number;
  readonly eventBufferSize: number;
}

/** A server that applies what it hears some time later. */
interface LateReplica {
  readonly replica: Replica;
  readonly behind: Commit[];
}

/**
 * The replicated log in one process: each write is one raft index, applied to the leader at once and to the
 * follower, where there is one, a set number of indexes later. The raft index never goes back, not even when
 * a restored snapshot takes the tables' indexes back.
 */
export class Raft {
  readonly leader: Replica;
  readonly journal: Journal;
  /** Of the server that answers: the follower, where there is one. */
  readonly events: EventBroker;
  readonly #options: RaftOptions;
  #follower: (LateReplica & { lag: number }) | undefined;
  #reader: (LateReplica & { readonly delayMs: number }) | undefined;
  #journalling = false;
  #index = 0;

  constructor(options: RaftOptions) {
    this.#options = options;
    this.leader = new Replica(State.empty());
    this.journal = new Journal(options.journalLimit);
    this.events = new EventBroker(options.eventBufferSize);
  }

  get index(): number {
    return this.#index;
  }

  /** The journal begins with the next write: what was before it is the starting state. */
  startJournal(): void {
    this.#journalling = true;
  }

  /** Applies one raft entry and returns what `build` returned. */
  write<T>(type: MessageType, build: (tx: Transaction) => T): T {
    const nowMs = this.#options.clock();
    const tx = new Transaction(this.leader.state, this.#index + 1, nowMs, this.#options.random);
    const result = build(tx);
    const commit = tx.commit(type);
    this.#index += 1;
    if (this.#journalling) this.journal.record(commit, nowMs);
    if (this.#follower === undefined) this.events.publish(commit);
    this.leader.apply(commit);
    if (this.#follower === undefined) this.events.recheck(commit);
    this.#replicate(commit);
    return result;
  }

  /** Lets the log move on without a write anybody sees: other tables, heartbeats, configuration. */
  skip(entries: number): void {
    this.#index += entries;
  }

  snapshot(): Snapshot {
    return { state: this.leader.state.clone() };
  }

  /**
   * Replaces the state. `burst` may write before any sleeper looks, so that they find an index above the one
   * they know and never see it go back.
   */
  restore(snapshot: Snapshot, burst: () => void): void {
    const old = this.leader.state;
    const next = snapshot.state.clone();
    this.#index += 2;
    if (this.#journalling) this.#recordDifference(old, next);
    const sleepers = this.leader.replaceQuietly(next);
    this.events.reset();
    const follower = this.#follower;
    this.#follower = undefined;
    burst();
    sleepers();
    follower?.replica.replace(this.leader.state);
    this.delayReads(this.#reader?.delayMs);
  }

  /** Where stale reads and event streams go: the follower, or the leader where none lags. */
  get follower(): Replica {
    return this.#follower?.replica ?? this.reader;
  }

  /** Where other reads go: the leader as it can be seen. */
  get reader(): Replica {
    return this.#reader?.replica ?? this.leader;
  }

  /** Lets reads see each write `delayMs` after its events; undefined: at once. */
  delayReads(delayMs: number | undefined): void {
    const reader = this.#reader;
    this.#reader =
      delayMs === undefined
        ? undefined
        : { replica: new Replica(this.leader.state.clone()), behind: [], delayMs };
    // The state that it gets has these already; they would take it back when they are due.
    reader?.behind.splice(0);
    reader?.replica.replace(this.reader.state);
  }

  /** Puts stale reads `lag` raft indexes behind; undefined lets the follower catch up and go. */
  setFollowerLag(lag: number | undefined): void {
    const follower = this.#follower;
    if (lag === undefined) {
      for (const commit of follower?.behind.splice(0) ?? []) this.#follow(commit);
      this.#follower = undefined;
      follower?.replica.replace(this.leader.state);
      return;
    }
    this.#follower = follower ?? { replica: new Replica(this.leader.state.clone()), behind: [], lag };
    this.#follower.lag = lag;
    this.#catchUp();
  }

  #replicate(commit: Commit): void {
    this.#follower?.behind.push(commit);
    this.#catchUp();
    const reader = this.#reader;
    reader?.behind.push(commit);
    if (reader !== undefined) setTimeout(() => applyNext(reader), reader.delayMs).unref();
  }

  #catchUp(): void {
    const follower = this.#follower;
    while (follower?.behind[0] !== undefined && follower.behind[0].index <= this.#index - follower.lag) {
      this.#follow(follower.behind.shift() as Commit);
    }
  }

  #follow(commit: Commit): void {
    this.events.publish(commit);
    this.#follower?.replica.apply(commit);
    this.events.recheck(commit);
  }

  #recordDifference(old: State, next: State): void {
    for (const name of TABLES) {
      for (const [before, after] of differences(old, next, name)) {
        this.journal.add({ table: name, before, after }, this.#index, this.#options.clock());
      }
    }
  }
}

function applyNext({ replica, behind }: LateReplica): void {
  const commit = behind.shift();
  if (commit !== undefined) replica.apply(commit);
}

function* differences<T extends TableName>(old: State, next: State, name: T) {
  for (const row of old.table(name).values()) {
    const after = next.table(name).get(row.namespace, row.key);
    if (after === row) continue;
    if (after === undefined || after.stub.CreateIndex === row.stub.CreateIndex) yield [row, after] as const;
    else {
      // One was deleted and the other created, as far as anybody can tell.
      yield [row, undefined] as const;
      yield [undefined, after] as const;
    }
  }
  for (const row of next.table(name).values()) {
    if (old.table(name).get(row.namespace, row.key) === undefined) yield [undefined, row] as const;
  }
}
