import { useEffect } from "preact/hooks";
import { feeds, ownPlace, watchFeeds, type ListedFeed } from "../feed/feeds.ts";
import { Popover } from "../ui/popover.tsx";
import { hashElsewhere } from "../words/feed-place.ts";
import { duration } from "../words/time.ts";
import css from "./feed-menu.module.css";
import { useCommands } from "./keys.ts";
import { route } from "./router.ts";

/** Less is what a feed is behind while it does its work. */
const BEHIND_MS = 10_000;

/** The feeds of the process, where it has several: each leads to the same view of the other one. */
export function FeedMenu() {
  useEffect(watchFeeds, []);
  const others = feeds.value.filter(({ name }) => name !== ownPlace?.name);
  useCommands(
    others.map((feed) => ({
      group: "Feeds",
      words: `Switch to the feed ${feed.name}`,
      run: () => location.assign(addressOf(feed)),
    })),
    { isOfFrame: true },
  );
  if (ownPlace === undefined) return null;
  const { name: own, process } = ownPlace;
  return (
    <Popover label={`Feed: ${own}`}>
      {() => (
        <>
          <ul class={css.list}>
            {feeds.value.map((feed) => (
              <li key={feed.name}>
                <a
                  class={css.feed}
                  href={addressOf(feed)}
                  {...(feed.name === own && { "aria-current": "true" })}
                >
                  <strong>{feed.name}</strong>
                  <span class={css.state} data-state={stateOf(feed)}>
                    {wordsOf(feed)}
                  </span>
                </a>
              </li>
            ))}
          </ul>
          <a href={process}>All feeds of this process</a>
        </>
      )}
    </Popover>
  );
}

function addressOf({ path }: ListedFeed): string {
  // Read so that the menu follows the page.
  void route.value;
  return `${new URL(path, ownPlace?.process).href}${hashElsewhere(location.hash)}`;
}

function stateOf({ state, lagMs }: ListedFeed): "ready" | "stale" | "starting" {
  if (state === "starting") return "starting";
  return state === "ready" && (lagMs ?? 0) < BEHIND_MS ? "ready" : "stale";
}

function wordsOf(feed: ListedFeed): string {
  const { state, lagMs, why } = feed;
  if (stateOf(feed) === "ready") return "up to date";
  const behind = lagMs !== null && lagMs >= BEHIND_MS ? `${duration(lagMs)} behind` : undefined;
  const words = { starting: "not served yet", reading: "reading", ready: "stale" }[state];
  return [words, behind, why].filter(Boolean).join(", ");
}
