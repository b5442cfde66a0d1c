import { LogInUse } from "../errors.ts";
import { Connection } from "./connection.ts";
import { SQLITE, sqliteCode } from "./errors.ts";

/** Who writes a log, for the error the next one gets. */
export interface Writer {
  readonly pid: number;
  readonly host: string;
}

/**
 * The right to write the log at `path`: an exclusive lock on the empty database `<path>.lock`, which the kernel
 * takes back when the process ends, however it ends. The log itself stays free for readers. The file is never
 * removed: whoever removed it would let in a second writer.
 */
export class WriterLock {
  readonly #connection: Connection;

  private constructor(connection: Connection) {
    this.#connection = connection;
  }

  /** @throws LogInUse where another writer holds it; `describe` says who, as far as anybody knows. */
  static acquire(path: string, describe: () => string): WriterLock {
    const connection = new Connection(`${path}.lock`, { readOnly: false, busyMs: 0 });
    try {
      connection.exec("PRAGMA journal_mode = MEMORY; BEGIN EXCLUSIVE");
      return new WriterLock(connection);
    } catch (error) {
      connection.close();
      if (sqliteCode(error) !== SQLITE.BUSY) throw error;
      throw new LogInUse(`The log ${path} is being written by another process${describe()}`, {
        hint: "Stop that process, or give this one a log file of its own; reading the log needs no lock",
        cause: error,
      });
    }
  }

  release(): void {
    this.#connection.close();
  }
}
