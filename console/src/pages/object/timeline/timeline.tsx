import { useMemo, useRef, useState } from "preact/hooks";
import { now } from "../../../app/clock.ts";
import { useCommands } from "../../../app/keys.ts";
import { queryValue, setQuery } from "../../../app/router.ts";
import { Button } from "../../../ui/button.tsx";
import { Notice } from "../../../ui/panel.tsx";
import { Time } from "../../../ui/time.tsx";
import { count } from "../../../words/names.ts";
import type { Lane } from "../lanes/lane.ts";
import { Axis } from "./axis.tsx";
import { LaneRow } from "./lane-row.tsx";
import { extentOf, padded, rangeIn } from "./range.ts";
import { zoomed, type Range } from "./scale.ts";
import css from "./timeline.module.css";
import { useBrush } from "./use-brush.ts";
import { useMarkKeys } from "./use-mark-keys.ts";
import { useWidth } from "../use-width.ts";

const MOST_LANES = 40;

export interface TimelineProps {
  readonly lanes: readonly Lane[];
  /** When the object is known to have been there: what is shown first. */
  readonly life: Range;
  /** The object's own events: the steps of the slider. */
  readonly own: readonly Moment[];
  /** The moment that is shown; null: now. */
  readonly atMs: number | null;
  /** Before that, what is around the object was not read. */
  readonly cutMs: number | undefined;
  /** Shows another moment: a cursor or a time. */
  readonly onScrub: (at: Moment | null) => void;
}

interface Moment {
  readonly ms: number;
  readonly cursor: string | null;
}

/** What happened to an object, and to what is around it, over time. */
export function Timeline(props: TimelineProps) {
  const { lanes, life, atMs, cutMs, onScrub } = props;
  const [showsAll, showAll] = useState(false);
  const [said, say] = useState("");
  const { element, width } = useWidth<HTMLDivElement>();
  const chart = useRef<HTMLUListElement>(null);
  const range = rangeIn(queryValue("from"), queryValue("to")) ?? padded(life);
  const zoomTo = (to: Range | null) =>
    setQuery({
      from: to && new Date(to.fromMs).toISOString(),
      to: to && new Date(to.toMs).toISOString(),
    });
  const middle =
    atMs !== null && atMs > range.fromMs && atMs < range.toMs ? atMs : (range.fromMs + range.toMs) / 2;
  const zoom = (factor: number) => zoomTo(zoomed(range, factor, middle));
  useCommands([
    { group: "Timeline", words: "Zoom in", keys: "+", run: () => zoom(0.5) },
    { group: "Timeline", words: "Zoom out", keys: "-", run: () => zoom(2) },
    { group: "Timeline", words: "Show the object’s whole life", keys: "0", run: () => zoomTo(null) },
  ]);
  const brush = useBrush({ range, onZoom: zoomTo, onPick: (ms) => onScrub({ ms, cursor: null }) });
  const onMarkKeys = useMarkKeys(chart);
  const inRange = lanes.filter((lane) => reaches(lane, range));
  const shown = showsAll ? inRange : inRange.slice(0, MOST_LANES);
  const quiet = lanes.length - inRange.length;
  const extent = useMemo(() => extentOf(lanes, now.peek()), [lanes]);
  return (
    <section aria-label="Timeline" class={css.timeline}>
      <div class={css.tools}>
        <span class="muted">Drag to zoom, click to go to a moment.</span>
        <span class={css.zoom}>
          <Button label="Zoom in" hint="+" onClick={() => zoom(0.5)}>
            +
          </Button>
          <Button label="Zoom out" hint="-" onClick={() => zoom(2)}>
            −
          </Button>
          <Button hint="0" label="The object’s whole life" onClick={() => zoomTo(null)}>
            Life
          </Button>
          <Button label="All that was read of it and around it" onClick={() => zoomTo(extent)}>
            All
          </Button>
        </span>
      </div>
      <div class={css.chart}>
        <div class={css.measure} ref={element} />
        <Axis {...props} range={range} width={width} />
        <ul
          ref={chart}
          class={css.lanes}
          onKeyDown={onMarkKeys}
          onMouseOver={(event) => say(wordsUnder(event))}
          onFocus={(event) => say(wordsUnder(event))}
          {...brush.handlers}
        >
          {shown.map((lane, at) => (
            <LaneRow
              key={lane.id}
              lane={lane}
              range={range}
              width={width}
              isFirst={at === 0}
              onScrub={onScrub}
              cutMs={cutMs}
            />
          ))}
        </ul>
        <Overlay range={range} atMs={atMs} brush={brush.band} />
      </div>
      {shown.length < inRange.length && (
        <Button onClick={() => showAll(true)}>{count(inRange.length - shown.length, "more lane")}</Button>
      )}
      {quiet > 0 && (
        <p class={css.quiet}>{count(quiet, "more lane")} with nothing in this stretch of time.</p>
      )}
      <p class={css.said} aria-hidden="true">
        {said}
      </p>
      {cutMs !== undefined && (
        <Notice>
          There is more around it than was read: before <Time at={new Date(cutMs).toISOString()} as="clock" />{" "}
          only the object itself is shown.
        </Notice>
      )}
    </section>
  );
}

function reaches({ bars, marks }: Lane, { fromMs, toMs }: Range): boolean {
  return (
    bars.some((bar) => bar.fromMs <= toMs && (bar.toMs ?? now.peek()) >= fromMs) ||
    marks.some(({ ms }) => ms >= fromMs && ms <= toMs)
  );
}

function wordsUnder({ target }: Event): string {
  const element = target instanceof Element ? target.closest<HTMLElement>("[data-words]") : null;
  return element?.dataset["words"] ?? "";
}

interface OverlayProps {
  readonly range: Range;
  readonly atMs: number | null;
  readonly brush: { readonly from: number; readonly to: number } | null;
}

/** What reaches over all lanes: the moment that is shown, now, and what is being chosen. */
function Overlay({ range, atMs, brush }: OverlayProps) {
  const place = (ms: number) => (ms - range.fromMs) / (range.toMs - range.fromMs);
  const nowPlace = place(now.value);
  const atPlace = atMs === null ? null : place(atMs);
  const line = (at: number | null, look: string | undefined) =>
    at === null || at < 0 || at > 1 ? null : (
      <div class={look} style={{ insetInlineStart: `${at * 100}%` }} />
    );
  return (
    <div class={css.overlay} aria-hidden="true">
      {atPlace !== null && atPlace < 1 && (
        <div class={css.later} style={{ insetInlineStart: `${Math.max(0, atPlace) * 100}%` }} />
      )}
      {line(nowPlace, css.now)}
      {line(atPlace, css.at)}
      {brush !== null && (
        <div
          class={css.brush}
          style={{ insetInlineStart: `${brush.from * 100}%`, width: `${(brush.to - brush.from) * 100}%` }}
        />
      )}
    </div>
  );
}
