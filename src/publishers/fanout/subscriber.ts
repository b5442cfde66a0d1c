import { EventsMissing } from "../../feed/errors.ts";
import type { FeedLog } from "../../feed/log.ts";
import type { Cursor } from "../../schemas/cursor.ts";
import type { Clock } from "../../shared/clock.ts";
import { Batch, BATCH_LIMITS } from "./batch.ts";
import { TooSlow } from "../connection/errors.ts";
import { publicError, type ConnectionFrames } from "../connection/frames.ts";
import { NORMAL_CLOSE_CODE, outcomeOf } from "../connection/outcomes.ts";
import { Lag } from "./lag.ts";
import { Pace } from "./pace.ts";
import type { Ring } from "./ring.ts";
import type { Frame, Sink } from "../connection/sink.ts";
import type { StartPoint } from "../connection/start.ts";
import type { FairScheduler } from "./fair-scheduler.ts";
import type { Selection, EventSelector } from "./event-selector.ts";

export interface SubscriberOptions {
  readonly log: Pick<FeedLog, "read">;
  readonly ring: Ring;
  readonly scheduler: FairScheduler;
  readonly clock: Clock;
  readonly sink: Sink;
  readonly frames: ConnectionFrames;
  readonly start: StartPoint;
  readonly selector: EventSelector;
  /** Events after which the stream ends. */
  readonly limit?: number;
  readonly bookmarkIntervalMs: number;
  /** How long a socket may take nothing before its subscriber counts as too slow. */
  readonly stallTimeoutMs: number;
  /** How long a subscriber whose filters are dear may fall further behind. */
  readonly catchUpTimeoutMs?: number;
  readonly onDelivered?: (events: number) => void;
  /** Writes what comes before the events, hello included. */
  readonly prelude?: Prelude;
  /** Everything up to there was written, or did not pass. */
  readonly onReached?: (cursor: Cursor) => void;
}

const CATCH_UP_TIMEOUT_MS = 60_000;

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
 * One subscriber: a cursor, not a queue. In its turn it writes one batch, if its socket took all of the one before, so
 * a slow one costs one batch at most, which it shares with others, and delays nobody. The batch comes from the ring,
 * or where the cursor is behind the ring, from the log. One whose filters are dear goes only as far into a batch as a
 * turn may take, and goes on there when the others had theirs.
 *
 * States: waiting for the socket, for the log to be read, or for news of the ring; each ends with a turn.
 */
export class Subscriber {
  readonly #options: SubscriberOptions;
  readonly #ending = Promise.withResolvers<Ending>();
  readonly #pace: Pace;
  #cursor: Cursor;
  /** What was read from the log, until it is dealt with. */
  #read: Batch | undefined;
  readonly #lag: Lag;
  #events = 0;
  #nextBookmarkAt = 0;
  #cancelBookmark: (() => void) | undefined;
  #cancelStall: (() => void) | undefined;
  #leaveRing: (() => void) | undefined;
  #hasTurn = false;
  #isReading = false;
  #hasNews = false;
  #isOver = false;
  /** Who had a part of a snapshot has nothing to go on from. */
  #hasBegun = false;

  constructor(options: SubscriberOptions) {
    this.#options = options;
    this.#cursor = options.start.cursor;
    this.#pace = new Pace(options.clock);
    this.#lag = new Lag(options.catchUpTimeoutMs ?? CATCH_UP_TIMEOUT_MS, options.clock);
  }

  /** Everything up to there was written, or did not pass. */
  get cursor(): Cursor {
    return this.#cursor;
  }

  /**
   * Runs until the limit is reached, the log cannot be read from the cursor, or `signal` aborts: with ClientGone
   * in silence, with any other error after telling the subscriber that error. Never rejects.
   */
  async run(signal: AbortSignal): Promise<Ending> {
    const onAbort = () => this.#fail(signal.reason);
    signal.addEventListener("abort", onAbort, { once: true });
    if (this.#options.prelude === undefined) this.#attempt(() => this.#beginAtOnce());
    else void this.#beginWith(this.#options.prelude, signal);
    if (signal.aborted) onAbort();
    const ending = await this.#ending.promise;
    signal.removeEventListener("abort", onAbort);
    return ending;
  }

  #beginAtOnce(): void {
    const { sink, frames, start } = this.#options;
    sink.write(frames.opening(start));
    this.#follow();
  }

  async #beginWith(prelude: Prelude, signal: AbortSignal): Promise<void> {
    try {
      this.#cursor = await prelude(async (batch) => {
        signal.throwIfAborted();
        this.#options.sink.write(batch);
        await this.#untilClear(signal);
      });
      signal.throwIfAborted();
      this.#attempt(() => this.#follow());
    } catch (error) {
      this.#fail(error);
    }
  }

  /** From here on the events. */
  #follow(): void {
    this.#hasBegun = true;
    this.#options.onReached?.(this.#cursor);
    this.#scheduleBookmark();
    this.#leaveRing = this.#options.ring.join(() => this.#hear());
    this.#requestTurn();
  }

  async #untilClear(signal: AbortSignal): Promise<void> {
    const { sink, clock, stallTimeoutMs } = this.#options;
    if (sink.isClear) return;
    const clear = Promise.withResolvers<void>();
    const cancel = clock.after(stallTimeoutMs, () => clear.reject(new TooSlow(stallTimeoutMs)));
    const onAbort = () => clear.reject(signal.reason);
    signal.addEventListener("abort", onAbort, { once: true });
    sink.whenClear(() => clear.resolve());
    try {
      await clear.promise;
    } finally {
      cancel();
      signal.removeEventListener("abort", onAbort);
    }
  }

  #hear(): void {
    this.#hasNews = true;
    this.#requestTurn();
  }

  #requestTurn(): void {
    if (this.#hasTurn || this.#isReading || this.#isOver || this.#cancelStall !== undefined) return;
    this.#hasTurn = true;
    const { scheduler } = this.#options;
    if (this.#pace.goesLast) scheduler.scheduleLast(this.#onTurn);
    else scheduler.schedule(this.#onTurn);
  }

  readonly #onTurn = (): void => {
    this.#hasTurn = false;
    this.#attempt(() => this.#step());
  };

  #step(): void {
    const { sink } = this.#options;
    if (!sink.isClear) return this.#waitForSocket();
    this.#hasNews = false;
    this.#pace.beginTurn();
    let next = this.#isDone() ? undefined : this.#next();
    if (next instanceof Batch) next = this.#deliverFrom(next);
    if (this.#isDone()) return this.#finish();
    this.#lag.note(this.#behindBy());
    if (this.#options.clock.elapsed() >= this.#nextBookmarkAt) this.#bookmark();
    if (!sink.isClear) this.#waitForSocket();
    else if (next === "behind") void this.#readLog();
    else if (next !== undefined) this.#requestTurn();
  }

  /** What goes on after the cursor, as the ring answers it. */
  #next(): Batch | "behind" | undefined {
    if (this.#read !== undefined && this.#read.last > this.#cursor.sequence) return this.#read;
    this.#read = undefined;
    return this.#options.ring.next(this.#cursor);
  }

  /** Of one whose filters are dear, and who is behind the ring. */
  #behindBy(): number | undefined {
    const { ring } = this.#options;
    const isBehind = this.#pace.goesLast && ring.next(this.#cursor) === "behind";
    return isBehind ? ring.behindBy(this.#cursor) : undefined;
  }

  /** Delivers what is there, from `first` on, as far as one turn may go. Answers what comes next. */
  #deliverFrom(first: Batch): Batch | "behind" | undefined {
    const chunks: Buffer[] = [];
    let next: Batch | "behind" | undefined = first;
    let scanned = 0;
    let scannedBytes = 0;
    let events = 0;
    while (next instanceof Batch && !this.#isDone(events)) {
      scanned += next.entries.length;
      scannedBytes += next.jsonBytes;
      if (next !== first && (scanned > BATCH_LIMITS.limit || scannedBytes > BATCH_LIMITS.maxBytes)) break;
      const selection = this.#select(next, events);
      chunks.push(...selection.chunks);
      events += selection.events;
      next = this.#next();
      if (this.#pace.isTurnOver) break;
    }
    this.#write(chunks, events);
    return next;
  }

  async #readLog(): Promise<void> {
    this.#isReading = true;
    try {
      const entries = await this.#options.log.read(this.#cursor, BATCH_LIMITS);
      if (this.#isOver) return;
      this.#read = new Batch(this.#cursor, entries);
      this.#isReading = false;
      // Nothing more in the log: the ring has news once it is where this cursor is.
      if (entries.length > 0 || this.#hasNews) this.#requestTurn();
    } catch (error) {
      if (error instanceof EventsMissing) this.#goBehind(error);
      else this.#fail(error);
    }
  }

  /** Says which events are missing, and goes on behind them. */
  #goBehind({ behind }: EventsMissing): void {
    if (this.#isOver) return;
    this.#options.sink.write([this.#options.frames.gap({ wanted: this.#cursor, reason: "missing" }, behind)]);
    this.#cursor = behind;
    this.#options.onReached?.(behind);
    this.#isReading = false;
    this.#requestTurn();
  }

  /** Moves the cursor over what of the batch goes out after `selected` others. */
  #select(batch: Batch, selected: number): Selection {
    const { selector, limit = Number.POSITIVE_INFINITY } = this.#options;
    const selection = selector.select(
      batch,
      this.#cursor.sequence,
      limit - this.#events - selected,
      this.#pace,
    );
    this.#cursor = { epoch: this.#cursor.epoch, sequence: selection.reached };
    this.#options.onReached?.(this.#cursor);
    return selection;
  }

  #write(chunks: readonly Buffer[], events: number): void {
    if (events === 0) return;
    this.#options.sink.writeEncoded(chunks);
    this.#events += events;
    this.#options.onDelivered?.(events);
  }

  #waitForSocket(): void {
    const { sink, clock, stallTimeoutMs } = this.#options;
    this.#cancelStall = clock.after(stallTimeoutMs, () => this.#fail(new TooSlow(stallTimeoutMs)));
    sink.whenClear(() => {
      this.#cancelStall?.();
      this.#cancelStall = undefined;
      this.#requestTurn();
    });
  }

  #isDone(selected = 0): boolean {
    return this.#events + selected === this.#options.limit;
  }

  #bookmark(): void {
    this.#options.sink.write([this.#options.frames.bookmark(this.#cursor)]);
    this.#scheduleBookmark();
  }

  #scheduleBookmark(): void {
    const { clock, bookmarkIntervalMs } = this.#options;
    this.#nextBookmarkAt = clock.elapsed() + bookmarkIntervalMs;
    this.#cancelBookmark?.();
    // A timer may come a moment early.
    this.#cancelBookmark = clock.after(bookmarkIntervalMs + 1, () => this.#requestTurn());
  }

  #finish(): void {
    const { sink, frames } = this.#options;
    sink.write([frames.bookmark(this.#cursor)]);
    sink.end(NORMAL_CLOSE_CODE, "limit");
    this.#end("limit");
  }

  #fail(error: unknown): void {
    if (this.#isOver) return;
    if (error instanceof ClientGone) return this.#end("client-gone");
    const { sink, frames } = this.#options;
    const { code } = publicError(error);
    this.#end(code, error);
    sink.write([frames.error(error, this.#hasBegun ? this.#cursor : undefined)]);
    sink.end(outcomeOf(error).closeCode, code);
  }

  #attempt(work: () => void): void {
    if (this.#isOver) return;
    try {
      work();
    } catch (error) {
      this.#fail(error);
    }
  }

  #end(reason: string, error?: unknown): void {
    this.#isOver = true;
    this.#cancelBookmark?.();
    this.#cancelStall?.();
    this.#leaveRing?.();
    const ending = { reason, cursor: this.#cursor, events: this.#events };
    this.#ending.resolve(error === undefined ? ending : { ...ending, error });
  }
}
