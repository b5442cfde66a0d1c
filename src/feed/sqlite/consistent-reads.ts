import type { Cursor } from "../../schemas/cursor.ts";
import { LogUnavailable } from "../errors.ts";
import type { ConsistentRead, StateEntry, StateFilter } from "../log.ts";
import type { Connection } from "./connection.ts";
import { readMeta } from "./rows.ts";
import { CUT_LIMITS, stateBatches } from "./state.ts";

/** Connections that wait for the next consistent read. SQLite gives a file's descriptors back only with the last connection to it. */
const MAX_IDLE = 4;
/** Each reads a few small batches at a time, so that a page that is read again comes from the kernel. */
const CACHE_KIB = 64;

/** A read transaction on a connection of its own: the log as of one moment. */
interface Reader {
  readonly connection: Connection;
  readonly version: string;
  readonly cursor: Cursor;
  users: number;
  isExpired: boolean;
}

/** The consistent reads of a log that are open. Those that were made between the same two commits share one reader. */
export class SqliteConsistentReads {
  readonly #log: Connection;
  readonly #readers = new Set<Reader>();
  readonly #idle: Connection[] = [];
  #newest: Reader | undefined;

  constructor(log: Connection) {
    this.#log = log;
  }

  /** Readers that keep SQLite from beginning its write-ahead file anew. */
  get readers(): number {
    return this.#readers.size;
  }

  /** `version` is another one after each commit. */
  open(version: string): ConsistentRead {
    const isShared = this.#newest?.version === version && !this.#newest.isExpired && this.#newest.users > 0;
    const reader = isShared && this.#newest !== undefined ? this.#newest : this.#begin(version);
    this.#newest = reader;
    reader.users += 1;
    let isOpen = true;
    return {
      cursor: reader.cursor,
      entries: (filter) => entriesOf(reader, filter ?? {}),
      [Symbol.asyncDispose]: async () => {
        if (isOpen) this.#release(reader);
        isOpen = false;
      },
    };
  }

  /** Takes all consistent reads away from whoever holds them: the log grows on disk while one is open. */
  expire(): void {
    for (const reader of this.#readers) {
      reader.isExpired = true;
      reader.connection.close();
    }
    this.#readers.clear();
    for (const connection of this.#idle.splice(0)) connection.close();
  }

  #begin(version: string): Reader {
    const connection = this.#idle.pop() ?? this.#connect();
    try {
      connection.exec("BEGIN");
      const { epoch, sequence } = readMeta(connection);
      const reader = { connection, version, cursor: { epoch, sequence }, users: 0, isExpired: false };
      this.#readers.add(reader);
      return reader;
    } catch (error) {
      connection.close();
      throw error;
    }
  }

  #connect(): Connection {
    const connection = this.#log.reader();
    connection.exec(`PRAGMA cache_size = -${CACHE_KIB}`);
    return connection;
  }

  #release(reader: Reader): void {
    reader.users -= 1;
    if (reader.users > 0 || reader.isExpired) return;
    const { connection } = reader;
    this.#readers.delete(reader);
    if (this.#idle.length >= MAX_IDLE) return connection.close();
    connection.exec("COMMIT");
    this.#idle.push(connection);
  }
}

async function* entriesOf(reader: Reader, filter: StateFilter): AsyncGenerator<StateEntry[]> {
  try {
    yield* stateBatches(reader.connection, filter, CUT_LIMITS);
  } catch (error) {
    throw reader.isExpired ? expiredRead(reader.connection.path) : error;
  }
}

function expiredRead(path: string): LogUnavailable {
  return new LogUnavailable(
    `A reading of the state of ${path} was ended because it held up too much of the log`,
    { hint: "Read the state again, faster" },
  );
}
