import type { FeedMount } from "./feed-mount.ts";

/** The feeds of the process by name, which may come and go. */
export class MountedFeeds {
  readonly #feeds = new Map<string, FeedMount>();
  readonly #listeners = new Set<(feed: FeedMount) => void>();

  get(name: string): FeedMount | undefined {
    return this.#feeds.get(name);
  }

  all(): readonly FeedMount[] {
    return [...this.#feeds.values()];
  }

  add(feed: FeedMount): void {
    this.#feeds.set(feed.name, feed);
    for (const listener of this.#listeners) listener(feed);
  }

  remove(feed: FeedMount): void {
    feed.leave("it ended");
    if (this.#feeds.get(feed.name) === feed) this.#feeds.delete(feed.name);
  }

  /** Calls back for each that comes, until the returned function is called. */
  onAdded(listener: (feed: FeedMount) => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }
}
