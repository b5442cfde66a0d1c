import { useEffect, useReducer, useState } from "preact/hooks";
import { now } from "../../app/clock.ts";
import { api } from "../../feed/api.ts";
import { follow } from "../../feed/follow.ts";
import { duration } from "../../words/time.ts";
import { LiveFeed, type LiveOptions, type LiveSource } from "./live-feed.ts";

/** A page that nobody sees has no frames. */
const HIDDEN_MS = 1000;
/** A clock that stood still for so long: the machine slept. */
const SLEPT_MS = 30_000;

const SOURCE: LiveSource = {
  page: (query, signal) => api(signal).events(query),
  follow,
  soon: (work) => {
    if (document.hidden) setTimeout(work, HIDDEN_MS);
    else requestAnimationFrame(work);
  },
  nowMs: () => Date.now(),
};

/** The events of this selection for as long as the component is there; another `key` begins anew. */
export function useLiveFeed(key: string, options: LiveOptions): LiveFeed {
  const [, draw] = useReducer((times: number) => times + 1, 0);
  const [feed, setFeed] = useState(() => new LiveFeed(SOURCE, options, () => draw(undefined)));
  useEffect(() => {
    const mine = new LiveFeed(SOURCE, options, () => draw(undefined));
    setFeed(mine);
    mine.start();
    const unwatch = watchOutages(mine);
    return () => {
      unwatch();
      mine.stop();
    };
  }, [key]);
  return feed;
}

/** What kills a connection without a word: sleep, another network. */
function watchOutages(feed: LiveFeed): () => void {
  let lastMs = Date.now();
  let wasHidden = document.hidden;
  const unwatchClock = now.subscribe((ms) => {
    const sleptMs = ms - lastMs;
    lastMs = ms;
    if (sleptMs > SLEPT_MS && !wasHidden)
      feed.reconnect(`Asleep for ${duration(sleptMs)}: read on from there`);
    wasHidden = document.hidden;
  });
  const onOnline = () => feed.reconnect("Another network: read on from where it broke off");
  addEventListener("online", onOnline);
  return () => {
    unwatchClock();
    removeEventListener("online", onOnline);
  };
}
