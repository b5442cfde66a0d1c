import {
  accessSync,
  closeSync,
  constants,
  fsyncSync,
  openSync,
  readSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
} from "node:fs";
import { basename, dirname, join, resolve } from "node:path";
import { LogUnusable } from "../errors.ts";
import { Connection } from "./connection.ts";
import { APPLICATION_ID, SCHEMA, SCHEMA_VERSION } from "./schema.ts";

const MAGIC = "SQLite format 3\0";
const HEADER_BYTES = 100;
const APPLICATION_ID_OFFSET = 68;
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

/** "absent" also where the file is empty, as `mktemp` or `touch` leave it. Reads, never opens as a database. */
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
  const header = readHeader(path);
  if (header.length < HEADER_BYTES || header.toString("latin1", 0, MAGIC.length) !== MAGIC) {
    throw notOurs(path, "it is not a SQLite database, or its beginning is damaged");
  }
  if (header.readUInt32BE(APPLICATION_ID_OFFSET) !== APPLICATION_ID) {
    throw notOurs(path, "it is the SQLite database of another program");
  }
  return "log";
}

/**
 * Creates the log whole, under another name, and then gives it its own: nobody ever sees half of one. The
 * caller holds the writer's lock.
 */
export function createLogFile(
  path: string,
  birth: { source: string; epoch: string; createdAt: string },
): void {
  const draft = `${path}.new`;
  rmSync(draft, { force: true });
  const connection = new Connection(draft, { readOnly: false, busyMs: 0 });
  try {
    connection.exec(
      `PRAGMA page_size = ${PAGE_BYTES}; PRAGMA auto_vacuum = INCREMENTAL; PRAGMA synchronous = FULL`,
    );
    connection.transaction(() => {
      connection.exec(SCHEMA);
      connection.exec(`PRAGMA application_id = ${APPLICATION_ID}; PRAGMA user_version = ${SCHEMA_VERSION}`);
      connection.run("INSERT INTO meta (one, source, epoch, created_at) VALUES (1, ?, ?, ?)", [
        birth.source,
        birth.epoch,
        birth.createdAt,
      ]);
    });
  } finally {
    connection.close();
  }
  renameSync(draft, path);
  syncDirectory(dirname(path));
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

function readHeader(path: string): Buffer {
  const header = Buffer.alloc(HEADER_BYTES);
  const file = openSync(path, "r");
  try {
    return header.subarray(0, readSync(file, header, 0, HEADER_BYTES, 0));
  } finally {
    closeSync(file);
  }
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
