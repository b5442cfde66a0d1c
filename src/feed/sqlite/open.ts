import { statSync } from "node:fs";
import { hostname } from "node:os";
import { randomEpoch } from "../epoch.ts";
import { LogUnusable } from "../errors.ts";
import { MAX_DEAD_LETTERS, type FeedLog } from "../log.ts";
import type { Clock } from "../../shared/clock.ts";
import { Connection } from "./connection.ts";
import { damaged } from "./errors.ts";
import { createLogFile, demandOwnership, inspect, isArchived, reserveWriteAhead, truePath } from "./file.ts";
import { WriterLock, type Writer } from "./lock.ts";
import { SqliteLog } from "./log.ts";
import { formatOf, readMeta } from "./rows.ts";
import { SCHEMA_VERSION, upgradeFrom } from "./schema.ts";
import { recordedText } from "./trim.ts";

interface CommonOptions {
  readonly path: string;
  readonly clock: Clock;
  /** How many dead letters a consumer may have. Default: MAX_DEAD_LETTERS. */
  readonly maxDeadLetters?: number;
}

interface ReadOptions extends CommonOptions {
  readonly readOnly: true;
  /** Checked against the file's where given. */
  readonly source?: string;
}

interface WriteOptions extends CommonOptions {
  readonly readOnly?: false;
  /** `nomad://cluster/region`: the only feed this file will ever hold. */
  readonly source: string;
  /**
   * Whether a commit waits for the disk. Always, but for tests and benchmarks: a power cut could take the last
   * commits away and give sequences that subscribers have seen to other events.
   */
  readonly fsync?: boolean;
  /** The file's greatest size; a commit beyond it is refused with LogFull. */
  readonly maxFileBytes?: number;
  /** What commits may keep in memory of what they replace, for consistent reads. Default 64 MiB. */
  readonly maxKeptBytes?: number;
  /** Who we are, for the one who finds the log in use. */
  readonly writer?: Writer;
  /** Six characters of a-z and 0-9. */
  readonly newEpoch?: () => string;
}

export type SqliteLogOptions = ReadOptions | WriteOptions;

/** SQLite blocks the process while it waits for a lock, which only a foreign program can hold. */
const BUSY_MS = 250;
/** With many scopes that all want to write and subscribers that all want to read, that is too long. */
const RUNNING_BUSY_MS = 20;
/** Reading every page takes a second or so per GB; beyond this only the structure is checked. */
const QUICK_CHECK_BYTES = 256 << 20;
const KEPT_BYTES = 64 << 20;
/** Of the write-ahead file, once it was larger. */
const LARGEST_WAL_BYTES = 64 << 20;
/** Reserved for the write-ahead file: SQLite starts over in it after 1000 pages. */
const WAL_BYTES = 10 << 20;

/**
 * Opens the log in the file at `path`, and creates it where there is none. A file that is not a whole log of
 * this source is refused and left as it is.
 * @throws LogUnusable, LogInUse (another process writes it), LogUnavailable, LogFull.
 */
export async function openSqliteLog(options: SqliteLogOptions): Promise<FeedLog> {
  const path = truePath(options.path);
  return options.readOnly === true ? openForReading(path, options) : openForWriting(path, options);
}

function openForReading(path: string, options: ReadOptions): FeedLog {
  if (inspect(path, true) === "absent") {
    throw new LogUnusable(`There is no log at ${path} to read`, {
      hint: "Name the path of one with --feed; the log is created by the process that writes it",
    });
  }
  const connection = new Connection(path, { readOnly: true, busyMs: BUSY_MS, immutable: isArchived(path) });
  return closingOnError(connection, () => {
    connection.snapshot(() => verify(connection, options.source));
    return new SqliteLog({
      connection,
      readOnly: true,
      maxKeptBytes: 0,
      clock: options.clock,
      maxDeadLetters: options.maxDeadLetters ?? MAX_DEAD_LETTERS,
      onClose: () => undefined,
      onClosed: () => undefined,
    });
  });
}

function openForWriting(path: string, options: WriteOptions): FeedLog {
  inspect(path, false);
  const lock = WriterLock.acquire(path, () => describeWriter(path));
  try {
    const { clock } = options;
    const newEpoch = options.newEpoch ?? randomEpoch;
    if (inspect(path, false) === "absent") {
      createLogFile(path, {
        source: options.source,
        epoch: newEpoch(),
        createdAt: recordedText(clock.now()),
      });
    }
    const connection = new Connection(path, { readOnly: false, busyMs: BUSY_MS });
    return closingOnError(connection, () => {
      connection.snapshot(() => verify(connection, options.source));
      checkPages(connection);
      upgrade(connection);
      prepare(connection, options, clock.now());
      return new SqliteLog({
        connection,
        readOnly: false,
        maxKeptBytes: options.maxKeptBytes ?? KEPT_BYTES,
        clock,
        maxDeadLetters: options.maxDeadLetters ?? MAX_DEAD_LETTERS,
        onClose: () => leaveCleanly(connection),
        onClosed: () => lock.release(),
      });
    });
  } catch (error) {
    lock.release();
    throw error;
  }
}

function closingOnError<T>(connection: Connection, work: () => T): T {
  try {
    return work();
  } catch (error) {
    connection.close();
    throw error;
  }
}

/** Checks what costs nothing to check: version, source, and that the events are all there. */
function verify(connection: Connection, source: string | undefined): void {
  const { path } = connection;
  demandOwnership(connection);
  const version = formatOf(connection);
  if (version > SCHEMA_VERSION) {
    throw new LogUnusable(
      `The log ${path} is of format ${version}; this nomad-changefeed knows formats up to ${SCHEMA_VERSION}`,
      { hint: "Run the newer nomad-changefeed that wrote it" },
    );
  }
  if (version < 1) throw damaged(path, `it says it is of format ${version}`);
  const meta = readMeta(connection);
  if (source !== undefined && meta.source !== source) {
    throw new LogUnusable(`The log ${path} belongs to ${meta.source}, not to ${source}`, {
      hint: "Give each cluster and region a log file of its own",
    });
  }
  const first = connection.get("SELECT sequence FROM events ORDER BY sequence LIMIT 1");
  const last = connection.get("SELECT sequence FROM events ORDER BY sequence DESC LIMIT 1");
  const begins = first?.integer("sequence") ?? meta.sequence + 1;
  const ends = last?.integer("sequence") ?? meta.floor;
  if (begins !== meta.floor + 1 || ends !== meta.sequence) {
    throw damaged(
      path,
      `it should hold events ${meta.floor + 1} to ${meta.sequence} and holds ${begins} to ${ends}`,
    );
  }
}

/** All at once or not at all. Readers understand the older format too. */
function upgrade(connection: Connection): void {
  const statements = upgradeFrom(formatOf(connection));
  if (statements === "") return;
  connection.transaction(() => connection.exec(`${statements} PRAGMA user_version = ${SCHEMA_VERSION}`));
}

function checkPages(connection: Connection): void {
  if (statSync(connection.path).size > QUICK_CHECK_BYTES) return;
  const verdict = connection.get("PRAGMA quick_check(1)")?.text("quick_check");
  if (verdict !== "ok") throw damaged(connection.path, verdict ?? "it cannot be checked");
}

function prepare(connection: Connection, options: WriteOptions, nowMs: number): void {
  connection.exec(`PRAGMA journal_mode = WAL; PRAGMA synchronous = ${options.fsync === false ? "OFF" : "FULL"};
    PRAGMA journal_size_limit = ${LARGEST_WAL_BYTES}; PRAGMA cache_size = -16000`);
  if (options.maxFileBytes !== undefined) {
    const pageBytes = connection.get("PRAGMA page_size")?.integer("page_size") ?? 1;
    connection.exec(`PRAGMA max_page_count = ${Math.max(1, Math.floor(options.maxFileBytes / pageBytes))}`);
  }
  const writer = options.writer ?? { pid: process.pid, host: hostname() };
  connection.run("UPDATE meta SET writer = ?", [JSON.stringify({ ...writer, since: recordedText(nowMs) })]);
  if (options.fsync !== false) reserveWriteAhead(connection.path, WAL_BYTES);
  connection.exec(`PRAGMA busy_timeout = ${RUNNING_BUSY_MS}`);
}

function leaveCleanly(connection: Connection): void {
  try {
    connection.run("UPDATE meta SET writer = NULL");
    connection.exec("PRAGMA wal_checkpoint(PASSIVE)");
  } catch {
    // On a full disk we leave as a crash would: the next open copes with that.
  }
}

function describeWriter(path: string): string {
  try {
    const connection = new Connection(path, { readOnly: true, busyMs: 0 });
    try {
      const text = connection.get("SELECT writer FROM meta")?.textOrNull("writer") ?? null;
      if (text === null) return "";
      const { pid, host, since } = JSON.parse(text) as Record<string, unknown>;
      return ` (pid ${String(pid)} on ${String(host)}, since ${String(since)})`;
    } finally {
      connection.close();
    }
  } catch {
    return "";
  }
}
