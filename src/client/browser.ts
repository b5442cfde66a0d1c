import { openBrowserSocket } from "./browser-socket.ts";
import { subscribeOver } from "./subscription.ts";

export * from "./shared.ts";

/**
 * Follows a feed: its events in order, none skipped, from connection to connection. An event counts as dealt with when
 * the next one is asked for. Ends at `limit` and when `signal` aborts.
 * @throws ClientOptionInvalid at once; StreamRefused from the iteration.
 */
export const subscribe = subscribeOver(openBrowserSocket);
