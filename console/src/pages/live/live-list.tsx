import { useRef } from "preact/hooks";
import { EVENT_LINE_PX, EventLine } from "../../ui/event-line.tsx";
import { Time } from "../../ui/time.tsx";
import { VirtualList, type VirtualListHandle } from "../../ui/virtual-list.tsx";
import { isMark, keyOf, type Mark, type Row } from "./event-window.ts";
import type { EventFacts } from "../../feed/event-facts.ts";
import type { LiveFeed } from "./live-feed.ts";
import css from "./live.module.css";

interface LiveListProps {
  readonly feed: LiveFeed;
  readonly selected: string | undefined;
  readonly onSelect: (event: EventFacts) => void;
  readonly onReady: (list: VirtualListHandle) => void;
}

/** How many rows before an end the rest is asked for. */
const AHEAD = 60;
const AT_ONCE = 300;

/** The events, newest first, without end downwards. */
export function LiveList({ feed, selected, onSelect, onReady }: LiveListProps) {
  const list = useRef<VirtualListHandle | null>(null);
  const { window: rows } = feed;
  const count = rows.count + 1;
  const onRange = (first: number, last: number) => {
    const top = list.current?.element.scrollTop ?? 0;
    if (last > rows.count - AHEAD) void feed.loadOlder();
    feed.setAway(top > EVENT_LINE_PX / 2 && feed.isFollowing);
    if (top > 0 && first < AHEAD) void loadAbove(feed, list.current);
  };
  return (
    <VirtualList
      label="Events, newest first"
      count={count}
      rowHeight={EVENT_LINE_PX}
      keyOf={(index) => keyAt(rows.at(index))}
      row={(index) => {
        const row = rows.at(index);
        if (row === undefined) return <OldEnd feed={feed} />;
        if (isMark(row)) return <MarkLine mark={row} />;
        return <EventLine event={row} isSelected={row.cursor === selected} onOpen={onSelect} />;
      }}
      onRange={onRange}
      onReady={(handle) => {
        list.current = handle;
        onReady(handle);
      }}
    />
  );
}

/** What came meanwhile is put above what is read, which stays where it is. */
async function loadAbove(feed: LiveFeed, list: VirtualListHandle | null): Promise<void> {
  const added = feed.newer.kind === "end" ? feed.takeWaiting(AT_ONCE) : await feed.loadNewer();
  if (added > 0) list?.scrollBy(added * EVENT_LINE_PX);
}

function keyAt(row: Row | undefined): string {
  return row === undefined ? "end" : keyOf(row);
}

function MarkLine({ mark: { mark, words, atMs } }: { mark: Mark }) {
  return (
    <p class={css.mark} data-kind={mark}>
      <Time at={new Date(atMs).toISOString()} as="clock" />
      <span>{words}</span>
    </p>
  );
}

function OldEnd({ feed }: { feed: LiveFeed }) {
  const { older } = feed;
  switch (older.kind) {
    case "end":
      return <p class={css.mark}>Retention starts here: what was before is not kept</p>;
    case "failed":
      return (
        <p class={css.mark} data-kind="gap">
          <span>{older.error instanceof Error ? older.error.message : "Older events could not be read"}</span>
          <button type="button" class={css.again} onClick={() => void feed.loadOlder()}>
            Try again
          </button>
        </p>
      );
    case "more":
    case "loading":
      return <p class={css.mark}>Reading what was before…</p>;
    default:
      return older satisfies never;
  }
}
