import { Feed, type AnyItem } from "./feed.ts";
import type { Item, NoticeType, TypeName } from "./items.ts";
import type { SubscribeOptions } from "./options.ts";
import type { OpenSocket } from "./socket.ts";

/** What `subscribe` gives: to be iterated once. Leaving the loop closes the connection. */
export interface Subscription<Entry> extends AsyncIterable<Entry> {
  /** Where to go on after what was dealt with, to be stored; undefined before it is known. */
  readonly cursor: string | undefined;
}

/** `subscribe` over this kind of socket. Nothing is opened before the first item is asked for. */
export function subscribeOver(open: OpenSocket) {
  return function subscribe<
    Types extends TypeName = TypeName,
    Notices extends NoticeType = never,
    Snapshot extends boolean = false,
  >(options: SubscribeOptions<Types, Notices, Snapshot>): Subscription<Item<Types, Notices, Snapshot>> {
    return subscriptionTo(new Feed(open, options));
  };
}

/** @typeParam Entry what was asked for: the server sends nothing else. */
export function subscriptionTo<Entry extends AnyItem>(feed: Feed): Subscription<Entry> {
  const items = feed.items() as AsyncGenerator<Entry, void, undefined>;
  return {
    get cursor() {
      return feed.cursor;
    },
    [Symbol.asyncIterator]: () => items,
  };
}
