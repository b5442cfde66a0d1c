import type { EventPage, EventsQuery } from "nomad-changefeed-client";
import { factsOf, type EventFacts } from "../../feed/event-facts.ts";
import { mayPass } from "../../feed/may-pass.ts";
import { isAfter } from "../../words/cursor.ts";
import { EventWindow, type Mark, type Row } from "./event-window.ts";
import {
  backFrom,
  isOldBridge,
  selectedBy,
  type Beyond,
  type LiveOptions,
  type LiveSource,
} from "./live-source.ts";
import { LiveTail } from "./live-tail.ts";

const MAX_ROWS = 100_000;
/** After so long a bridge that did not answer is asked again. */
const AGAIN_MS = 3000;

/**
 * The events of one selection, as they come and as they were. New ones are shown at once while one watches. They wait
 * while it is paused or somebody reads further down, so that nothing moves below the reader's eyes; where too many wait,
 * they are let go and read from the log again.
 */
export class LiveFeed {
  readonly window: EventWindow;
  older: Beyond = { kind: "loading" };
  newer: Beyond = { kind: "end" };
  /** What was asked for is refused, or nobody answers: nothing comes. */
  failure: unknown;
  isPaused = false;
  /** Events that came and are not shown yet. */
  waiting = 0;
  /** Whether the log still has the first event there was. */
  isWhole = false;
  /** Events that came since the beginning. */
  received = 0;
  readonly tail: LiveTail;
  readonly #source: LiveSource;
  readonly #options: LiveOptions;
  readonly #maxRows: number;
  readonly #onChange: () => void;
  readonly #stop = new AbortController();
  #held: Row[] = [];
  #isAway = false;
  /** What came since the newest row is not held: it must be read from the log. */
  #isDetached = false;
  /** The page of what was before the oldest row. */
  #back: EventsQuery | undefined;
  /** Where the page after the newest row begins, once what came since was let go. */
  #forward: string | undefined;
  #round = 0;

  constructor(source: LiveSource, options: LiveOptions, onChange: () => void) {
    this.#source = source;
    this.#options = options;
    this.#maxRows = options.maxRows ?? MAX_ROWS;
    this.window = new EventWindow({ maxRows: this.#maxRows });
    this.#onChange = onChange;
    this.tail = new LiveTail(source, options, {
      onRows: (rows) => this.#onRows(rows),
      onLost: (mark) => void this.#begin(mark),
      onRefused: (error) => {
        this.failure = error;
        this.#onChange();
      },
    });
  }

  /** Whether it shows what comes now, and not a stretch of the past. */
  get isFollowing(): boolean {
    return this.#options.until === undefined && this.#options.before === undefined;
  }

  /** Whether it stands still because somebody reads. */
  get isAway(): boolean {
    return this.#isAway;
  }

  start(): void {
    void this.#begin();
  }

  stop(): void {
    this.#stop.abort();
    this.tail.stop();
  }

  pause(): void {
    this.isPaused = true;
    this.#onChange();
  }

  /** Shows what came meanwhile. */
  resume(): void {
    this.isPaused = false;
    if (this.#isDetached && !this.#isAway) void this.#begin();
    else this.#release();
  }

  /** Somebody reads, or has come back to the top. */
  setAway(isAway: boolean): void {
    if (this.#isAway === isAway) return;
    this.#isAway = isAway;
    this.#release();
  }

  /** Shows the newest, whatever was looked at before. */
  toNow(): void {
    this.isPaused = false;
    this.#isAway = false;
    if (this.#isDetached) void this.#begin();
    else this.#release();
  }

  /** Puts the oldest of those that wait on top, for who scrolls up to them. Answers how many. */
  takeWaiting(most: number): number {
    if (this.isPaused) return 0;
    const taken = this.#held.splice(0, most);
    if (taken.length > 0) this.#show(taken);
    return taken.length;
  }

  /** The machine slept, or is in another network. */
  reconnect(words: string): void {
    if (this.failure === undefined) this.tail.reconnect(words);
  }

  /** Reads what was before the oldest row. */
  async loadOlder(): Promise<void> {
    if (this.#back === undefined || (this.older.kind !== "more" && this.older.kind !== "failed")) return;
    const round = this.#round;
    this.older = { kind: "loading" };
    this.#onChange();
    try {
      const page = await this.#source.page(this.#back, this.#stop.signal);
      if (round === this.#round) this.#addOlder(page);
    } catch (error) {
      if (round === this.#round) this.older = { kind: "failed", error };
    }
    this.#onChange();
  }

  /** Reads what came after the newest row, where that was let go. Answers how many rows came on top. */
  async loadNewer(): Promise<number> {
    const cursor = this.#forward;
    if (cursor === undefined || (this.newer.kind !== "more" && this.newer.kind !== "failed")) return 0;
    const round = this.#round;
    this.newer = { kind: "loading" };
    try {
      const page = await this.#source.page({ ...selectedBy(this.#options), cursor }, this.#stop.signal);
      if (round === this.#round) return this.#addForward(page);
    } catch (error) {
      if (round === this.#round) this.newer = { kind: "failed", error };
    }
    this.#onChange();
    return 0;
  }

  async #begin(mark?: Mark): Promise<void> {
    this.#round += 1;
    const round = this.#round;
    this.tail.stop();
    this.older = { kind: "loading" };
    this.newer = { kind: "end" };
    this.#onChange();
    try {
      const page = await this.#source.page(backFrom(this.#options), this.#stop.signal);
      if (round !== this.#round) return;
      this.#clear();
      this.#addOlder(page);
      if (mark !== undefined) this.window.addNewer([mark]);
      if (this.isFollowing) this.tail.follow(page.head);
    } catch (error) {
      if (this.#stop.signal.aborted || round !== this.#round) return;
      this.#failed(error, mark);
    }
    this.#onChange();
  }

  #clear(): void {
    this.failure = undefined;
    this.window.clear();
    this.#held = [];
    this.waiting = 0;
    this.#isDetached = false;
  }

  #failed(error: unknown, mark: Mark | undefined): void {
    if (isOldBridge(error)) {
      // It can be followed nevertheless.
      const words = "This bridge is too old to read backwards: only what comes is shown.";
      this.older = { kind: "failed", error: new Error(words) };
      if (this.isFollowing) this.tail.follow("latest");
      return;
    }
    this.failure = error;
    const again = () => {
      if (!this.#stop.signal.aborted && this.failure === error) void this.#begin(mark);
    };
    if (mayPass(error)) this.#source.later(again, AGAIN_MS);
  }

  #addOlder(page: EventPage): void {
    const rows: Row[] = this.#within(page.events.map(factsOf));
    if (page.hasGap && page.next !== undefined) rows.unshift(this.#gap());
    this.#back = page.next;
    this.isWhole = page.floor?.endsWith("-0") === true;
    this.older = { kind: page.next === undefined ? "end" : "more" };
    if (this.window.addOlder(rows) > 0) this.#detach();
  }

  #addForward(page: EventPage): number {
    const rows: Row[] = this.#within(page.events.map(factsOf));
    const isEnd = page.cursor === page.head || rows.length < page.events.length;
    if (page.hasGap) rows.unshift(this.#gap());
    this.#addNewer(rows);
    this.#forward = page.cursor;
    this.newer = { kind: isEnd ? "end" : "more" };
    if (isEnd && this.isFollowing) this.#attach(page.cursor);
    this.#onChange();
    return rows.length;
  }

  /** What is not after the end of the time that is shown. */
  #within(events: readonly EventFacts[]): EventFacts[] {
    const untilMs = Date.parse(this.#options.until ?? "");
    return events.filter(
      ({ cursor, recordedMs }) => !(recordedMs >= untilMs) && !isAfter(cursor, this.#options.through),
    );
  }

  #gap(): Mark {
    return this.tail.mark("gap", "Events are missing here: they are not in the log any more");
  }

  #addNewer(rows: readonly Row[]): void {
    if (this.window.addNewer(rows) === 0) return;
    const cursor = this.window.oldest;
    if (cursor === undefined) return;
    this.#back = backFrom(this.#options, cursor);
    if (this.older.kind === "end") this.older = { kind: "more" };
  }

  #detach(): void {
    this.#isDetached = this.isFollowing;
    this.#forward = this.window.newest;
    this.#held = [];
    this.newer = { kind: "more" };
  }

  #attach(cursor: string): void {
    this.#isDetached = false;
    this.waiting = 0;
    this.tail.follow(cursor);
  }

  #onRows(rows: readonly Row[]): void {
    this.received += rows.length;
    if (this.#isDetached) this.waiting += rows.length;
    else if (this.isPaused || this.#isAway || this.#held.length > 0) this.#hold(rows);
    else this.#addNewer(rows);
    this.#onChange();
  }

  #hold(rows: readonly Row[]): void {
    for (const row of rows) this.#held.push(row);
    this.waiting = this.#held.length;
    if (this.waiting > this.#maxRows) this.#detach();
  }

  #release(): void {
    if (!this.isPaused && !this.#isAway) {
      const held = this.#held;
      this.#held = [];
      this.#show(held);
    }
    this.#onChange();
  }

  #show(rows: readonly Row[]): void {
    this.#addNewer(rows);
    if (!this.#isDetached) this.waiting = this.#held.length;
    this.#onChange();
  }
}
