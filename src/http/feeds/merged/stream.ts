import { randomUUID } from "node:crypto";
import type { IncomingMessage } from "node:http";
import { GoingAway, TooSlow } from "../../../publishers/connection/errors.ts";
import { publicError, type PublicError } from "../../../publishers/connection/frames.ts";
import { NORMAL_CLOSE_CODE, outcomeOf, OUTCOMES } from "../../../publishers/connection/outcomes.ts";
import type { Frame, Sink } from "../../../publishers/connection/sink.ts";
import {
  bookmarkFrame,
  errorFrame,
  feedsHelloFrame,
  feedsNoticeFrame,
  pongFrame,
  PROTOCOL_VERSION,
  type FeedsNoticeData,
  type FrameContext,
} from "../../../schemas/frames-schema.ts";
import { abortable } from "../../../shared/abortable.ts";
import { Backoff } from "../../../shared/backoff.ts";
import type { ChangefeedError } from "../../../schemas/errors.ts";
import type { Clock } from "../../../shared/clock.ts";
import type { FeedMount } from "../feed-mount.ts";
import type { MountedFeeds } from "../mounted-feeds.ts";
import type { Question } from "./question.ts";
import { bodyOf, isMistake, mayBeSeen, messagesOf, openUpstream, type StreamMessage } from "./upstream.ts";
import { formatVector } from "./vector-cursor.ts";

const FIRST_RETRY_MS = 500;
const MOST_RETRY_MS = 10_000;
/** So soon after an event its place is told to those whose form has no other way to tell it. */
const BOOKMARK_AFTER_MS = 1000;
/** How long a subscriber's socket may take nothing. */
const STALLED_MS = 60_000;
/** Of what is said of all feeds. */
export const FEEDS_SOURCE = "nomad-changefeed:feeds";

export interface MergedStreamDeps {
  readonly message: IncomingMessage;
  readonly question: Question;
  readonly sink: Sink;
  readonly clock: Clock;
  readonly random: () => number;
  /** Events to end after. */
  readonly limit: number | undefined;
  /** Aborts when the process stops. */
  readonly stopping: AbortSignal;
}

/** A feed, and the stream that it answered with; absent: it is not there yet. */
export interface Joined {
  readonly feed: FeedMount;
  readonly response?: IncomingMessage | undefined;
}

export type Failure = PublicError & { readonly closeCode: number };

/**
 * The events of several feeds in the order in which they arrive; each feed's own order stays. A feed that goes away is
 * told of once, and goes on where it was when it is back; nobody waits for it.
 */
export class MergedStream {
  readonly #deps: MergedStreamDeps;
  readonly #over = new AbortController();
  readonly #cursors: Map<string, string>;
  readonly #connectionId = randomUUID();
  /** Feeds that said something since they were last away. */
  readonly #heard = new Set<string>();
  #events = 0;
  #ending: { readonly closeCode: number; readonly reason: string } = {
    closeCode: NORMAL_CLOSE_CODE,
    reason: "",
  };
  /** What the last of the feeds said that do not let in whoever asks any more. */
  #closedDoor: Failure | undefined;
  #turn: Promise<void> = Promise.resolve();
  #cancelBookmark: (() => void) | undefined;

  constructor(deps: MergedStreamDeps) {
    this.#deps = deps;
    this.#cursors = new Map(deps.question.position);
  }

  pong(ping: number): void {
    this.#say("nomad.feed.pong", (context) => pongFrame(context, { ping }));
  }

  /** Ends it: the subscriber is gone, or has all it wanted; or with an error, which it is told. */
  end(error?: ChangefeedError): void {
    if (error !== undefined) this.#fail({ ...publicError(error), ...outcomeOf(error) }, true);
    this.#over.abort(new Error("the stream is over"));
  }

  /** Resolves when the subscriber is gone, has as many events as it wanted, the process stops, or no feed is left. */
  async run(joined: readonly Joined[], feeds: MountedFeeds): Promise<void> {
    const { stopping } = this.#deps;
    const onStopping = () => this.end(new GoingAway());
    stopping.addEventListener("abort", onStopping, { once: true });
    if (stopping.aborted) onStopping();
    const names = joined.map(({ feed }) => feed.name);
    for (const name of this.#cursors.keys()) if (!names.includes(name)) this.#cursors.delete(name);
    const { start } = this.#deps.question;
    // Until it says hello, who comes back finds it where it begins.
    if (start !== undefined)
      for (const name of names) this.#cursors.set(name, this.#cursors.get(name) ?? start);
    this.#say("nomad.feeds.hello", (context) =>
      feedsHelloFrame(context, { protocol: PROTOCOL_VERSION, feeds: names }),
    );
    const following = new Set<Promise<void>>();
    const follow = (one: Joined): void => {
      const followed = this.#follow(one, feeds);
      following.add(followed);
      void followed.then(() => following.delete(followed));
    };
    const stopListening = feeds.onAdded((feed) => follow({ feed }));
    for (const one of joined) follow(one);
    while (following.size > 0) await Promise.all(following);
    stopListening();
    stopping.removeEventListener("abort", onStopping);
    if (this.#closedDoor !== undefined) this.#fail(this.#closedDoor, true);
    this.end();
    this.#cancelBookmark?.();
    const { closeCode, reason } = this.#ending;
    this.#deps.sink.end(closeCode, reason);
  }

  async #follow({ feed, response: first }: Joined, feeds: MountedFeeds): Promise<void> {
    const { clock, random } = this.#deps;
    const { signal } = this.#over;
    const backoff = new Backoff({ baseMs: FIRST_RETRY_MS, maxMs: MOST_RETRY_MS, random });
    let response = first;
    let isAway = false;
    while (!signal.aborted && feed.gone === undefined) {
      response ??= await this.#open(feed);
      // Whoever asks may not see this one.
      if (response !== undefined && !mayBeSeen(response)) {
        this.#closedDoor = await refusalIn(response);
        return;
      }
      // Where it was, it cannot go on, however often it is asked.
      if (response !== undefined && isMistake(response)) return this.#refused(feed, response);
      const why = response === undefined ? feed.awaited : await this.#take(feed, response);
      response = undefined;
      if (signal.aborted || feed.gone !== undefined) break;
      if (this.#heard.delete(feed.name)) {
        isAway = false;
        backoff.reset();
      }
      if (!isAway) this.#sayNotice({ feed: feed.name, state: "away", why });
      isAway = true;
      await clock.sleep(backoff.next(FIRST_RETRY_MS), signal);
    }
    const { name, gone } = feed;
    const isBack = (feeds.get(name) ?? feed) !== feed;
    if (gone !== undefined && !isBack && !signal.aborted)
      this.#sayNotice({ feed: name, state: "gone", why: gone });
  }

  async #refused({ name }: FeedMount, response: IncomingMessage): Promise<void> {
    const { message, ...said } = await refusalIn(response);
    this.#fail({ ...said, message: `${name}: ${message}` }, false);
    this.end();
  }

  async #open(feed: FeedMount): Promise<IncomingMessage | undefined> {
    const { message, question, clock } = this.#deps;
    const query = question.queryFor(feed.name, this.#cursors.get(feed.name) ?? question.start);
    query.delete("limit");
    return openUpstream(feed, message, { query, signal: this.#over.signal, clock }).catch(() => undefined);
  }

  /** Passes on what the feed sends, until it ends; answers why it does. */
  async #take(feed: FeedMount, response: IncomingMessage): Promise<string> {
    if (response.statusCode !== 200) {
      response.resume();
      return `it answers ${response.statusCode}`;
    }
    let why = "its stream ended";
    const onOver = () => response.destroy();
    this.#over.signal.addEventListener("abort", onOver, { once: true });
    try {
      for await (const message of messagesOf(response)) {
        if (message.type === "nomad.feed.error") why = dataOf(message).code ?? why;
        else await this.#passOn(feed, message);
        if (this.#over.signal.aborted) break;
      }
    } catch {
      // The feed went away; where it was, it goes on.
    } finally {
      this.#over.signal.removeEventListener("abort", onOver);
    }
    return why;
  }

  async #passOn({ name }: FeedMount, { json, cursor, type }: StreamMessage): Promise<void> {
    const place = type === "nomad.feed.hello" ? dataOf({ json }).cursor : cursor;
    this.#heard.add(name);
    await this.#inTurn(() => {
      if (place !== undefined) this.#cursors.set(name, place);
      if (type === "nomad.feed.bookmark") return this.#bookmark();
      const frame = { json, cursor: formatVector(this.#cursors) };
      this.#deps.sink.write([type === undefined ? frame : { ...frame, connectionType: type }]);
      if (type === undefined) this.#counted();
    });
  }

  #counted(): void {
    const { limit, clock } = this.#deps;
    this.#events += 1;
    if (this.#events === limit) {
      this.#bookmark();
      this.end();
      return;
    }
    this.#cancelBookmark ??= clock.after(BOOKMARK_AFTER_MS, () => this.#bookmark());
  }

  #bookmark(): void {
    this.#cancelBookmark?.();
    this.#cancelBookmark = undefined;
    const cursor = formatVector(this.#cursors);
    this.#say("nomad.feed.bookmark", (context) => bookmarkFrame(context, { cursor }));
  }

  /** The last frame. `mayResume`: the cursor is not what is wrong. */
  #fail({ code, message, hint, closeCode }: Failure, mayResume: boolean): void {
    if (this.#over.signal.aborted) return;
    this.#ending = { closeCode, reason: code };
    const data = {
      code,
      message,
      ...(hint !== undefined && { hint }),
      closeCode,
      ...(mayResume && this.#cursors.size > 0 && { cursor: formatVector(this.#cursors) }),
    };
    this.#say("nomad.feed.error", (context) => errorFrame(context, data));
  }

  #sayNotice(data: FeedsNoticeData): void {
    this.#say("nomad.feeds.notice", (context) => feedsNoticeFrame(context, data));
  }

  /** What is said of all feeds at once. */
  #say(type: string, text: (context: FrameContext) => string): void {
    const frame: Frame = {
      json: text({
        source: FEEDS_SOURCE,
        id: `${this.#connectionId}/${randomUUID().slice(0, 8)}`,
        time: new Date(this.#deps.clock.now()).toISOString(),
      }),
      cursor: type === "nomad.feed.bookmark" ? formatVector(this.#cursors) : undefined,
      connectionType: type,
    };
    this.#deps.sink.write([frame]);
  }

  /** One write at a time, once the connection has taken the one before: a slow subscriber slows its feeds. */
  #inTurn(write: () => void): Promise<void> {
    const before = this.#turn;
    const turn = async (): Promise<void> => {
      await before;
      await this.#clear();
      if (!this.#over.signal.aborted) write();
    };
    this.#turn = turn();
    return this.#turn;
  }

  async #clear(): Promise<void> {
    const { sink, clock } = this.#deps;
    if (sink.isClear) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    sink.whenClear(resolve);
    const cancel = clock.after(STALLED_MS, () => this.end(new TooSlow(STALLED_MS)));
    // That it is over, who writes sees for himself.
    await abortable(promise, this.#over.signal).catch(() => undefined);
    cancel();
  }
}

/** Why a feed gives no stream. */
async function refusalIn(response: IncomingMessage): Promise<Failure> {
  return failureIn(await bodyOf(response));
}

/** `problem`: the body of an answer that refuses. */
export function failureIn(problem: string): Failure {
  const said = JSON.parse(problem) as PublicError;
  return { ...said, ...(OUTCOMES.get(said.code) ?? outcomeOf(undefined)) };
}

function dataOf({ json }: Pick<StreamMessage, "json">): { cursor?: string; code?: string } {
  return (JSON.parse(json) as { data: { cursor?: string; code?: string } }).data;
}
