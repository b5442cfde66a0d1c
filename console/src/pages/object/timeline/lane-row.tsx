import { now } from "../../../app/clock.ts";
import { Subject } from "../../../ui/subject.tsx";
import { duration, preciseTime } from "../../../words/time.ts";
import type { Bar, Lane } from "../lanes/lane.ts";
import { clustersOf, type Cluster } from "./clusters.ts";
import { placeIn, type Range } from "./scale.ts";
import css from "./timeline.module.css";
import type { TimelineProps } from "./timeline.tsx";

interface LaneRowProps extends Pick<TimelineProps, "onScrub" | "cutMs"> {
  readonly lane: Lane;
  readonly range: Range;
  /** Px. */
  readonly width: number;
  /** Where the tabulator enters. */
  readonly isFirst: boolean;
}

const MARK_PX = 10;

export function LaneRow({ lane, range, width, isFirst, onScrub }: LaneRowProps) {
  const msPerPx = (range.toMs - range.fromMs) / Math.max(1, width);
  const nowMs = now.value;
  const inSight = (fromMs: number, toMs: number) => toMs >= range.fromMs && fromMs <= range.toMs;
  const bars = lane.bars.filter(({ fromMs, toMs }) => inSight(fromMs, toMs ?? nowMs));
  const clusters = clustersOf(
    lane.marks.filter(({ ms }) => inSight(ms, ms)),
    MARK_PX * msPerPx,
  );
  return (
    <li class={css.lane}>
      <p class={css.label}>
        <span class="visually-hidden">{lane.noun}: </span>
        {lane.subject === undefined ? lane.label : <Subject subject={lane.subject} name={lane.label} plain />}
      </p>
      <div class={css.track}>
        {bars.map((bar) => (
          <BarView key={`${bar.fromMs} ${bar.word}`} bar={bar} range={range} nowMs={nowMs} lane={lane} />
        ))}
        {clusters.map((cluster, at) => (
          <MarkView
            key={cluster.ms}
            cluster={cluster}
            lane={lane}
            range={range}
            canTab={isFirst && at === 0}
            onScrub={onScrub}
          />
        ))}
      </div>
    </li>
  );
}

interface BarViewProps {
  readonly bar: Bar;
  readonly lane: Lane;
  readonly range: Range;
  readonly nowMs: number;
}

function BarView({ bar, lane, range, nowMs }: BarViewProps) {
  const { fromMs, toMs, word, tone } = bar;
  const endMs = toMs ?? nowMs;
  const start = Math.max(0, placeIn(range, fromMs));
  const end = Math.min(1, placeIn(range, endMs));
  const length = Number.isFinite(fromMs) ? ` for ${duration(endMs - fromMs)}` : "";
  const since = Number.isFinite(fromMs) ? preciseTime(fromMs) : "before what is known";
  const until = toMs === null ? "until now" : `until ${preciseTime(toMs)}`;
  return (
    <div
      class={css.bar}
      data-tone={tone}
      data-open={toMs === null ? "" : undefined}
      data-words={`${lane.label}: ${word}${length}, from ${since} ${until}`}
      style={{ insetInlineStart: `${start * 100}%`, width: `max(3px, ${(end - start) * 100}%)` }}
    >
      {word}
    </div>
  );
}

interface MarkViewProps extends Pick<TimelineProps, "onScrub"> {
  readonly cluster: Cluster;
  readonly lane: Lane;
  readonly range: Range;
  readonly canTab: boolean;
}

function MarkView({ cluster, lane, range, canTab, onScrub }: MarkViewProps) {
  const { marks, ms, shape } = cluster;
  const last = marks.at(-1);
  const [first] = marks;
  const words =
    marks.length === 1
      ? `${preciseTime(ms)} ${lane.label}: ${first?.words ?? ""}`
      : `${preciseTime(ms)} ${lane.label}, ${marks.length} events: ${marks.map((mark) => mark.words).join("; ")}`;
  return (
    <button
      type="button"
      class={css.mark}
      data-mark={ms}
      data-shape={shape}
      data-many={marks.length > 1 ? "" : undefined}
      data-words={words}
      aria-label={words}
      tabIndex={canTab ? 0 : -1}
      style={{ insetInlineStart: `${placeIn(range, ms) * 100}%` }}
      onClick={() => last && onScrub({ ms: last.ms, cursor: last.cursor })}
    />
  );
}
