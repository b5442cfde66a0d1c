import { StreamRefused } from "./errors.ts";
import { Feed } from "./feed.ts";
import { ask, type Access } from "./http.ts";
import type { Item, NoticeType, TypeName } from "./items.ts";
import type { SubscribeOptions } from "./options.ts";
import { Retry, sleep } from "./retry.ts";
import type { OpenSocket } from "./socket.ts";
import { subscriptionTo, type Subscription } from "./subscription.ts";

export interface ConsumeOptions<
  Types extends TypeName = TypeName,
  Notices extends NoticeType = NoticeType,
  Snapshot extends boolean = boolean,
> extends SubscribeOptions<Types, Notices, Snapshot> {
  /** Name under which the server keeps the cursor: 1 to 64 of A-Z a-z 0-9 . _ - */
  readonly consumer: string;
}

/** A subscription whose cursor the server keeps. */
export interface Consumption<Entry> extends Subscription<Entry> {
  /**
   * Everything up to this event or cursor has been dealt with: whoever comes next under this name starts after it.
   * Resolves once the server has stored it, or a newer one; tries again as long as the server cannot.
   * @throws StreamRefused, or the reason of `signal`.
   */
  ack(dealtWith: string | { readonly cursor: string }): Promise<void>;
}

/** `consume` over this kind of socket. */
export function consumeOver(open: OpenSocket) {
  return function consume<
    Types extends TypeName = TypeName,
    Notices extends NoticeType = never,
    Snapshot extends boolean = false,
  >(options: ConsumeOptions<Types, Notices, Snapshot>): Consumption<Item<Types, Notices, Snapshot>> {
    const { consumer, ...rest } = options;
    const feed = new Feed(open, { ...rest, parameters: { ...rest.parameters, consumer } });
    const acks = new Acks(options, { feed, retry: new Retry(options.retry ?? {}), consumer });
    // The members are getters: a copy would stand still.
    return Object.assign(subscriptionTo<Item<Types, Notices, Snapshot>>(feed), {
      ack: (dealtWith: string | { readonly cursor: string }) =>
        acks.ack(typeof dealtWith === "string" ? dealtWith : dealtWith.cursor),
    });
  };
}

const NEVER = new AbortController().signal;

/**
 * Acks go by HTTP: they are answered, and may be of an event that an earlier connection brought. While one is under
 * way the newest waits and those between are forgotten.
 */
class Acks {
  readonly #access: Access;
  readonly #feed: Feed;
  readonly #retry: Retry;
  readonly #path: string;
  #newest: string | undefined;
  #storing: Promise<void> | undefined;

  constructor(access: Access, { feed, retry, consumer }: { feed: Feed; retry: Retry; consumer: string }) {
    this.#access = access;
    this.#feed = feed;
    this.#retry = retry;
    this.#path = `/v1/consumers/${encodeURIComponent(consumer)}`;
  }

  ack(cursor: string): Promise<void> {
    this.#newest = cursor;
    this.#storing ??= this.#storeAll();
    return this.#storing;
  }

  async #storeAll(): Promise<void> {
    try {
      while (this.#newest !== undefined) {
        const cursor = this.#newest;
        this.#newest = undefined;
        await this.#store(cursor);
      }
    } finally {
      // In the same step as the last look: who comes now begins anew.
      this.#storing = undefined;
    }
  }

  async #store(cursor: string): Promise<void> {
    const { signal = NEVER } = this.#access;
    for (;;) {
      signal.throwIfAborted();
      const path = `${this.#path}?${new URLSearchParams({ ack: cursor }).toString()}`;
      const { status, body, serverError, retryAfterMs } = await ask(this.#access, path, "POST");
      if (status >= 200 && status < 300 && isConsumer(body)) return this.#retry.reset();
      // An answer without a code of the feed's is a balancer's, while the feed is deployed anew.
      const isOfOthers =
        serverError.code === undefined && this.#feed.wasConnected && ![401, 403].includes(status);
      const mayPass = status === 0 || status === 429 || status >= 500 || isOfOthers;
      if (!mayPass)
        throw new StreamRefused(
          serverError.code ?? "NOT_A_FEED",
          serverError,
          `the ack was answered ${status}`,
        );
      await sleep(this.#retry.next("soon", retryAfterMs), signal);
    }
  }
}

/** What the server stored; anything else was said by somebody else. */
function isConsumer(body: unknown): boolean {
  return typeof body === "object" && body !== null && "cursor" in body;
}
