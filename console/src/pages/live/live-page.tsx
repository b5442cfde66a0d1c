import { useMemo, useRef, useState } from "preact/hooks";
import { useCommands } from "../../app/keys.ts";
import { asOf, eventHref, go, route } from "../../app/router.ts";
import { Button } from "../../ui/button.tsx";
import { Empty, Failure } from "../../ui/panel.tsx";
import type { VirtualListHandle } from "../../ui/virtual-list.tsx";
import { count } from "../../words/names.ts";
import { duration } from "../../words/time.ts";
import { isMark } from "./event-window.ts";
import type { LiveFeed } from "./live-feed.ts";
import { LiveList } from "./live-list.tsx";
import css from "./live.module.css";
import { queryOf, selectionOf } from "./selection.ts";
import { useLiveFeed } from "./use-live-feed.ts";

/** The feed as it comes, and as it was. */
export default function LivePage() {
  const { query } = route.value;
  const selection = useMemo(() => selectionOf(query), [query]);
  const key = JSON.stringify([selection, query.get("from"), query.get("to"), asOf.value]);
  const feed = useLiveFeed(key, optionsOf(query));
  const list = useRef<VirtualListHandle | null>(null);
  const [selected, select] = useState<string>();
  const toTop = () => {
    feed.toNow();
    list.current?.scrollToIndex(0, "start");
  };
  const move = (step: number) => {
    const at = selected === undefined ? -1 : feed.window.indexOf(selected);
    for (let index = at + step; index >= 0 && index < feed.window.count; index += step) {
      const row = feed.window.at(index);
      if (row === undefined || isMark(row)) continue;
      select(row.cursor);
      list.current?.scrollToIndex(index);
      return;
    }
  };
  useCommands([
    { group: "Live", words: feed.isPaused ? "Resume" : "Pause", keys: "p", run: () => toggle(feed) },
    { group: "Live", words: "Pause or resume", keys: "Space", run: () => toggle(feed) },
    { group: "Live", words: "Next event", keys: "j", run: () => move(1) },
    { group: "Live", words: "Event before", keys: "k", run: () => move(-1) },
    {
      group: "Live",
      words: "Open the event",
      keys: "Enter",
      run: () => selected !== undefined && go(eventHref(selected)),
    },
    { group: "Live", words: "Newest event", keys: "g g", run: toTop },
  ]);
  return (
    <section class={css.page} aria-label="Live events">
      <h1 class="visually-hidden">Live</h1>
      <div class={css.bar}>
        <TailState feed={feed} />
        {feed.isFollowing && (
          <Button
            icon={feed.isPaused ? "play" : "pause"}
            hint="p"
            pressed={feed.isPaused}
            onClick={() => toggle(feed)}
          >
            {feed.isPaused ? "Resume" : "Pause"}
          </Button>
        )}
        {feed.waiting > 0 && (
          <Button icon="up" onClick={toTop} hint="g g">
            {count(feed.waiting, "new event")}
          </Button>
        )}
      </div>
      {feed.failure !== undefined && <Failure error={feed.failure} />}
      <div class={css.list}>
        {feed.window.count === 0 && feed.older.kind === "end" ? (
          <Empty title="No event matches">What comes and matches is shown at once.</Empty>
        ) : (
          <LiveList
            feed={feed}
            selected={selected}
            onSelect={(event) => select(event.cursor)}
            onReady={(ready) => {
              list.current = ready;
            }}
          />
        )}
      </div>
    </section>
  );
}

function toggle(feed: LiveFeed): void {
  if (feed.isPaused) feed.resume();
  else feed.pause();
}

function optionsOf(query: URLSearchParams) {
  const at = asOf.value;
  const since = query.get("from") ?? "";
  const until = query.get("to") ?? "";
  return {
    selection: queryOf(selectionOf(query)),
    ...(since !== "" && { since }),
    ...(until !== "" && { until }),
    ...(at !== "" && (Number.isNaN(Date.parse(at)) ? { before: at } : { until: at })),
  };
}

/** What happens at the new end, always in words. */
function TailState({ feed }: { feed: LiveFeed }) {
  const { kind, words } = stateOf(feed);
  return (
    <p class={css.state} data-kind={kind} role="status">
      {words}
    </p>
  );
}

function stateOf(feed: LiveFeed): { kind: string; words: string } {
  if (feed.failure !== undefined) return { kind: "ended", words: "Stopped" };
  if (!feed.isFollowing) return { kind: "past", words: "The past" };
  const waiting = feed.waiting === 0 ? "" : `, ${feed.waiting.toLocaleString("en")} new`;
  if (feed.isPaused) return { kind: "held", words: `Paused${waiting}` };
  if (feed.behindMs > 0) return { kind: "behind", words: `Catching up: ${duration(feed.behindMs)} behind` };
  if (feed.isAway) return { kind: "held", words: `Reading back${waiting}` };
  return { kind: "live", words: "Live" };
}
