import type { Clock } from "../../shared/clock.ts";
import type { Connection, Row } from "../sqlite/connection.ts";
import { truePath } from "../sqlite/file.ts";
import { WriterLock } from "../sqlite/lock.ts";
import { openFrameFile } from "./frame-file.ts";
import { startAt, startOldest, type FrameGap, type FrameStart } from "./frame-starts.ts";
import { behindExtra, behindNomads, newestIn, type Newest } from "./newest.ts";

/** A frame of Nomad's event stream, as Nomad wrote it. */
export interface Frame {
  /** Raft index; several frames in a row may have the same one. */
  readonly index: number;
  /** Without the newline. */
  readonly line: Buffer;
}

/** A frame that Nomad never sends. It stands behind those that were recorded before it. */
export interface ExtraFrame {
  /** Raft index at which it was seen. */
  readonly index: number;
  /** The frame as it says `index`, which is that, or that of the frame before where that is higher. */
  readonly lineAt: (index: number) => Buffer;
}

export interface RecordedFrame extends Frame {
  /** Counts the frames of the log, from 1, without a gap. */
  readonly sequence: number;
  /** Whether Nomad never sent it. */
  readonly isExtra: boolean;
}

export interface NomadsFrame extends Frame {
  /** Between that index and this frame, frames may be missing, and events of those that are there. */
  readonly gapAfter?: number | undefined;
}

/** What is recorded where not all topics are. */
export interface Narrowed {
  readonly topics: readonly string[];
  /** Raft index: of the other topics, frames behind it are missing. */
  readonly after: number;
}

export interface FrameLogOptions {
  readonly path: string;
  /** Of the frames' lines; the newest frame stays, whatever its size. */
  readonly maxBytes: number;
  readonly maxAgeMs: number;
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
      return new FrameLog(openFrameFile(path), lock, options, clock);
    } catch (error) {
      lock.release();
      throw error;
    }
  }

  /** Sequence of the newest frame; 0 where there never was one. */
  get newest(): number {
    return this.#newest.sequence;
  }

  /** Sequence of the oldest frame that is kept, which is one of Nomad's; `newest` + 1 where there is none. */
  get oldest(): number {
    return this.#oldest;
  }

  /** What `appendExtra` was last told. */
  get followed(): string | undefined {
    return this.#connection.get("SELECT place FROM followed")?.text("place");
  }

  /** What `append` was last told. */
  get narrowed(): Narrowed | undefined {
    const row = this.#connection.get("SELECT topics, after_index FROM narrowed");
    return row && { topics: row.text("topics").split(","), after: row.integer("after_index") };
  }

  /**
   * All of them or none; on the disk as far as a crash of this process goes. `gapAfter`: frames
   * behind that index, and before the first of these, may be missing. `narrowed`: where these are not of all topics.
   */
  append(frames: readonly Frame[], gapAfter?: number, narrowed?: Narrowed): void {
    if (frames.length === 0) return;
    this.#commit((before) => {
      this.#note(narrowed);
      let newest = before;
      for (const [at, { index, line }] of frames.entries()) {
        const isBack = index < newest.ofNomad.index;
        const gap = at === 0 && !isBack ? (gapAfter ?? null) : null;
        newest = behindNomads(newest, index);
        this.#insert(newest, { index, line, gap, isExtra: false });
      }
      return newest;
    });
  }

  /**
   * All of them and the place of the feed that they come from, or nothing. There is a frame of Nomad's before them, with
   * which retention takes them.
   */
  appendExtra(frames: readonly ExtraFrame[], place: string): void {
    this.#commit((before) => {
      let newest = before;
      for (const { index: seenAt, lineAt } of frames) {
        newest = behindExtra(newest, seenAt);
        const { index } = newest;
        this.#insert(newest, { index, line: lineAt(index), gap: null, isExtra: true });
      }
      this.#connection.run(
        "INSERT INTO followed (only_one, place) VALUES (1, ?) ON CONFLICT DO UPDATE SET place = excluded.place",
        [place],
      );
      return newest;
    });
  }

  /** The newest ones of Nomad's, oldest first. */
  newestFrames(most: number): NomadsFrame[] {
    return this.#connection
      .all("SELECT raft_index, gap_after, line FROM frames WHERE extra = 0 ORDER BY sequence DESC LIMIT ?", [
        most,
      ])
      .map((row) => ({
        index: row.integer("raft_index"),
        line: row.bytes("line"),
        gapAfter: row.integerOrNull("gap_after") ?? undefined,
      }))
      .toReversed();
  }

  /** At most so many frames behind `after`, and one at least where there is one. */
  read(after: number, { maxFrames, maxBytes }: { maxFrames: number; maxBytes: number }): RecordedFrame[] {
    const found: RecordedFrame[] = [];
    let bytes = 0;
    this.#connection.each(
      "SELECT sequence, raft_index, extra, line FROM frames WHERE sequence > ? ORDER BY sequence LIMIT ?",
      [after, maxFrames],
      (row) => {
        const frame = frameOf(row);
        bytes += frame.line.length;
        if (found.length > 0 && bytes > maxBytes) return false;
        found.push(frame);
        return true;
      },
    );
    return found;
  }

  /** As Nomad begins without an index. */
  startOldest(what: "buffer" | "all"): FrameStart {
    return startOldest(this.#connection, { newest: this.#newest, oldest: this.#oldest }, what);
  }

  /** As Nomad begins with one. `topics`: those that the reader wants. */
  startAt(index: number, withExtra = false, topics: Iterable<string> = []): FrameStart {
    const ends = { newest: this.#newest, oldest: this.#oldest };
    const { after, gaps, index: from } = startAt(this.#connection, ends, { index, withExtra });
    return { after, gaps: [...gaps, ...this.#gapsUpToNow(from, topics)] };
  }

  /** Where a topic is recorded again, and the frame that will tell of the gap has yet to come. */
  #gapsUpToNow(index: number, topics: Iterable<string>): FrameGap[] {
    const { narrowed } = this;
    const newest = this.#newest.index;
    if (narrowed === undefined || index > newest) return [];
    const isWhole = [...topics].every((topic) => narrowed.topics.includes(topic));
    return isWhole ? [] : [{ after: Math.max(index, narrowed.after), before: newest + 1 }];
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

  #commit(work: (newest: Newest) => Newest): void {
    const before = { newest: this.#newest, bytes: this.#bytes };
    try {
      this.#newest = this.#connection.transaction(() => work(before.newest));
    } catch (error) {
      this.#bytes = before.bytes;
      throw error;
    }
    if (this.#newest.sequence === before.newest.sequence) return;
    this.#trim(this.#clock.now());
    for (const listener of this.#listeners) listener();
  }

  #note(narrowed: Narrowed | undefined): void {
    this.#connection.run("DELETE FROM narrowed");
    if (narrowed === undefined) return;
    const { topics, after } = narrowed;
    this.#connection.run("INSERT INTO narrowed (topics, after_index) VALUES (?, ?)", [topics.join(), after]);
  }

  #insert(
    { sequence, history }: Newest,
    { index, line, gap, isExtra }: Frame & { readonly gap: number | null; readonly isExtra: boolean },
  ): void {
    this.#bytes += line.length;
    this.#connection.run(
      "INSERT INTO frames (sequence, history, raft_index, recorded_ms, gap_after, extra, line) VALUES (?, ?, ?, ?, ?, ?, ?)",
      [sequence, history, index, this.#clock.now(), gap, isExtra ? 1 : 0, line],
    );
  }

  #trim(now: number): void {
    const { maxBytes, maxAgeMs } = this.#options;
    const oldestMs = now - maxAgeMs;
    let bytes = this.#bytes;
    let oldest = this.#oldest;
    this.#connection.each(
      "SELECT sequence, length(line) AS bytes, recorded_ms, extra FROM frames WHERE sequence < ? ORDER BY sequence",
      [this.#newest.ofNomad.sequence],
      (row) => {
        const isOver = bytes > maxBytes || row.integer("recorded_ms") < oldestMs;
        // What stands behind a frame that goes, goes with it.
        if (!isOver && row.integer("extra") === 0) return false;
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
}

function frameOf(row: Row): RecordedFrame {
  return {
    sequence: row.integer("sequence"),
    index: row.integer("raft_index"),
    line: row.bytes("line"),
    isExtra: row.integer("extra") === 1,
  };
}
