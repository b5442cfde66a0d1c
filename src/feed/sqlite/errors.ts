import { statfsSync } from "node:fs";
import { dirname } from "node:path";
import { ChangefeedError } from "../../schemas/errors.ts";
import { LogFull, LogUnavailable, LogUnusable } from "../errors.ts";

/** Primary result codes of SQLite (the low byte of `errcode`). */
export const SQLITE = {
  ERROR: 1,
  BUSY: 5,
  LOCKED: 6,
  IOERR: 10,
  CORRUPT: 11,
  FULL: 13,
  SCHEMA: 17,
  CONSTRAINT: 19,
  MISMATCH: 20,
  NOTADB: 26,
};
const READONLY_DBMOVED = 1032;
const NEARLY_NOTHING_BYTES = 1 << 20;

interface SqliteError extends Error {
  readonly code: "ERR_SQLITE_ERROR";
  readonly errcode: number;
}

function isSqliteError(error: unknown): error is SqliteError {
  return error instanceof Error && "code" in error && error.code === "ERR_SQLITE_ERROR" && "errcode" in error;
}

/** SQLite's primary result code behind an error of this module, if it has one. */
export function sqliteCode(error: unknown): number | undefined {
  const cause = error instanceof ChangefeedError ? error.cause : error;
  return isSqliteError(cause) ? cause.errcode & 0xff : undefined;
}

/** The feed's error for what SQLite reported about the file at `path`; anything else comes back as it is. */
export function translate(error: unknown, path: string): unknown {
  if (!isSqliteError(error)) return error;
  const cause = error;
  const said = `${error.message} (SQLite ${error.errcode})`;
  if (error.errcode === READONLY_DBMOVED) return moved(path, cause);
  switch (error.errcode & 0xff) {
    case SQLITE.FULL:
      return full(path, said, cause);
    case SQLITE.IOERR:
      return diskIsFull(path)
        ? full(path, said, cause)
        : unavailable(path, said, "Look at the disk and the system log", cause);
    case SQLITE.BUSY:
    case SQLITE.LOCKED:
      return unavailable(path, said, "Another program holds a write transaction on the file; end it", cause);
    case SQLITE.CORRUPT:
    case SQLITE.NOTADB:
      return damaged(path, said, cause);
    case SQLITE.ERROR:
    case SQLITE.SCHEMA:
    case SQLITE.CONSTRAINT:
    case SQLITE.MISMATCH:
      return damaged(path, `its tables are not as we left them: ${said}`, cause);
    default:
      return unavailable(path, said, "Check that the file and its directory can be read and written", cause);
  }
}

export function moved(path: string, cause?: unknown): LogUnusable {
  return new LogUnusable(`The log ${path} was moved, removed or replaced while it was in use`, {
    hint: "Put the file back, and writing goes on; what was committed before is in the moved file and its -wal",
    cause,
  });
}

export function damaged(path: string, what: string, cause?: unknown): LogUnusable {
  return new LogUnusable(`The log ${path} is damaged: ${what}`, {
    hint: "Nothing was changed. Restore the file from a backup, or move it (with its -wal and -shm) aside to begin a new log",
    cause,
  });
}

function full(path: string, said: string, cause: unknown): LogFull {
  return new LogFull(`No room to write to the log ${path}: ${said}`, {
    hint: "Free disk space, or lower the retention limits; writing goes on by itself once there is room",
    cause,
  });
}

function unavailable(path: string, said: string, hint: string, cause: unknown): LogUnavailable {
  return new LogUnavailable(`The log ${path} cannot be used now: ${said}`, { hint, cause });
}

/** SQLite says "I/O error", not "full", where it could not grow its shared-memory file. */
function diskIsFull(path: string): boolean {
  try {
    const { bavail, bsize } = statfsSync(dirname(path));
    return bavail * bsize < NEARLY_NOTHING_BYTES;
  } catch {
    return false;
  }
}
