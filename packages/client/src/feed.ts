import { hideSecrets } from "./address-text.ts";
import { Connection, type Ending } from "./connection.ts";
import { passing, verdictOf, type Verdict } from "./endings.ts";
import type { ServerError } from "./errors.ts";
import { tokenOf } from "./http.ts";
import type { Item, NoticeType, TypeName } from "./items.ts";
import { streamUrl, type OnExpired, type SubscribeOptions } from "./options.ts";
import { rememberText } from "./original-text.ts";
import { Retry, sleep } from "./retry.ts";
import type { OpenSocket } from "./socket.ts";
import type { ConnectionFrame } from "./wire.ts";

export type AnyItem = Item<TypeName, NoticeType, boolean>;
type Frame<Name extends ConnectionFrame["type"]> = Extract<ConnectionFrame, { type: Name }>;
type Again = Extract<Verdict, { kind: "again" }>;

/** What a server sends, before one has looked at its type. */
type Message = { readonly type: string; readonly cursor?: unknown };

const SILENCE_MS = 45_000;
const NEVER = new AbortController().signal;

/**
 * The items of one subscription, through every disconnection. Its cursor stands behind what the consumer has dealt
 * with: an item counts as dealt with when the next one is asked for, so none is skipped, and the one that a
 * consumer failed at comes again to whoever goes on from the cursor.
 */
export class Feed {
  readonly #open: OpenSocket;
  readonly #options: SubscribeOptions;
  readonly #url: URL;
  readonly #signal: AbortSignal;
  readonly #retry: Retry;
  readonly #notices: ReadonlySet<string>;
  #cursor: string | undefined;
  #events = 0;
  #wasConnected: boolean;
  #isConnected = false;
  #serverError: ServerError = {};
  /** Set from where the cursor was found lost until the consumer has dealt with what replaces it. */
  #lostAnswer: OnExpired | undefined;
  /** Objects come, and there is no place to come back to before their end. */
  #isBeforeSnapshotEnd = false;

  /**
   * @param wasConnected whether a feed is known to be there.
   * @throws ClientOptionInvalid
   */
  constructor(open: OpenSocket, options: SubscribeOptions, { wasConnected = false } = {}) {
    this.#wasConnected = wasConnected;
    this.#open = open;
    this.#options = options;
    this.#url = streamUrl(options);
    this.#signal = options.signal ?? NEVER;
    this.#retry = new Retry(options.retry ?? {});
    this.#notices = new Set(options.notices);
  }

  /** Where to go on after what was dealt with; undefined before it is known. */
  get cursor(): string | undefined {
    return this.#cursor;
  }

  /** Whether a feed has answered there, be it to another subscription. */
  get wasConnected(): boolean {
    return this.#wasConnected;
  }

  /** @throws StreamRefused */
  async *items(): AsyncGenerator<AnyItem, void, undefined> {
    while (!this.#signal.aborted && this.#limit() !== 0) {
      const ending = yield* this.#connect();
      const verdict = this.#verdictOf(ending);
      if (verdict.kind === "done") return;
      if (verdict.kind === "again") yield* this.#pause(verdict);
      else if (verdict.kind === "lost") this.#lose(verdict);
      else if (this.#mayAskForANewToken(verdict.error.reason)) yield* this.#pause(retryAfter(verdict.error));
      else throw verdict.error;
    }
  }

  #verdictOf(ending: Ending): Verdict {
    const verdict = verdictOf(ending, this.#serverError, hideSecrets(String(this.#options.url)));
    return verdict.kind === "refused" && this.#wasConnected ? passing(verdict) : verdict;
  }

  async *#connect(): AsyncGenerator<AnyItem, Ending, undefined> {
    this.#serverError = {};
    this.#isConnected = false;
    const token = await tokenOf(this.#options).catch((error: unknown) => {
      if (!this.#signal.aborted) throw error;
      return undefined;
    });
    if (this.#signal.aborted) return { kind: "aborted" };
    const { silenceMs = SILENCE_MS } = this.#options;
    const url = this.#nextUrl();
    const request = { url: url.href, token };
    const connection = new Connection(this.#open, request, { silenceMs, signal: this.#signal });
    try {
      for (;;) {
        const next = await connection.next();
        if (typeof next !== "string") return next;
        const message = parseMessage(next);
        if (message === undefined) return { kind: "not-a-feed" };
        if (message.type === "nomad.feeds.hello") return { kind: "several-feeds" };
        rememberText(message, next);
        yield* this.#receive(message, url);
      }
    } finally {
      await connection.close();
    }
  }

  async *#receive(message: Message, asked: URL): AsyncGenerator<AnyItem, void, undefined> {
    if (isFrame(message, "nomad.feed.hello")) yield* this.#greet(message, asked);
    else if (isFrame(message, "nomad.feed.error")) this.#serverError = message.data;
    else yield* this.#advance(message);
  }

  /** Gives what the consumer wants of it, and moves the cursor behind it. */
  async *#advance(message: Message): AsyncGenerator<AnyItem, void, undefined> {
    if (isFrame(message, "nomad.feed.bookmark")) {
      if (this.#notices.has(message.type)) yield message;
      this.#cursor = message.data.cursor;
    } else if (isFrame(message, "nomad.feed.gap")) {
      yield message;
      if (!this.#isBeforeSnapshotEnd) this.#goOnFrom(message.data.cursor);
    } else if (isFrame(message, "nomad.feed.snapshot")) {
      yield message;
      if (message.data.phase === "end") this.#goOnFrom(message.data.cursor);
    } else if (typeof message.cursor === "string") {
      yield message as AnyItem;
      this.#cursor = message.cursor;
      this.#events += 1;
    } else if (this.#isBeforeSnapshotEnd && "subject" in message) {
      yield message as AnyItem;
    }
    this.#retry.reset();
  }

  async *#greet(hello: Frame<"nomad.feed.hello">, asked: URL): AsyncGenerator<AnyItem, void, undefined> {
    const { cursor, feed, epoch, gap } = hello.data;
    const { searchParams } = asked;
    const again = this.#wasConnected;
    this.#wasConnected = true;
    this.#isConnected = true;
    this.#isBeforeSnapshotEnd =
      searchParams.get("snapshot") === "true" || (gap && searchParams.get("onexpired") === "snapshot");
    if (this.#notices.has("client.connected"))
      yield { type: "client.connected", again, cursor, feed, epoch, gap };
    // Before a gap or a snapshot was dealt with, the way back must lead to it.
    if (!gap && !this.#isBeforeSnapshotEnd) this.#goOnFrom(cursor);
  }

  #goOnFrom(cursor: string): void {
    this.#cursor = cursor;
    this.#lostAnswer = undefined;
    this.#isBeforeSnapshotEnd = false;
  }

  async *#pause({ pace, why, unreachable, atLeastMs }: Again): AsyncGenerator<AnyItem, void, undefined> {
    const retryInMs = this.#retry.next(pace, atLeastMs);
    if (this.#notices.has("client.disconnected"))
      yield { type: "client.disconnected", reason: why, retryInMs, unreachable };
    await sleep(retryInMs, this.#signal);
  }

  #lose({ reason, error }: Extract<Verdict, { kind: "lost" }>): void {
    const wanted = this.#cursor ?? this.#url.searchParams.get("cursor") ?? "";
    const { onexpired = "fail" } = this.#options;
    const answer =
      typeof onexpired === "function"
        ? onexpired({ reason, wanted, resumed: this.#cursor !== undefined })
        : onexpired;
    // Refused although the server was told what to do: it will not do it the next time.
    const isRefusedAgain = this.#lostAnswer !== undefined && !this.#isConnected;
    if (answer === "fail" || isRefusedAgain) throw error;
    this.#lostAnswer = answer;
  }

  /** A token that was good and is no longer: whoever gives tokens may have a newer one. */
  #mayAskForANewToken(reason: string): boolean {
    return reason === "UNAUTHORIZED" && this.#isConnected && typeof this.#options.token === "function";
  }

  #nextUrl(): URL {
    const url = new URL(this.#url);
    if (this.#cursor !== undefined) {
      url.searchParams.delete("since");
      url.searchParams.delete("snapshot");
      // The server's cursor of a consumer goes before ours, and is behind it.
      url.searchParams.delete("consumer");
      url.searchParams.set("cursor", this.#cursor);
    }
    if (this.#lostAnswer !== undefined) url.searchParams.set("onexpired", this.#lostAnswer);
    const limit = this.#limit();
    if (limit !== undefined) url.searchParams.set("limit", String(limit));
    return url;
  }

  /** Events still wanted. */
  #limit(): number | undefined {
    const limit = Number(this.#url.searchParams.get("limit") ?? Number.NaN);
    return this.#events === 0 || Number.isNaN(limit) ? undefined : Math.max(0, limit - this.#events);
  }
}

function retryAfter({ message }: Error): Again {
  return { kind: "again", pace: "soon", why: message, unreachable: false, atLeastMs: 0 };
}

function isFrame<Name extends ConnectionFrame["type"]>(
  message: Message,
  type: Name,
): message is Frame<Name> & Message {
  return (
    message.type === type && "data" in message && typeof message.data === "object" && message.data !== null
  );
}

/** Undefined where it is no JSON object with a type. */
function parseMessage(text: string): Message | undefined {
  try {
    const message: unknown = JSON.parse(text);
    if (typeof message !== "object" || message === null || !("type" in message)) return undefined;
    return typeof message.type === "string" ? (message as Message) : undefined;
  } catch {
    return undefined;
  }
}
