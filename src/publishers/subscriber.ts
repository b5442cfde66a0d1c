import { setImmediate } from "node:timers/promises";
import type { FeedLog } from "../feed/log.ts";
import { formatCursor, type Cursor } from "../schemas/cursor.ts";
import type { LogEntry } from "../schemas/draft.ts";
import { TooSlow } from "./errors.ts";
import type { EventFilter } from "./event-filter.ts";
import { publicError, type ConnectionFrames } from "./frames.ts";
import { NORMAL_CLOSE_CODE, outcomeOf } from "./outcomes.ts";
import type { Frame, Sink } from "./sink.ts";
import type { StartPoint } from "./start.ts";

const READ_EVENTS = 256;
/** Also what a subscriber that stopped reading costs at most beyond its socket's own buffer. */
const READ_BYTES = 48 * 1024;

export interface SubscriberOptions {
  readonly log: FeedLog;
  readonly sink: Sink;
  readonly frames: ConnectionFrames;
  readonly start: StartPoint;
  readonly filter: EventFilter;
  /** Events after which the stream ends. */
  readonly limit?: number;
  readonly bookmarkIntervalMs: number;
  /** How long a socket may take nothing before its subscriber counts as too slow. */
  readonly stallTimeoutMs: number;
  readonly onDelivered?: (events: number) => void;
  /** The text of an event for this subscriber; absent: all of it. */
  readonly textOf?: (entry: LogEntry) => string;
  /** Writes what comes before the events, hello included. */
  readonly prelude?: Prelude;
  /** Everything up to there was written, or did not pass. */
  readonly onReached?: (cursor: Cursor) => void;
}

/** Answers where the events begin. `write` resolves when the socket takes more, and rejects when the stream ends. */
export type Prelude = (write: (frames: readonly Frame[]) => Promise<void>) => Promise<Cursor>;

/** How a subscription ended: a stable name for metrics and logs, and where it had got to. */
export interface Ending {
  readonly reason: string;
  readonly cursor: Cursor;
  readonly events: number;
  /** What the subscriber was told, if something was wrong. */
  readonly error?: unknown;
}

/** The connection went away by itself; nobody is left to be told why. */
export class ClientGone extends Error {}

/**
 * One subscriber: a cursor over the log, not a queue. Reads a small batch when, and only when, the socket has
 * taken the one before, so a slow subscriber costs one batch and delays nobody.
 *
 * States: hello → (reading ⇄ waiting for the socket ⇄ waiting for the log) → ended.
 */
export class Subscriber {
  readonly #options: SubscriberOptions;
  #cursor: Cursor;
  #events = 0;
  #nextBookmarkAt = 0;

  constructor(options: SubscriberOptions) {
    this.#options = options;
    this.#cursor = options.start.cursor;
  }

  /**
   * Runs until the limit is reached, the log cannot be read from the cursor, or `signal` aborts: with ClientGone
   * in silence, with any other error after telling the subscriber that error. Never rejects.
   */
  async run(signal: AbortSignal): Promise<Ending> {
    const { sink, frames } = this.#options;
    try {
      await this.#begin(signal);
      this.#scheduleBookmark();
      while (!this.#isDone()) await this.#step(signal);
      sink.write([frames.bookmark(this.#cursor)]);
      sink.end(NORMAL_CLOSE_CODE, "limit");
      return this.#ending("limit");
    } catch (error) {
      return this.#fail(signal.aborted ? signal.reason : error);
    }
  }

  async #begin(signal: AbortSignal): Promise<void> {
    const { sink, frames, start, prelude, onReached } = this.#options;
    if (prelude === undefined) {
      sink.write(frames.opening(start));
    } else {
      this.#cursor = await prelude(async (batch) => {
        signal.throwIfAborted();
        sink.write(batch);
        await this.#untilDrained(signal);
      });
    }
    onReached?.(this.#cursor);
  }

  async #untilDrained(signal: AbortSignal): Promise<void> {
    const { sink, stallTimeoutMs } = this.#options;
    const drained = await sink.drained({ timeoutMs: stallTimeoutMs, signal });
    signal.throwIfAborted();
    if (!drained) throw new TooSlow(stallTimeoutMs);
  }

  async #step(signal: AbortSignal): Promise<void> {
    const { log } = this.#options;
    await this.#untilDrained(signal);
    const timeoutMs = Math.max(0, this.#nextBookmarkAt - performance.now());
    const isBehind = await log.waitBeyond(this.#cursor.sequence, { timeoutMs, signal });
    signal.throwIfAborted();
    if (isBehind) {
      const entries = await log.read(this.#cursor, { limit: READ_EVENTS, maxBytes: READ_BYTES });
      signal.throwIfAborted();
      this.#deliver(entries);
      // A long backfill to a fast reader must let others run too.
      await setImmediate();
    }
    if (performance.now() >= this.#nextBookmarkAt) this.#bookmark();
  }

  #deliver(entries: readonly LogEntry[]): void {
    const { sink, filter, limit = Number.POSITIVE_INFINITY, onDelivered, onReached, textOf } = this.#options;
    const { epoch } = this.#cursor;
    const frames = [];
    for (const entry of entries) {
      if (this.#events + frames.length === limit) break;
      this.#cursor = { epoch, sequence: entry.sequence };
      if (filter(entry))
        frames.push({ json: textOf?.(entry) ?? entry.json, cursor: formatCursor(this.#cursor) });
    }
    onReached?.(this.#cursor);
    if (frames.length === 0) return;
    sink.write(frames);
    this.#events += frames.length;
    onDelivered?.(frames.length);
  }

  #isDone(): boolean {
    return this.#events === this.#options.limit;
  }

  #bookmark(): void {
    this.#options.sink.write([this.#options.frames.bookmark(this.#cursor)]);
    this.#scheduleBookmark();
  }

  #scheduleBookmark(): void {
    this.#nextBookmarkAt = performance.now() + this.#options.bookmarkIntervalMs;
  }

  #fail(error: unknown): Ending {
    if (error instanceof ClientGone) return this.#ending("client-gone");
    const { sink, frames } = this.#options;
    const { closeCode } = outcomeOf(error);
    const { code } = publicError(error);
    sink.write([frames.error(error, this.#cursor)]);
    sink.end(closeCode, code);
    return { ...this.#ending(code), error };
  }

  #ending(reason: string): Ending {
    return { reason, cursor: this.#cursor, events: this.#events };
  }
}
