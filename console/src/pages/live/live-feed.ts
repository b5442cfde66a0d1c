import type { EventPage, EventsQuery } from "nomad-changefeed-client";
import { factsOf, isFeedItem } from "../../feed/event-facts.ts";
import type { FollowedItem, Following, FollowOptions } from "../../feed/followed.ts";
import { EventWindow, isMark, type Mark, type Row } from "./event-window.ts";
import type { SelectionQuery } from "./selection.ts";

/** Where events come from, and how updates are paced. */
export interface LiveSource {
  readonly page: (query: EventsQuery, signal: AbortSignal) => Promise<EventPage>;
  readonly follow: (options: FollowOptions & { cursor: string }, following: Following) => () => void;
  /** Calls back soon: at the next frame, where there are frames. */
  readonly soon: (work: () => void) => void;
  readonly nowMs: () => number;
}

export interface LiveOptions {
  readonly selection: SelectionQuery;
  /** RFC 3339 or age: nothing before is shown. */
  readonly since?: string;
  /** RFC 3339: nothing after is shown, so that what comes now is not either. */
  readonly until?: string;
  /** A cursor: the same. */
  readonly before?: string;
  /** Rows that are held, and as many that wait. Default 100,000. */
  readonly maxRows?: number;
}

/** What is beyond an end of the rows. */
export type Beyond =
  | { readonly kind: "more" | "loading" | "end" }
  | { readonly kind: "failed"; readonly error: unknown };

const MAX_ROWS = 100_000;
const PAGE = 400;
/** What was recorded longer ago is caught up with, ms. */
const BEHIND_MS = 8000;
/** Why a place in the log is lost: reading begins anew. */
const LOST: Readonly<Record<string, string>> = {
  CURSOR_EXPIRED: "Retention has removed events that were not shown yet. Read again from the log",
  EPOCH_CHANGED: "The log lost its newest events and began a new history. Read again from the log",
  FUTURE_CURSOR: "The log was put back to an older copy. Read again from the log",
};

/**
 * The events of one selection, as they come and as they were. New ones are shown at once while one watches. They wait
 * while it is paused or somebody reads further down, so that nothing moves below the reader's eyes; where too many wait,
 * they are let go and read from the log again.
 */
export class LiveFeed {
  readonly window: EventWindow;
  older: Beyond = { kind: "loading" };
  newer: Beyond = { kind: "end" };
  /** What was asked for is refused: nothing more comes. */
  failure: unknown;
  isPaused = false;
  /** Events that came and are not shown yet. */
  waiting = 0;
  /** How far back the events are that come just now; 0 where they come as they happen. */
  behindMs = 0;
  /** Events that came since the beginning. */
  received = 0;
  readonly #source: LiveSource;
  readonly #options: LiveOptions;
  readonly #maxRows: number;
  readonly #onChange: () => void;
  readonly #stop = new AbortController();
  #unfollow: () => void = () => undefined;
  #incoming: Row[] = [];
  #held: Row[] = [];
  #isFlushDue = false;
  #isAway = false;
  /** What came since the newest row is not held: it must be read from the log. */
  #isDetached = false;
  /** Up to where everything came, and where the page after the oldest row begins. */
  #position: string | undefined;
  #back: EventsQuery | undefined;
  /** Where the page after the newest row begins, once what came since was let go. */
  #forward: string | undefined;
  #marks = 0;
  #round = 0;

  constructor(source: LiveSource, options: LiveOptions, onChange: () => void) {
    this.#source = source;
    this.#options = options;
    this.#maxRows = options.maxRows ?? MAX_ROWS;
    this.window = new EventWindow({ maxRows: this.#maxRows });
    this.#onChange = onChange;
  }

  /** Whether it shows what comes now, and not a stretch of the past. */
  get isFollowing(): boolean {
    return this.#options.until === undefined && this.#options.before === undefined;
  }

  /** Whether it stands still because somebody reads further down. */
  get isAway(): boolean {
    return this.#isAway;
  }

  start(): void {
    void this.#begin();
  }

  stop(): void {
    this.#stop.abort();
    this.#unfollow();
  }

  pause(): void {
    this.isPaused = true;
    this.#onChange();
  }

  /** Shows what came meanwhile. */
  resume(): void {
    this.isPaused = false;
    this.#release();
  }

  /** Somebody reads further down, or has come back to the top. */
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

  /** The machine slept, or is in another network: the connection is dead, though nobody has said so. */
  reconnect(words: string): void {
    if (!this.isFollowing || this.failure !== undefined || this.#position === undefined) return;
    this.#take(this.#mark("connection", words));
    this.#follow(this.#position);
  }

  /** Reads what was before the oldest row. */
  async loadOlder(): Promise<void> {
    if (this.#back === undefined || (this.older.kind !== "more" && this.older.kind !== "failed")) return;
    this.older = { kind: "loading" };
    this.#onChange();
    try {
      this.#addOlder(await this.#source.page(this.#back, this.#stop.signal));
    } catch (error) {
      this.older = { kind: "failed", error };
    }
    this.#onChange();
  }

  /** Reads what came after the newest row, where that was let go. Answers how many rows came on top. */
  async loadNewer(): Promise<number> {
    if (this.newer.kind !== "more" && this.newer.kind !== "failed") return 0;
    const cursor = this.#forward;
    if (cursor === undefined) return 0;
    this.newer = { kind: "loading" };
    this.#onChange();
    try {
      const page = await this.#source.page({ ...this.#selected(), cursor }, this.#stop.signal);
      const rows: Row[] = page.events.map(factsOf);
      if (page.hasGap) rows.unshift(this.#mark("gap", "Events are missing here: retention has removed them"));
      this.#addNewer(rows);
      this.#forward = page.cursor;
      this.newer = { kind: "more" };
      if (page.cursor === page.head) this.#attach(page.cursor);
      this.#onChange();
      return rows.length;
    } catch (error) {
      this.newer = { kind: "failed", error };
      this.#onChange();
      return 0;
    }
  }

  async #begin(mark?: Mark): Promise<void> {
    const { since, until, before: cursor } = this.#options;
    this.#round += 1;
    const round = this.#round;
    this.#unfollow();
    this.older = { kind: "loading" };
    this.newer = { kind: "end" };
    this.#onChange();
    try {
      const page = await this.#source.page(
        {
          ...this.#selected(),
          order: "newest-first",
          ...(since !== undefined && { since }),
          ...(until !== undefined && { until }),
          ...(cursor !== undefined && { cursor }),
        },
        this.#stop.signal,
      );
      if (round !== this.#round) return;
      this.#clear();
      this.#addOlder(page);
      if (mark !== undefined) this.window.addNewer([mark]);
      if (this.isFollowing) this.#follow(page.head);
    } catch (error) {
      if (this.#stop.signal.aborted || round !== this.#round) return;
      this.#failed(error);
    }
    this.#onChange();
  }

  #clear(): void {
    this.window.clear();
    this.#incoming = [];
    this.#held = [];
    this.waiting = 0;
    this.#isDetached = false;
  }

  #failed(error: unknown): void {
    if (isOldBridge(error)) {
      // It can be followed nevertheless.
      this.older = {
        kind: "failed",
        error: new Error("This bridge is too old to read backwards: only what comes is shown."),
      };
      if (this.isFollowing) this.#follow("latest");
    } else if (this.window.count > 0) {
      this.older = { kind: "failed", error };
    } else {
      this.failure = error;
    }
  }

  #selected(): EventsQuery {
    return { ...this.#options.selection, payload: "patch", limit: PAGE };
  }

  #addOlder(page: EventPage): void {
    const rows: Row[] = page.events.map(factsOf);
    if (page.hasGap && page.next !== undefined)
      rows.unshift(this.#mark("gap", "Events are missing here: they are not in the log any more"));
    this.#back = page.next;
    this.older = { kind: page.next === undefined ? "end" : "more" };
    if (this.window.addOlder(rows) > 0) this.#detach();
  }

  #addNewer(rows: readonly Row[]): void {
    if (this.window.addNewer(rows) === 0) return;
    const cursor = this.window.oldest;
    if (cursor === undefined) return;
    const { since } = this.#options;
    this.#back = {
      ...this.#selected(),
      order: "newest-first",
      cursor,
      ...(since !== undefined && { since }),
    };
    if (this.older.kind === "end") this.older = { kind: "more" };
  }

  #detach(): void {
    if (!this.isFollowing) return;
    this.#isDetached = true;
    this.#forward = this.window.newest;
    this.#held = [];
    this.newer = { kind: "more" };
  }

  #attach(cursor: string): void {
    this.#isDetached = false;
    this.newer = { kind: "end" };
    this.waiting = 0;
    this.#incoming = [];
    this.#follow(cursor);
  }

  #follow(cursor: string): void {
    this.#unfollow();
    this.#position = cursor;
    this.#unfollow = this.#source.follow(
      { ...this.#options.selection, payload: "patch", cursor },
      { onItem: (item) => this.#onItem(item), onEnd: (error) => this.#onEnd(error) },
    );
  }

  #onItem(item: FollowedItem): void {
    if (item.type === "client.connected") {
      if (item.again) this.#take(this.#mark("connection", "Connected again: nothing is missing"));
    } else if (item.type === "nomad.feed.gap") {
      const { missed, cursor } = item.data;
      this.#position = cursor;
      const many = missed === undefined ? "Events" : `${missed.toLocaleString("en")} events`;
      this.#take(this.#mark("gap", `${many} are missing here: they are not in the log any more`));
    } else if (item.type === "nomad.feed.bookmark") {
      this.#position = item.data.cursor;
    } else if (isFeedItem(item)) {
      this.#position = item.cursor;
      this.#take(factsOf(item));
    }
  }

  #onEnd(error: Error): void {
    const reason = "reason" in error ? String(error.reason) : "";
    const words = LOST[reason];
    if (words === undefined) {
      this.failure = error;
      this.#onChange();
    } else {
      this.#flush();
      void this.#begin(this.#mark("history", words));
    }
  }

  #mark(mark: Mark["mark"], words: string): Mark {
    this.#marks += 1;
    return { mark, words, key: `mark-${this.#marks}`, atMs: this.#source.nowMs() };
  }

  #take(row: Row): void {
    this.#incoming.push(row);
    if (this.#isFlushDue) return;
    this.#isFlushDue = true;
    this.#source.soon(() => this.#flush());
  }

  /** All that came since the last frame, at once. */
  #flush(): void {
    this.#isFlushDue = false;
    if (this.#stop.signal.aborted) return;
    const rows = this.#incoming;
    this.#incoming = [];
    const last = rows.findLast((row) => !isMark(row));
    if (last !== undefined && !isMark(last)) {
      const behindMs = this.#source.nowMs() - last.recordedMs;
      this.behindMs = behindMs > BEHIND_MS ? behindMs : 0;
    }
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

/** It does not know what it is asked for: it is of a version before pages went backwards. */
function isOldBridge(error: unknown): boolean {
  return error instanceof Error && "field" in error && error.field === "order";
}
