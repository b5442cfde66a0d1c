import { subscribe } from "nomad-changefeed-client";
import type { Following, FollowOptions } from "./followed.ts";
import { dropLink, setLink } from "./link.ts";
import { SERVER_URL } from "./server.ts";
import { heedSession } from "./session.ts";

export type { Following, FollowOptions } from "./followed.ts";

/**
 * Follows the feed through every disconnection, and says on the page how the connection is. Answers what ends it.
 */
export function follow(options: FollowOptions, { onItem, onEnd }: Following): () => void {
  const id = Symbol("link");
  const stop = new AbortController();
  setLink(id, { kind: "connecting" });
  const run = async () => {
    const feed = subscribe({
      ...options,
      url: SERVER_URL,
      signal: stop.signal,
      notices: ["client.connected", "client.disconnected", "nomad.feed.bookmark"],
    });
    for await (const item of feed) {
      if (stop.signal.aborted) return;
      if (item.type === "client.disconnected") {
        setLink(id, { kind: "away", why: item.reason, retryAtMs: Date.now() + item.retryInMs });
        continue;
      }
      if (item.type === "client.connected") setLink(id, { kind: "live" });
      onItem(item);
    }
  };
  run().catch((error: unknown) => {
    if (stop.signal.aborted) return;
    heedSession(error);
    const reason = error instanceof Error ? error : new Error(String(error));
    setLink(id, { kind: "ended", why: reason.message });
    onEnd(reason);
  });
  return () => {
    stop.abort();
    dropLink(id);
  };
}
