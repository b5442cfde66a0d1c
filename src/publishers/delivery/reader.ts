import {
  CursorExpired,
  EpochChanged,
  EventsMissing,
  FutureCursor,
  LogUnavailable,
} from "../../feed/errors.ts";
import type { FeedLog } from "../../feed/log.ts";
import type { Cursor } from "../../schemas/cursor.ts";
import type { LogEntry } from "../../schemas/draft.ts";
import type { Clock } from "../../shared/clock.ts";
import type { Gap } from "../connection/start.ts";
import { Batch } from "../fanout/batch.ts";
import type { FairScheduler } from "../fanout/fair-scheduler.ts";
import { Pace } from "../fanout/pace.ts";
import type { Ring } from "../fanout/ring.ts";
import type { EventConditions } from "../../schemas/subscription-schema.ts";
import {
  createEventFilter,
  createKindsTest,
  type EventFilter,
  type KindsTest,
} from "../selection/event-filter.ts";
import { recordedTimeOf } from "./outgoing.ts";
import type { Place } from "./position.ts";

/** What is read of the log at once by who is behind. */
const PAGE = { limit: 512, maxBytes: 256 * 1024 };
/** How long to wait for a log that is away. */
const RETRY_MS = 500;

export interface ReaderDeps {
  readonly log: Pick<FeedLog, "read" | "head" | "cursorAt">;
  readonly ring: Ring;
  readonly scheduler: FairScheduler;
  readonly clock: Clock;
}

/** What was read from one place to the next: the events that pass, or why there are none. */
export type Read = { readonly from: Place; readonly place: Place } & (
  | { readonly entries: readonly LogEntry[] }
  | { readonly gap: Gap }
);

/**
 * Reads on in the log for one destination: the newest events from the ring that all share, older ones from the log. It
 * holds no more than one batch, and asks its filter in turns with all the others.
 */
export class Reader implements Disposable {
  readonly #deps: ReaderDeps;
  readonly #filter: EventFilter;
  readonly #mayPass: KindsTest;
  readonly #pace: Pace;
  readonly #leaveRing: () => void;
  readonly #onPassed: (place: Place) => void;
  #place: Place;
  /** What was read from the log, until it is dealt with. */
  #read: Batch | undefined;
  #news = Promise.withResolvers<void>();
  #isWaiting = false;
  readonly #wake = (): void => this.#news.resolve();
  /** Ten destinations that want none of the news are not woken ten times for it. */
  readonly #onNews = (): void => {
    if (!this.#isWaiting || !this.#passOver()) this.#wake();
  };
  #signal: AbortSignal | undefined;

  /** `onPassed` hears how far it passed over what cannot be wanted, while it waits and has nothing to answer. */
  constructor(
    place: Place,
    conditions: EventConditions,
    deps: ReaderDeps,
    onPassed: (place: Place) => void = () => undefined,
  ) {
    this.#place = place;
    this.#onPassed = onPassed;
    this.#filter = createEventFilter(conditions);
    this.#mayPass = createKindsTest(conditions);
    this.#deps = deps;
    this.#pace = new Pace(deps.clock);
    this.#leaveRing = deps.ring.join(this.#onNews);
  }

  [Symbol.dispose](): void {
    this.#leaveRing();
    this.#signal?.removeEventListener("abort", this.#wake);
  }

  /** Up to where it has read. */
  get place(): Place {
    return this.#place;
  }

  /** Waits for events, whether they pass or not. Undefined once `signal` aborts. */
  async next(signal: AbortSignal): Promise<Read | undefined> {
    this.#listenTo(signal);
    while (!signal.aborted) {
      try {
        const read = await this.#look();
        if (read !== undefined) return read;
        if (!signal.aborted) await this.#wait();
      } catch (error) {
        if (!(error instanceof LogUnavailable)) throw error;
        await this.#deps.clock.sleep(RETRY_MS, signal);
      }
    }
    return undefined;
  }

  async #wait(): Promise<void> {
    this.#isWaiting = true;
    try {
      await this.#news.promise;
    } finally {
      this.#isWaiting = false;
    }
  }

  /** Whether none of the ring's newer events can be wanted. */
  #passOver(): boolean {
    for (;;) {
      const next = this.#deps.ring.next(this.#place.cursor);
      if (next === undefined) return true;
      if (next === "behind" || this.#mayPass(next.kinds)) return false;
      this.#onPassed(this.#pass(next).place);
    }
  }

  async #look(): Promise<Read | undefined> {
    try {
      const batch = await this.#batch();
      if (batch === undefined) return undefined;
      return this.#mayPass(batch.kinds) ? await this.#turn(batch) : this.#pass(batch);
    } catch (error) {
      return await this.#goBehind(error);
    }
  }

  /** What goes on after the place; undefined where there is nothing yet. */
  async #batch(): Promise<Batch | undefined> {
    const { cursor } = this.#place;
    if (this.#read !== undefined && this.#read.last > cursor.sequence) return this.#read;
    this.#read = undefined;
    // What comes from here on is news.
    this.#news = Promise.withResolvers();
    const next = this.#deps.ring.next(cursor);
    if (next !== "behind") return next;
    const entries = await this.#deps.log.read(cursor, PAGE);
    if (entries.length > 0) this.#read = new Batch(cursor, entries);
    return this.#read;
  }

  /** Once for all batches: it costs as much as to look at one that holds nothing. */
  #listenTo(signal: AbortSignal): void {
    if (this.#signal === signal) return;
    this.#signal?.removeEventListener("abort", this.#wake);
    this.#signal = signal;
    signal.addEventListener("abort", this.#wake, { once: true });
  }

  /** None of its events can be wanted: that needs no turn. */
  #pass(batch: Batch): Read {
    const from = this.#place;
    const last = batch.entries.at(-1);
    if (last !== undefined) this.#moveBehind(last);
    return { entries: [], from, place: this.#place };
  }

  #turn(batch: Batch): Promise<Read> {
    const { scheduler } = this.#deps;
    return new Promise((resolve, reject) => {
      const task = (): void => {
        try {
          resolve(this.#scan(batch));
        } catch (error) {
          reject(error);
        }
      };
      if (this.#pace.goesLast) scheduler.scheduleLast(task);
      else scheduler.schedule(task);
    });
  }

  /** The events of the batch that pass, as far as the turn goes. */
  #scan(batch: Batch): Read {
    this.#pace.beginTurn();
    const from = this.#place;
    const entries: LogEntry[] = [];
    let last: LogEntry | undefined;
    for (const entry of batch.entries.slice(batch.positionAfter(this.#place.cursor.sequence))) {
      const passes = this.#pace.ask(this.#filter, entry);
      if (passes === undefined) break;
      if (passes) entries.push(entry);
      last = entry;
    }
    if (last !== undefined) this.#moveBehind(last);
    return { entries, from, place: this.#place };
  }

  #moveBehind({ sequence, json }: LogEntry): void {
    const { epoch } = this.#place.cursor;
    this.#place = { cursor: { epoch, sequence }, recordedAt: recordedTimeOf(json) ?? this.#place.recordedAt };
  }

  /** @throws the error itself where it says nothing of events that are gone */
  async #goBehind(error: unknown): Promise<Read> {
    const from = this.#place;
    const { reason, cursor } = await this.#afterLoss(error);
    this.#read = undefined;
    this.#place = { cursor, recordedAt: from.recordedAt };
    return { gap: { wanted: from.cursor, reason }, from, place: this.#place };
  }

  async #afterLoss(error: unknown): Promise<{ reason: Gap["reason"]; cursor: Cursor }> {
    if (error instanceof CursorExpired) return { reason: "expired", cursor: error.floor };
    if (error instanceof EventsMissing) return { reason: "missing", cursor: error.behind };
    // A log that was restored from an older copy goes on with other events under the same numbers.
    if (error instanceof EpochChanged || error instanceof FutureCursor)
      return { reason: "epoch-changed", cursor: await this.#sameTime() };
    throw error;
  }

  /** Where the log as it is now goes on from the time of the last event: what it holds of before was told. */
  async #sameTime(): Promise<Cursor> {
    const { log } = this.#deps;
    const { recordedAt } = this.#place;
    const { epoch, floor } = await log.head();
    const since = recordedAt === null ? undefined : await log.cursorAt(Date.parse(recordedAt));
    return { epoch, sequence: Math.max(floor, since?.sequence ?? 0) };
  }
}
