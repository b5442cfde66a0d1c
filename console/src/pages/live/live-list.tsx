import { useEffect, useRef } from "preact/hooks";
import { queryValue, setQuery } from "../../app/router.ts";
import type { EventFacts } from "../../feed/event-facts.ts";
import { eventLinePx, type Density, type EventColumn } from "../../ui/event-columns.ts";
import { EventLine, type OnValue } from "../../ui/event-line.tsx";
import { memo } from "../../ui/memo.ts";
import { isNarrow } from "../../ui/narrow.ts";
import { Skeleton } from "../../ui/panel.tsx";
import { Time } from "../../ui/time.tsx";
import { VirtualList, type VirtualListHandle } from "../../ui/virtual-list.tsx";
import { isMark, keyOf, type Mark, type Row } from "./event-window.ts";
import { NothingMatches } from "./nothing-matches.tsx";
import type { LiveFeed } from "./live-feed.ts";
import css from "./live.module.css";
import type { Live } from "./use-live-feed.ts";

interface LiveListProps {
  readonly live: Live;
  readonly selected: string | undefined;
  readonly density: Density;
  readonly columns: readonly EventColumn[];
  readonly onOpen: (event: EventFacts) => void;
  readonly onValue: OnValue;
  readonly onReady: (list: VirtualListHandle) => void;
}

/** How many rows before an end the rest is asked for, and how many that wait are put on top at once. */
const AHEAD = 80;
const AT_ONCE = 300;

const Line = memo(EventLine);

/** The events, newest first, without end downwards. */
export function LiveList({
  live: { feed, version },
  selected,
  density,
  columns,
  onOpen,
  onValue,
  onReady,
}: LiveListProps) {
  void version.value;
  const list = useRef<VirtualListHandle | null>(null);
  const { window: rows } = feed;
  const rowHeight = eventLinePx(density, isNarrow.value);
  const stay = () => {
    const isDown = (list.current?.element.scrollTop ?? 0) > rowHeight / 2;
    // Who has chosen an event reads it: it must not wander off.
    feed.setAway(feed.isFollowing && (isDown || selected !== undefined));
  };
  useEffect(stay, [selected]);
  const onRange = (first: number, last: number) => {
    const top = list.current?.element.scrollTop ?? 0;
    if (last > rows.count - AHEAD) void feed.loadOlder();
    stay();
    if ((top > 0 || feed.newer.kind === "more") && first < AHEAD)
      void loadAbove(feed, list.current, rowHeight);
  };
  if (rows.count === 0) {
    if (feed.older.kind === "loading" || feed.older.kind === "more") {
      if (feed.older.kind === "more") void feed.loadOlder();
      return <Skeleton lines={16} />;
    }
    if (feed.older.kind === "end") return <NothingMatches feed={feed} />;
  }
  return (
    <VirtualList
      key={rowHeight}
      label="Events, newest first"
      count={rows.count + 1}
      rowHeight={rowHeight}
      keyOf={(index) => keyAt(rows.at(index))}
      row={(index) => {
        const row = rows.at(index);
        if (row === undefined) return <OldEnd feed={feed} />;
        if (isMark(row)) return <MarkLine mark={row} />;
        return (
          <Line
            event={row}
            isSelected={row.cursor === selected}
            density={density}
            columns={columns}
            onOpen={onOpen}
            onValue={onValue}
          />
        );
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
async function loadAbove(feed: LiveFeed, list: VirtualListHandle | null, rowHeight: number): Promise<void> {
  const added = feed.newer.kind === "end" ? feed.takeWaiting(AT_ONCE) : await feed.loadNewer();
  if (added > 0) list?.scrollBy(added * rowHeight);
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
  const from = queryValue("from");
  switch (older.kind) {
    case "end":
      return from === "" ? (
        <p class={css.mark} data-kind="end">
          {feed.isWhole ? "The feed begins here" : "Retention starts here: what was before is not kept"}
        </p>
      ) : (
        <p class={css.mark} data-kind="end">
          <span>The chosen time starts here</span>
          <button
            type="button"
            class={css.again}
            onClick={() => setQuery({ from: null }, { replace: false })}
          >
            Show what was before
          </button>
        </p>
      );
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
