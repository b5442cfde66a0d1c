import { openBrowserSocket } from "./browser-socket.ts";
import { consumeOver } from "./consume.ts";
import { subscribeOver } from "./subscription.ts";
import { watchStateOver } from "./watch-state.ts";

export * from "./shared.ts";

/**
 * Follows a feed: its events in order, none skipped, from connection to connection. An event counts as dealt with when
 * the next one is asked for. Ends at `limit` and when `signal` aborts.
 * @throws ClientOptionInvalid at once; StreamRefused from the iteration.
 */
export const subscribe = subscribeOver(openBrowserSocket);

/**
 * Like `subscribe`, from where the last `ack` under this name was: the server keeps the cursor. What was not acked
 * comes again to whoever comes next.
 * @throws ClientOptionInvalid at once; StreamRefused from the iteration.
 */
export const consume = consumeOver(openBrowserSocket);

/**
 * A map of Nomad's objects that keeps itself up to date: from a snapshot, then from each change; anew from a snapshot
 * where changes were missed.
 * @throws ClientOptionInvalid
 */
export const watchState = watchStateOver(openBrowserSocket);
