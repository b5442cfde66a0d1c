import { useCallback, useMemo, useRef, useState } from "preact/hooks";
import { shownTime } from "../../app/as-of.ts";
import { useCommands } from "../../app/keys.ts";
import { asOf, eventHref, go, objectHref, queryValue, route, setQuery } from "../../app/router.ts";
import type { EventFacts } from "../../feed/event-facts.ts";
import { EventLineHeader, type OnValue } from "../../ui/event-line.tsx";
import { isNarrow } from "../../ui/narrow.ts";
import { Failure, Skeleton } from "../../ui/panel.tsx";
import type { VirtualListHandle } from "../../ui/virtual-list.tsx";
import { isCursor } from "../../words/cursor.ts";
import { boundsOf } from "../../words/shown-time.ts";
import { AutomationMenu } from "./automation-menu.tsx";
import { ConditionChips } from "./condition-chips.tsx";
import { DetailPane } from "./detail-pane.tsx";
import { isMark } from "./event-window.ts";
import { ExportMenu } from "./export-menu.tsx";
import { FilterBar } from "./filter-bar.tsx";
import { GroupList } from "./group-list.tsx";
import { Histogram } from "./histogram.tsx";
import { LiveList } from "./live-list.tsx";
import css from "./live.module.css";
import { queryOf, selectionOf, SELECTION, type Selection } from "./selection.ts";
import { hasSpan } from "./span.ts";
import { TailState, WaitingButton } from "./tail-state.tsx";
import { TimeMenu } from "./time-menu.tsx";
import { useLiveFeed, type Live } from "./use-live-feed.ts";
import { ValueMenu, type Pointed } from "./value-menu.tsx";
import { columnsInUse, densityInUse, isGrouped, nextDensity, toggleGroups, ViewMenu } from "./view-menu.tsx";

/** The feed as it comes, and as it was. */
export default function LivePage() {
  const { query } = route.value;
  const key = [...SELECTION, "from", "to", "at"].map((name) => query.get(name) ?? "").join("\n");
  const selection = useMemo(() => selectionOf(query), [key]);
  // When the event of a cursor was recorded is known in a moment.
  if (shownTime.value.kind === "asking") return <Skeleton lines={16} />;
  return <FollowedView key={key} feedKey={key} selection={selection} />;
}

function FollowedView({ feedKey, selection }: { readonly feedKey: string; readonly selection: Selection }) {
  const live = useLiveFeed(feedKey, optionsOf(selection));
  return <LiveView live={live} selection={selection} />;
}

function LiveView({ live, selection }: { live: Live; selection: Selection }) {
  const { feed } = live;
  const list = useRef<VirtualListHandle | null>(null);
  const openers = useRef<Openers>({});
  const [pointed, point] = useState<Pointed>();
  const opened = queryValue("open");
  const [selected, select] = useState<string | undefined>(opened === "" ? undefined : opened);
  const isBeside = opened !== "" && !isNarrow.value;
  const columnsKey = queryValue("columns");
  const columns = useMemo(
    // Beside an event there is less room.
    () => columnsInUse().filter((id) => !isBeside || (id !== "signals" && id !== "namespace")),
    [columnsKey, isBeside],
  );
  const onOpen = useCallback((event: EventFacts) => {
    select(event.cursor);
    openEvent(event.cursor);
  }, []);
  const onValue: OnValue = useCallback((event, field, value, element) => {
    const { left, bottom } = element.getBoundingClientRect();
    point({ event, field, value, x: left, y: bottom + 4 });
  }, []);
  const toTop = () => {
    select(undefined);
    feed.toNow();
    list.current?.scrollToIndex(0, "start");
  };
  const close = () => {
    select(undefined);
    setQuery({ open: null, part: null });
  };
  const move = (step: number) => {
    const next = neighbour(live, selected, step);
    if (next === undefined) return;
    select(next.cursor);
    list.current?.scrollToIndex(next.index);
    if (queryValue("open") !== "") openEvent(next.cursor);
  };
  useKeys({ live, selected, move, close, toTop, openers: openers.current, point });
  return (
    <section class={css.page} aria-label="Live events">
      <h1 class="visually-hidden">Live</h1>
      <div class={css.bar}>
        <TailState live={live} onToggle={() => toggle(live)} />
        <FilterBar feed={feed} selection={selection} onFacets={(open) => (openers.current.facets = open)} />
        <TimeMenu onReady={(open) => (openers.current.time = open)} />
        <ViewMenu />
        <ExportMenu options={optionsOf(selection)} onReady={(open) => (openers.current.exports = open)} />
        <AutomationMenu selection={selection} onReady={(open) => (openers.current.automation = open)} />
      </div>
      <ConditionChips selection={selection} />
      {hasSpan() && <Histogram selection={queryOf(selection)} isLive={feed.isFollowing} />}
      <div class={css.body}>
        <div class={css.events}>
          {!isGrouped() && <EventLineHeader columns={columns} density={densityInUse()} />}
          <Refusal live={live} />
          <div class={css.list}>
            <WaitingButton live={live} onTop={toTop} />
            {isGrouped() ? (
              <GroupList live={live} onOpen={onOpen} onValue={onValue} />
            ) : (
              <LiveList
                live={live}
                selected={selected}
                density={densityInUse()}
                columns={columns}
                onOpen={onOpen}
                onValue={onValue}
                onReady={(ready) => {
                  list.current = ready;
                }}
              />
            )}
          </div>
        </div>
        {isBeside && <DetailPane cursor={opened} onMove={move} onClose={close} />}
      </div>
      {pointed !== undefined && (
        <ValueMenu pointed={pointed} selection={selection} onClose={() => point(undefined)} />
      )}
    </section>
  );
}

/** What was asked for is refused: why. */
function Refusal({ live: { feed, version } }: { live: Live }) {
  void version.value;
  return feed.failure === undefined ? null : <Failure error={feed.failure} />;
}

/** What opens the menus, for their keys. */
interface Openers {
  facets?: () => void;
  time?: () => void;
  exports?: () => void;
  automation?: () => void;
}

interface KeyProps {
  readonly live: Live;
  readonly selected: string | undefined;
  readonly move: (step: number) => void;
  readonly toTop: () => void;
  readonly close: () => void;
  readonly openers: Openers;
  readonly point: (pointed: Pointed) => void;
}

function useKeys({ live, selected, move, close, toTop, openers, point }: KeyProps): void {
  const group = "Live";
  const withSelected = (work: (event: EventFacts) => void) => () => {
    const event =
      selected === undefined ? undefined : live.feed.window.at(live.feed.window.indexOf(selected));
    if (event !== undefined && !isMark(event)) work(event);
  };
  useCommands([
    { group, words: "Pause or resume", keys: "p", run: () => toggle(live) },
    { group, words: "Pause or resume", keys: "Space", run: () => toggle(live) },
    { group, words: "Next event", keys: "j", run: () => move(1) },
    { group, words: "Event above", keys: "k", run: () => move(-1) },
    { group, words: "Open the event", keys: "Enter", run: withSelected(({ cursor }) => openEvent(cursor)) },
    { group, words: "Close the event", keys: "Escape", run: close },
    { group, words: "Newest event", keys: "g g", run: toTop },
    {
      group,
      words: "All events of its object",
      keys: "e",
      run: withSelected(({ subject }) => go(objectHref(subject))),
    },
    {
      group,
      words: "Filter by a value of the event",
      keys: "v",
      run: withSelected((event) => point({ event, x: innerWidth / 2 - 140, y: 160 })),
    },
    { group, words: "Filter by values that exist", keys: "f", run: () => openers.facets?.() },
    { group, words: "Choose a stretch of time", keys: "r", run: () => openers.time?.() },
    { group, words: "Export the events that match", keys: "x", run: () => openers.exports?.() },
    {
      group,
      words: "Use it elsewhere: curl, client, destination, alert rule",
      keys: "y",
      run: () => openers.automation?.(),
    },
    { group, words: "Put together what has one cause", keys: "c", run: toggleGroups },
    { group, words: "Change the density", keys: "d", run: nextDensity },
  ]);
}

/** Beside the others, where there is room; else alone. */
function openEvent(cursor: string): void {
  if (isNarrow.value) go(eventHref(cursor));
  else setQuery({ open: cursor });
}

function neighbour(
  { feed }: Live,
  selected: string | undefined,
  step: number,
): { cursor: string; index: number } | undefined {
  const rows = feed.window;
  const from = selected === undefined ? -1 : rows.indexOf(selected);
  for (let index = from + step; index >= 0 && index < rows.count; index += step) {
    const row = rows.at(index);
    if (row !== undefined && !isMark(row)) return { cursor: row.cursor, index };
  }
  return undefined;
}

function toggle({ feed }: Live): void {
  if (feed.isPaused) feed.resume();
  else feed.pause();
}

function optionsOf(selection: Selection) {
  const at = asOf.value;
  const since = queryValue("from");
  const until = queryValue("to");
  return {
    selection: queryOf(selection),
    ...(since !== "" && { since }),
    ...(until !== "" && { until }),
    ...(at !== "" && endOf(at)),
  };
}

/** Where the events end: with that of the cursor, or at the time. */
function endOf(at: string) {
  const bounds = boundsOf(shownTime.value);
  if (bounds.until !== undefined) return bounds;
  return isCursor(at) ? { before: at } : { until: at };
}
