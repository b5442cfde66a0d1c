import { factsOf, isFeedItem } from "../../feed/event-facts.ts";
import type { FollowedItem } from "../../feed/followed.ts";
import { isMark, type Mark, type Row } from "./event-window.ts";
import { lossIn, type LiveOptions, type LiveSource } from "./live-source.ts";

/** Whom a tail tells. */
interface TailReader {
  /** All that came since the last frame, oldest first. */
  readonly onRows: (rows: readonly Row[]) => void;
  /** Its place in the log is lost. */
  readonly onLost: (mark: Mark) => void;
  /** It will not go on. */
  readonly onRefused: (error: Error) => void;
}

/** What was recorded longer ago is caught up with, ms. */
const BEHIND_MS = 8000;

/** What comes now: events and marks of one stream, gathered for a frame. */
export class LiveTail {
  /** How far back the events are that came last; 0 where they come as they happen. */
  behindMs = 0;
  /** Ms since 1970: when they came. */
  cameAtMs = 0;
  readonly #source: LiveSource;
  readonly #options: LiveOptions;
  readonly #reader: TailReader;
  #unfollow: (() => void) | undefined;
  #incoming: Row[] = [];
  #isFlushDue = false;
  /** Up to where everything came. */
  #position = "latest";
  #marks = 0;

  constructor(source: LiveSource, options: LiveOptions, reader: TailReader) {
    this.#source = source;
    this.#options = options;
    this.#reader = reader;
  }

  /** Follows from after a cursor; what had come before and was not told of is forgotten. */
  follow(cursor: string): void {
    this.stop();
    this.#follow(cursor);
  }

  stop(): void {
    this.#unfollow?.();
    this.#unfollow = undefined;
    this.#incoming = [];
  }

  /** Goes on over another connection: the one there is may be dead, though nobody has said so. */
  reconnect(words: string): void {
    if (this.#unfollow === undefined) return;
    this.#take(this.mark("connection", words));
    this.#unfollow();
    this.#follow(this.#position);
  }

  mark(mark: Mark["mark"], words: string): Mark {
    this.#marks += 1;
    return { mark, words, key: `mark-${this.#marks}`, atMs: this.#source.nowMs() };
  }

  #follow(cursor: string): void {
    this.#position = cursor;
    this.#unfollow = this.#source.follow(
      { ...this.#options.selection, payload: "patch", cursor },
      { onItem: (item) => this.#onItem(item), onEnd: (error) => this.#onEnd(error) },
    );
  }

  #onItem(item: FollowedItem): void {
    if (item.type === "client.connected") {
      if (item.again && !item.gap) this.#take(this.mark("connection", "Connected again: nothing is missing"));
    } else if (item.type === "nomad.feed.gap") {
      const { missed, cursor } = item.data;
      this.#position = cursor;
      const many = missed === undefined ? "Events" : `${missed.toLocaleString("en")} events`;
      this.#take(this.mark("gap", `${many} are missing here: they are not in the log any more`));
    } else if (item.type === "nomad.feed.bookmark") {
      this.#position = item.data.cursor;
    } else if (isFeedItem(item)) {
      this.#position = item.cursor;
      this.#take(factsOf(item));
    }
  }

  #onEnd(error: Error): void {
    const words = lossIn(error);
    if (words === undefined) this.#reader.onRefused(error);
    else this.#reader.onLost(this.mark("history", words));
  }

  #take(row: Row): void {
    this.#incoming.push(row);
    if (this.#isFlushDue) return;
    this.#isFlushDue = true;
    this.#source.soon(() => this.#flush());
  }

  #flush(): void {
    this.#isFlushDue = false;
    const rows = this.#incoming;
    this.#incoming = [];
    if (this.#unfollow === undefined || rows.length === 0) return;
    const last = rows.findLast((row) => !isMark(row));
    if (last !== undefined && !isMark(last)) {
      this.cameAtMs = this.#source.nowMs();
      const behindMs = this.cameAtMs - last.recordedMs;
      this.behindMs = behindMs > BEHIND_MS ? behindMs : 0;
    }
    this.#reader.onRows(rows);
  }
}
