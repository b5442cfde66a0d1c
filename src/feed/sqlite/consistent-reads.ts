import type { Cursor } from "../../schemas/cursor.ts";
import type { ObjectRef } from "../../schemas/resources.ts";
import { LogUnavailable } from "../errors.ts";
import type { ConsistentRead, StateEntry, StateFilter } from "../log.ts";
import type { Clock } from "../../shared/clock.ts";
import type { Connection } from "./connection.ts";
import { KeptValues } from "./kept.ts";
import { readMeta } from "./rows.ts";
import { BATCH_LIMITS, stateBatches } from "./state.ts";

/** How many values are dropped in one go. */
const DROP_VALUES = 500;

interface OpenRead {
  /** The moment it shows, as KeptValues calls it. */
  readonly moment: number;
  isExpired: boolean;
}

/**
 * The open consistent reads of a log that this process writes. One holds neither a connection nor a transaction:
 * commits keep what they replace, once for all of them, so that a read itself costs nothing. Where commits
 * would have to keep more than `maxKeptBytes`, the oldest ends.
 */
export class SqliteConsistentReads {
  readonly #log: Connection;
  readonly #kept: KeptValues;
  readonly #maxKeptBytes: number;
  readonly #clock: Pick<Clock, "yield">;
  /** The oldest first. */
  readonly #open = new Set<OpenRead>();
  #newest = 0;
  #isDropping = false;

  constructor(
    log: Connection,
    { maxKeptBytes, clock }: { maxKeptBytes: number; clock: Pick<Clock, "yield"> },
  ) {
    this.#log = log;
    this.#kept = new KeptValues(log);
    this.#maxKeptBytes = maxKeptBytes;
    this.#clock = clock;
  }

  open(): ConsistentRead {
    const cursor = cursorOf(this.#log);
    const read: OpenRead = { moment: this.#kept.last, isExpired: false };
    this.#newest = read.moment;
    this.#open.add(read);
    return {
      cursor,
      entries: (filter) => this.#entries(read, filter ?? {}),
      [Symbol.asyncDispose]: async () => this.#end(read),
    };
  }

  /** For commits: called before an object's state is written or removed, in the same transaction. */
  keep(ref: ObjectRef): void {
    if (this.#open.size > 0) this.#kept.keep(ref, this.#newest);
  }

  /** For commits: called after them. */
  boundKept(): void {
    if (this.#open.size === 0 || this.#isDropping || this.#kept.bytes <= this.#maxKeptBytes) return;
    const [oldest] = this.#open;
    for (const read of this.#open) {
      if (read.moment !== oldest?.moment) return;
      read.isExpired = true;
      this.#end(read);
    }
  }

  async *#entries(read: OpenRead, filter: StateFilter): AsyncGenerator<StateEntry[]> {
    const batches = this.#kept.batchesAt(read.moment, filter);
    while (true) {
      if (read.isExpired) throw expiredRead(this.#log.path);
      const batch = batches.next();
      if (batch.done === true) return;
      yield batch.value;
    }
  }

  #end(read: OpenRead): void {
    if (this.#open.delete(read) && !this.#isDropping) void this.#drop();
  }

  /** Drops what no open read needs, some of it at a time. */
  async #drop(): Promise<void> {
    this.#isDropping = true;
    try {
      while (this.#log.isOpen && this.#kept.drop(this.#oldest, DROP_VALUES)) await this.#clock.yield();
    } catch {
      // The end of the next read tries again.
    } finally {
      this.#isDropping = false;
    }
  }

  get #oldest(): number {
    const [oldest] = this.#open;
    return oldest?.moment ?? this.#kept.last;
  }
}

/** The log as of one moment for who does not write it: a read transaction on a connection of its own. */
export function readByTransaction(log: Connection): ConsistentRead {
  const connection = log.reader();
  try {
    connection.exec("BEGIN");
    return {
      cursor: cursorOf(connection),
      entries: (filter) => stateBatches(connection, filter ?? {}, BATCH_LIMITS),
      [Symbol.asyncDispose]: async () => connection.close(),
    };
  } catch (error) {
    connection.close();
    throw error;
  }
}

function cursorOf(connection: Connection): Cursor {
  const { epoch, sequence } = readMeta(connection);
  return { epoch, sequence };
}

function expiredRead(path: string): LogUnavailable {
  return new LogUnavailable(
    `A reading of the state of ${path} was ended because too much has changed since it began`,
    { hint: "Read the state again, faster" },
  );
}
