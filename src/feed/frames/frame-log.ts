import { closeSync, openSync } from "node:fs";
import type { Clock } from "../../shared/clock.ts";
import { LogUnusable } from "../errors.ts";
import { Connection } from "../sqlite/connection.ts";
import { truePath } from "../sqlite/file.ts";
import { WriterLock } from "../sqlite/lock.ts";

/** A frame of Nomad's event stream, as Nomad wrote it. */
export interface Frame {
  /** Raft index; several frames in a row may have the same one. */
  readonly index: number;
  /** Without the newline. */
  readonly line: Buffer;
}

export interface RecordedFrame extends Frame {
  /** Counts the frames of the log, from 1, without a gap. */
  readonly sequence: number;
}

/** Frames that Nomad had and the log has not: those behind `after`, before `before`. */
export interface FrameGap {
  readonly after: number;
  readonly before: number;
}

/** Where a reader begins. */
export interface FrameStart {
  /** Sequence behind which it reads. */
  readonly after: number;
  /** What it misses, as far as that is known. */
  readonly gaps: readonly FrameGap[];
}

export interface FrameLogOptions {
  readonly path: string;
  /** Of the frames' lines; the newest frame stays, whatever its size. */
  readonly maxBytes: number;
  readonly maxAgeMs: number;
}

/** "NCFF", at offset 68 of the file. */
const APPLICATION_ID = 0x4e434646;
const FORMAT = 1;

/**
 * `history` grows where Nomad's index went back, as after a restore: within one, the index never falls. A gap is kept
 * with the frame behind it, and goes with it.
 */
const TABLES = `
CREATE TABLE frames (
  sequence    INTEGER PRIMARY KEY,
  history     INTEGER NOT NULL,
  raft_index  INTEGER NOT NULL,
  recorded_ms INTEGER NOT NULL,
  gap_after   INTEGER,
  line        BLOB    NOT NULL
);
CREATE INDEX frames_by_index ON frames (history, raft_index, sequence);
CREATE INDEX gaps ON frames (history, raft_index, gap_after) WHERE gap_after IS NOT NULL;
PRAGMA application_id = ${APPLICATION_ID};
PRAGMA user_version = ${FORMAT};
`;

/** How many frames Nomad's own buffer has, if nobody configured it: `event_buffer_size`. */
const NOMAD_BUFFER = 100;

interface Newest {
  readonly sequence: number;
  readonly history: number;
  readonly index: number;
}

/** Frames of Nomad's event stream in a file of their own, oldest first. One process at a time opens it. */
export class FrameLog implements Disposable {
  readonly #connection: Connection;
  readonly #lock: WriterLock;
  readonly #options: FrameLogOptions;
  readonly #clock: Pick<Clock, "now">;
  readonly #listeners = new Set<() => void>();
  #newest: Newest;
  #oldest: number;
  #bytes: number;

  private constructor(
    connection: Connection,
    lock: WriterLock,
    options: FrameLogOptions,
    clock: Pick<Clock, "now">,
  ) {
    this.#connection = connection;
    this.#lock = lock;
    this.#options = options;
    this.#clock = clock;
    this.#newest = newestIn(connection);
    const row = connection.get("SELECT min(sequence) AS oldest, sum(length(line)) AS bytes FROM frames");
    this.#oldest = row?.integerOrNull("oldest") ?? this.#newest.sequence + 1;
    this.#bytes = row?.integerOrNull("bytes") ?? 0;
  }

  /** @throws LogUnusable, LogInUse, LogUnavailable */
  static open(options: FrameLogOptions, clock: Pick<Clock, "now">): FrameLog {
    const path = truePath(options.path);
    const lock = WriterLock.acquire(path, () => "");
    try {
      return new FrameLog(openFile(path), lock, options, clock);
    } catch (error) {
      lock.release();
      throw error;
    }
  }

  /** Sequence of the newest frame; 0 where there never was one. */
  get newest(): number {
    return this.#newest.sequence;
  }

  /** Sequence of the oldest frame that is kept; `newest` + 1 where there is none. */
  get oldest(): number {
    return this.#oldest;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** Of the oldest and the newest frame; undefined where there is none. */
  get indexes(): { readonly oldest: number; readonly newest: number } | undefined {
    const oldest = this.#connection
      .get("SELECT raft_index FROM frames WHERE sequence = ?", [this.#oldest])
      ?.integer("raft_index");
    return oldest === undefined ? undefined : { oldest, newest: this.#newest.index };
  }

  /**
   * All of them or none; on the disk as far as a crash of this process goes. `gapAfter`: frames
   * behind that index, and before the first of these, may be missing.
   */
  append(frames: readonly Frame[], gapAfter?: number): void {
    if (frames.length === 0) return;
    const now = this.#clock.now();
    let newest = this.#newest;
    let bytes = 0;
    this.#connection.transaction(() => {
      for (const [at, { index, line }] of frames.entries()) {
        const isBack = index < newest.index;
        const gap = at === 0 && !isBack ? (gapAfter ?? null) : null;
        newest = {
          sequence: newest.sequence + 1,
          history: newest.history + (isBack ? 1 : 0),
          index,
        };
        bytes += line.length;
        this.#connection.run(
          "INSERT INTO frames (sequence, history, raft_index, recorded_ms, gap_after, line) VALUES (?, ?, ?, ?, ?, ?)",
          [newest.sequence, newest.history, index, now, gap, line],
        );
      }
    });
    this.#newest = newest;
    this.#bytes += bytes;
    this.#trim(now);
    for (const listener of this.#listeners) listener();
  }

  /** The newest ones, oldest first. */
  newestFrames(most: number): RecordedFrame[] {
    return this.read(Math.max(this.#oldest - 1, this.newest - most), { maxFrames: most, maxBytes: Infinity });
  }

  /** At most so many frames behind `after`, and one at least where there is one. */
  read(after: number, { maxFrames, maxBytes }: { maxFrames: number; maxBytes: number }): RecordedFrame[] {
    const found: RecordedFrame[] = [];
    let bytes = 0;
    this.#connection.each(
      "SELECT sequence, raft_index, line FROM frames WHERE sequence > ? ORDER BY sequence LIMIT ?",
      [after, maxFrames],
      (row) => {
        const frame = {
          sequence: row.integer("sequence"),
          index: row.integer("raft_index"),
          line: row.bytes("line"),
        };
        bytes += frame.line.length;
        if (found.length > 0 && bytes > maxBytes) return false;
        found.push(frame);
        return true;
      },
    );
    return found;
  }

  /** As Nomad begins without an index: with the frames that its buffer would hold, or with the oldest of all. */
  startOldest(what: "buffer" | "all"): FrameStart {
    const after = what === "all" ? this.#oldest - 1 : Math.max(this.#oldest - 1, this.newest - NOMAD_BUFFER);
    return { after, gaps: [] };
  }

  /**
   * As Nomad begins with one: with the first frame of that index, or else the next one, or else the last there is. An
   * index that only a history before reached leads to the first frame after it.
   */
  startAt(index: number): FrameStart {
    const { history } = this.#newest;
    const next = this.#sequenceOf("history = ? AND raft_index >= ? ORDER BY raft_index, sequence LIMIT 1", [
      history,
      index,
    ]);
    if (next !== undefined) return { after: next - 1, gaps: this.#gapsFrom(index, next) };
    const wasReached = this.#sequenceOf("history < ? AND raft_index >= ? LIMIT 1", [history, index]);
    if (wasReached === undefined) return { after: Math.max(0, this.newest - 1), gaps: [] };
    const first = this.#sequenceOf("history = ? ORDER BY sequence LIMIT 1", [history]) ?? this.newest;
    return { after: first - 1, gaps: [] };
  }

  /** Calls `listener` after each append, until the returned function is called. */
  onAppended(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  [Symbol.dispose](): void {
    this.#connection.close();
    this.#lock.release();
  }

  #gapsFrom(index: number, next: number): FrameGap[] {
    const { history } = this.#newest;
    const kept = this.#connection.all(
      "SELECT gap_after, raft_index FROM frames WHERE history = ? AND raft_index > ? AND gap_after IS NOT NULL ORDER BY sequence",
      [history, index],
    );
    const gaps = kept.map((row) => ({
      after: Math.max(index, row.integer("gap_after")),
      before: row.integer("raft_index"),
    }));
    if (next !== this.#oldest) return gaps;
    const oldest = this.indexes?.oldest ?? index;
    // Whether there were frames in between is not known any more.
    return oldest > index
      ? [{ after: index, before: oldest }, ...gaps.slice(gaps[0]?.before === oldest ? 1 : 0)]
      : gaps;
  }

  #trim(now: number): void {
    const { maxBytes, maxAgeMs } = this.#options;
    const oldestMs = now - maxAgeMs;
    let bytes = this.#bytes;
    let oldest = this.#oldest;
    this.#connection.each(
      "SELECT sequence, length(line) AS bytes, recorded_ms FROM frames WHERE sequence < ? ORDER BY sequence",
      [this.newest],
      (row) => {
        if (bytes <= maxBytes && row.integer("recorded_ms") >= oldestMs) return false;
        bytes -= row.integer("bytes");
        oldest = row.integer("sequence") + 1;
        return true;
      },
    );
    if (oldest === this.#oldest) return;
    this.#connection.run("DELETE FROM frames WHERE sequence < ?", [oldest]);
    this.#oldest = oldest;
    this.#bytes = bytes;
  }

  #sequenceOf(where: string, values: readonly number[]): number | undefined {
    return this.#connection.get(`SELECT sequence FROM frames WHERE ${where}`, values)?.integer("sequence");
  }
}

function newestIn(connection: Connection): Newest {
  const row = connection.get(
    "SELECT sequence, history, raft_index FROM frames ORDER BY sequence DESC LIMIT 1",
  );
  if (row === undefined) return { sequence: 0, history: 0, index: 0 };
  return {
    sequence: row.integer("sequence"),
    history: row.integer("history"),
    index: row.integer("raft_index"),
  };
}

function openFile(path: string): Connection {
  // Frames hold whole jobs, with what is secret in them.
  closeSync(openSync(path, "a", 0o600));
  const connection = new Connection(path, { readOnly: false, busyMs: 250 });
  try {
    const owner = connection.get("PRAGMA application_id")?.integer("application_id");
    const format = connection.get("PRAGMA user_version")?.integer("user_version");
    const isNew = owner === 0 && connection.get("SELECT 1 AS one FROM sqlite_schema LIMIT 1") === undefined;
    if (!isNew && owner !== APPLICATION_ID)
      throw new LogUnusable(`${path} is not a log of frames: it is the SQLite database of another program`, {
        hint: "Give --compat-log a file of its own; the feed's own log is another one",
      });
    if (!isNew && format !== FORMAT)
      throw new LogUnusable(`The log of frames ${path} has format ${format}; this version reads ${FORMAT}`, {
        hint: "Use the version that wrote it, or move it aside to begin a new one",
      });
    connection.exec("PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL");
    if (isNew) connection.transaction(() => connection.exec(TABLES));
    return connection;
  } catch (error) {
    connection.close();
    throw error;
  }
}
