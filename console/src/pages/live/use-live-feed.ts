import { signal, type ReadonlySignal } from "@preact/signals";
import { useEffect, useMemo } from "preact/hooks";
import { now } from "../../app/clock.ts";
import { api } from "../../feed/api.ts";
import { follow } from "../../feed/follow.ts";
import { duration } from "../../words/time.ts";
import { LiveFeed } from "./live-feed.ts";
import type { LiveOptions, LiveSource } from "./live-source.ts";

/** A page that nobody sees has no frames. */
const HIDDEN_MS = 1000;
/** A clock that stood still for so long: the machine slept. */
const SLEPT_MS = 30_000;

const SOURCE: LiveSource = {
  page: (query, gone) => api(gone).events(query),
  follow,
  soon: (work) => {
    if (document.hidden) setTimeout(work, HIDDEN_MS);
    else requestAnimationFrame(work);
  },
  later: (work, waitMs) => {
    setTimeout(work, waitMs);
  },
  nowMs: () => Date.now(),
};

export interface Live {
  readonly feed: LiveFeed;
  /** Grows with each change of the feed: who reads it is drawn anew, and nobody else. */
  readonly version: ReadonlySignal<number>;
}

/** The events of this selection for as long as the component is there; another `key` begins anew. */
export function useLiveFeed(key: string, options: LiveOptions): Live {
  const live = useMemo(() => {
    const version = signal(0);
    const feed = new LiveFeed(SOURCE, options, () => {
      version.value += 1;
    });
    return { feed, version };
  }, [key]);
  useEffect(() => {
    live.feed.start();
    const unwatch = watchOutages(live.feed);
    return () => {
      unwatch();
      live.feed.stop();
    };
  }, [live]);
  return live;
}

/** What kills a connection without a word: sleep, another network. */
function watchOutages(feed: LiveFeed): () => void {
  let lastMs = Date.now();
  let wasHidden = document.hidden;
  const unwatchClock = now.subscribe((ms) => {
    const sleptMs = ms - lastMs;
    lastMs = ms;
    // Of a page that nobody sees the clock stands still by itself.
    if (sleptMs > SLEPT_MS && !wasHidden)
      feed.reconnect(`Asleep for ${duration(sleptMs)}: read on from there`);
    wasHidden = document.hidden;
  });
  const onOnline = () => feed.reconnect("The network was away: read on from where it broke off");
  addEventListener("online", onOnline);
  return () => {
    unwatchClock();
    removeEventListener("online", onOnline);
  };
}
