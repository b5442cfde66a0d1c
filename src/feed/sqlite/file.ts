import {
  accessSync,
  appendFileSync,
  closeSync,
  constants,
  fsyncSync,
  openSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
  truncateSync,
} from "node:fs";
import { basename, dirname, join, resolve } from "node:path";
import { LogUnusable } from "../errors.ts";
import { Connection } from "./connection.ts";
import { SQLITE, sqliteCode } from "./errors.ts";
import { APPLICATION_ID, SCHEMA, SCHEMA_VERSION } from "./schema.ts";

/** Events are a few KB: larger pages than SQLite's default waste less of them. */
const PAGE_BYTES = 8192;

/** The file's one true path: links resolved, so that two names of one log meet at one lock. */
export function truePath(path: string): string {
  const absolute = resolve(path);
  if (statOf(absolute) !== undefined) return realpathSync(absolute);
  const directory = dirname(absolute);
  const found = statOf(directory);
  if (found === undefined) {
    throw new LogUnusable(`The directory ${directory} for the log ${absolute} does not exist`, {
      hint: "Create the directory, owned by the user this process runs as",
    });
  }
  if (!found.isDirectory()) {
    throw new LogUnusable(`${directory}, which should hold the log ${absolute}, is not a directory`);
  }
  return join(realpathSync(directory), basename(absolute));
}

/**
 * Whether there is a log. "absent" also where the file is empty, as `mktemp` or `touch` leave it.
 *
 * The file is opened by SQLite only, here and everywhere: closing it by other means would silently drop the
 * locks this process may hold on it. `immutable` makes SQLite touch nothing, whoever's database it is.
 */
export function inspect(path: string, readOnly: boolean): "absent" | "log" {
  const found = statOf(path);
  if (found !== undefined && !found.isFile()) {
    throw new LogUnusable(`${path} is not a file, so it cannot be a log`);
  }
  if (!readOnly) demandAccess(dirname(path), constants.W_OK | constants.X_OK, "write to the directory");
  if (found === undefined) return "absent";
  demandAccess(
    path,
    readOnly ? constants.R_OK : constants.R_OK | constants.W_OK,
    readOnly ? "read" : "write to",
  );
  if (found.size === 0) return "absent";
  const connection = new Connection(path, { readOnly: true, busyMs: 0, immutable: true });
  try {
    demandOwnership(connection);
  } catch (error) {
    if (sqliteCode(error) === SQLITE.NOTADB)
      throw notOurs(path, "it is not a SQLite database, or its beginning is damaged");
    // What SQLite cannot read without the write-ahead file may be whole with it: opening the log tells.
    if (sqliteCode(error) === undefined) throw error;
  } finally {
    connection.close();
  }
  return "log";
}

/**
 * Whether nobody writes the log and we may create no file beside it, as SQLite otherwise does to read: a copy
 * in a place of which we may only read.
 */
export function isArchived(path: string): boolean {
  if (statOf(`${path}-wal`) !== undefined) return false;
  try {
    accessSync(dirname(path), constants.W_OK);
    return false;
  } catch {
    return true;
  }
}

/** Tells the file that is at `path` now from any that takes its place while it is open; undefined for none. */
export function placeHolder(path: string): number | undefined {
  return statOf(path)?.ino;
}

/** @throws LogUnusable where the database is another program's. */
export function demandOwnership(connection: Connection): void {
  const owner = connection.get("PRAGMA application_id")?.integer("application_id");
  if (owner !== APPLICATION_ID)
    throw notOurs(connection.path, "it is the SQLite database of another program");
}

/**
 * Creates the log whole, under another name, and then gives it its own: nobody ever sees half of one. The
 * caller holds the writer's lock.
 * @throws LogUnusable where SQLite's files of another log would become part of the new one.
 */
export function createLogFile(
  path: string,
  identity: { source: string; epoch: string; createdAt: string },
): void {
  demandNoRemains(path);
  const draft = `${path}.new`;
  removeDraft(draft);
  try {
    fillLogFile(draft, identity);
    renameSync(draft, path);
  } catch (error) {
    removeDraft(draft);
    throw error;
  }
  syncDirectory(dirname(path));
}

function fillLogFile(draft: string, identity: { source: string; epoch: string; createdAt: string }): void {
  const connection = new Connection(draft, { readOnly: false, busyMs: 0 });
  try {
    connection.exec(
      `PRAGMA page_size = ${PAGE_BYTES}; PRAGMA auto_vacuum = INCREMENTAL; PRAGMA synchronous = FULL`,
    );
    connection.transaction(() => {
      connection.exec(SCHEMA);
      connection.exec(`PRAGMA application_id = ${APPLICATION_ID}; PRAGMA user_version = ${SCHEMA_VERSION}`);
      connection.run("INSERT INTO meta (one, source, epoch, created_at) VALUES (1, ?, ?, ?)", [
        identity.source,
        identity.epoch,
        identity.createdAt,
      ]);
    });
  } finally {
    connection.close();
  }
}

/** SQLite takes the pages in them for the new log's own. They may be the only copy of what was committed last. */
function demandNoRemains(path: string): void {
  const remains = ["-wal", "-journal"].map((suffix) => path + suffix);
  const found = remains.find((file) => (statOf(file)?.size ?? 0) > 0);
  if (found === undefined) return;
  throw new LogUnusable(`There is no log at ${path}, but ${found}, which belongs to one, is still there`, {
    hint: `Put the log back where it was; or, to begin a new one, move ${found} away too`,
  });
}

/**
 * Makes the write-ahead file as large as it becomes before SQLite starts over at its beginning. A commit that overwrites
 * is on the disk sooner than one that makes the file longer (decision 28), and SQLite takes zeros for the end of what
 * was written. Where the disk has no room for it, nothing is reserved.
 */
export function reserveWriteAhead(path: string, bytes: number): void {
  const file = `${path}-wal`;
  const size = statOf(file)?.size ?? 0;
  try {
    if (size < bytes) appendFileSync(file, Buffer.alloc(bytes - size), { flush: true });
  } catch {
    truncateSync(file, size);
  }
}

function removeDraft(draft: string): void {
  for (const file of [draft, `${draft}-journal`]) rmSync(file, { force: true });
}

function statOf(path: string) {
  try {
    return statSync(path, { throwIfNoEntry: false });
  } catch (error) {
    throw denied(path, "look at", error);
  }
}

function demandAccess(path: string, mode: number, doing: string): void {
  try {
    accessSync(path, mode);
  } catch (error) {
    throw denied(path, doing, error);
  }
}

function denied(path: string, doing: string, cause: unknown): LogUnusable {
  return new LogUnusable(`No permission to ${doing} ${path}`, {
    hint: "Give the user this process runs as access to the log and its directory",
    cause,
  });
}

function notOurs(path: string, why: string): LogUnusable {
  return new LogUnusable(`${path} is not a log of nomad-changefeed: ${why}`, {
    hint: "The file was left untouched. Name another file, or move this one away, or restore the log from a backup",
  });
}

/** A new name survives a power cut only once its directory is on the disk. */
function syncDirectory(path: string): void {
  const directory = openSync(path, "r");
  try {
    fsyncSync(directory);
  } finally {
    closeSync(directory);
  }
}
