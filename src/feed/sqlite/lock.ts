import { FileLock } from "../../shared/file-lock.ts";
import { LogInUse } from "../errors.ts";
import { translate } from "./errors.ts";

/** Who writes a log, for the error the next one gets. */
export interface Writer {
  readonly pid: number;
  readonly host: string;
}

/** The right to write the log at `path`: a lock on `<path>.lock`. The log itself stays free for readers. */
export class WriterLock {
  readonly #lock: FileLock;

  private constructor(lock: FileLock) {
    this.#lock = lock;
  }

  /** @throws LogInUse where another writer holds it; `describe` says who, as far as anybody knows. */
  static acquire(path: string, describe: () => string): WriterLock {
    const lock = locked(`${path}.lock`);
    if (lock !== undefined) return new WriterLock(lock);
    throw new LogInUse(`The log ${path} is being written by another process${describe()}`, {
      hint: "Stop that process, or give this one a log file of its own; reading the log needs no lock",
    });
  }

  release(): void {
    this.#lock[Symbol.dispose]();
  }
}

function locked(path: string): FileLock | undefined {
  try {
    return FileLock.acquire(path);
  } catch (error) {
    throw translate(error, path);
  }
}
