import { DatabaseSync } from "node:sqlite";
import { pathToFileURL } from "node:url";

const SQLITE_BUSY = 5;

/**
 * An exclusive lock on the empty database at `path`, which the kernel takes back when the process ends, however it
 * ends. The file is never removed: whoever removed it would let in a second holder. It is opened by SQLite only, as
 * closing it by other means would drop the lock.
 */
export class FileLock implements Disposable {
  readonly #database: DatabaseSync;

  private constructor(database: DatabaseSync) {
    this.#database = database;
  }

  /** Undefined where another holds it. @throws what SQLite says of a file that it cannot lock */
  static acquire(path: string): FileLock | undefined {
    const database = new DatabaseSync(pathToFileURL(path), { timeout: 0 });
    try {
      database.exec("PRAGMA journal_mode = MEMORY; BEGIN EXCLUSIVE");
      return new FileLock(database);
    } catch (error) {
      database.close();
      if (isBusy(error)) return undefined;
      throw error;
    }
  }

  [Symbol.dispose](): void {
    if (this.#database.isOpen) this.#database.close();
  }
}

function isBusy(error: unknown): boolean {
  return error instanceof Error && "errcode" in error && (Number(error.errcode) & 0xff) === SQLITE_BUSY;
}
