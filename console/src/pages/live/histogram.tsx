import { signal } from "@preact/signals";
import type { Counts, CountsQuery, Severity } from "nomad-changefeed-client";
import { RequestFailed } from "nomad-changefeed-client";
import { useRef, useState } from "preact/hooks";
import { setQuery } from "../../app/router.ts";
import { api } from "../../feed/api.ts";
import { useLoaded } from "../../feed/use-loaded.ts";
import { SEVERITIES } from "../../ui/severity.tsx";
import { count } from "../../words/names.ts";
import { duration, timeOfDay } from "../../words/time.ts";
import css from "./histogram.module.css";
import type { SelectionQuery } from "./selection.ts";
import { spanOf } from "./span.ts";

type Bucket = Counts["buckets"][number];

interface HistogramProps {
  readonly selection: SelectionQuery;
  /** Whether it is asked for again as time goes on. */
  readonly isLive: boolean;
}

const BUCKETS = 120;
const EVERY_MS = 5000;
/** Less than this is a click, px. */
const CLICK_PX = 4;

/** A bridge that cannot is not asked again and again. */
const canCount = signal(true);

/** How many events there were over time, by severity. What is dragged over becomes the time that is shown. */
export function Histogram({ selection, isLive }: HistogramProps) {
  const { since, until } = spanOf();
  const query: CountsQuery = { ...selection, since, buckets: BUCKETS, ...(until !== undefined && { until }) };
  const { value, error, isLoading } = useLoaded(
    JSON.stringify(query),
    (gone) => api(gone).counts(query),
    isLive && canCount.value ? { everyMs: EVERY_MS } : {},
  );
  if (error instanceof RequestFailed && error.status === 404) {
    canCount.value = false;
    return <p class={css.none}>This bridge is too old to count events over time.</p>;
  }
  if (value === undefined)
    return <div class={css.histogram} role="status" aria-label="Counting" aria-busy={isLoading} />;
  return <Bars counts={value} />;
}

function Bars({ counts }: { counts: Counts }) {
  const { buckets, bucketMs, total } = counts;
  const area = useRef<HTMLDivElement>(null);
  const [hovered, hover] = useState(-1);
  const [brush, setBrush] = useState<readonly [from: number, to: number]>();
  const most = Math.max(1, ...buckets.map((bucket) => bucket.total));
  const startMs = Date.parse(buckets[0]?.at ?? counts.since);
  const endMs = startMs + buckets.length * bucketMs;
  const shareAt = ({ clientX }: PointerEvent) => {
    const { left, width } = area.current?.getBoundingClientRect() ?? { left: 0, width: 1 };
    return Math.min(1, Math.max(0, (clientX - left) / width));
  };
  const onDown = (event: PointerEvent) => {
    if (event.button !== 0) return;
    area.current?.setPointerCapture(event.pointerId);
    const share = shareAt(event);
    setBrush([share, share]);
  };
  const onMove = (event: PointerEvent) => {
    const share = shareAt(event);
    hover(Math.min(buckets.length - 1, Math.floor(share * buckets.length)));
    if (brush !== undefined) setBrush([brush[0], share]);
  };
  const onUp = () => {
    if (brush === undefined) return;
    setBrush(undefined);
    const [a, b] = brush.toSorted((one, other) => one - other) as [number, number];
    const isClick = (b - a) * (area.current?.clientWidth ?? 1) < CLICK_PX;
    const at = Math.floor(a * buckets.length);
    const [from, to] = isClick
      ? [startMs + at * bucketMs, startMs + (at + 1) * bucketMs]
      : [startMs + a * (endMs - startMs), startMs + b * (endMs - startMs)];
    setQuery({ from: isoOf(from), to: isoOf(to), at: null }, { replace: false });
  };
  const bucket = hovered === -1 ? undefined : buckets[hovered];
  return (
    <figure class={css.histogram} aria-label={wordsOf(counts)}>
      <div
        ref={area}
        class={css.area}
        onPointerDown={onDown}
        onPointerMove={onMove}
        onPointerUp={onUp}
        onPointerLeave={() => hover(-1)}
        onPointerCancel={() => setBrush(undefined)}
      >
        <svg viewBox={`0 0 ${buckets.length} 100`} preserveAspectRatio="none" aria-hidden="true">
          {buckets.map((one, at) => (
            <Bar key={one.at} bucket={one} at={at} most={most} />
          ))}
        </svg>
        {hovered !== -1 && brush === undefined && (
          <span
            class={css.cursor}
            style={{ left: `${(hovered / buckets.length) * 100}%`, width: `${100 / buckets.length}%` }}
          />
        )}
        {brush !== undefined && <Brush brush={brush} startMs={startMs} endMs={endMs} />}
        <span class={css.most}>{most.toLocaleString("en")}</span>
      </div>
      <figcaption class={css.axis}>
        <span>{timeOfDay(startMs, endMs)}</span>
        <span class={css.total} aria-live="off">
          {bucket === undefined
            ? `${count(total, "event")} in ${duration(endMs - startMs)}`
            : bucketWords(bucket)}
          {bucket === undefined &&
            !counts.complete &&
            `, those before ${timeOfDay(Date.parse(counts.from), endMs)} not counted`}
        </span>
        <span>{timeOfDay(endMs, endMs)}</span>
      </figcaption>
    </figure>
  );
}

/** Worst at the bottom: there even one of a thousand is seen. */
function Bar({ bucket, at, most }: { bucket: Bucket; at: number; most: number }) {
  let top = 100;
  return (
    <>
      {SEVERITIES.toReversed().map((severity) => {
        const number = bucket.severities[severity] ?? 0;
        if (number === 0) return null;
        const height = Math.max(2.5, (number / most) * 96);
        top -= height;
        return (
          <rect
            key={severity}
            class={css[severity.toLowerCase()]}
            x={at + 0.08}
            width={0.84}
            y={top}
            height={height}
          />
        );
      })}
    </>
  );
}

function Brush({
  brush,
  startMs,
  endMs,
}: {
  brush: readonly [number, number];
  startMs: number;
  endMs: number;
}) {
  const [a, b] = brush.toSorted((one, other) => one - other) as [number, number];
  const timeAt = (share: number) => timeOfDay(startMs + share * (endMs - startMs), endMs);
  return (
    <span class={css.brush} style={{ left: `${a * 100}%`, width: `${(b - a) * 100}%` }}>
      <span>
        {timeAt(a)} – {timeAt(b)}
      </span>
    </span>
  );
}

function bucketWords({ at, severities, total }: Bucket): string {
  const parts = SEVERITIES.toReversed().flatMap((severity: Severity) => {
    const number = severities[severity] ?? 0;
    return number === 0 ? [] : `${number.toLocaleString("en")} ${severity}`;
  });
  return `${timeOfDay(Date.parse(at), Date.now())}  ${count(total, "event")}${parts.length > 0 ? `: ${parts.join(", ")}` : ""}`;
}

function wordsOf({ total, buckets }: Counts): string {
  const wrong = buckets.reduce(
    (sum, { severities }) => sum + (severities.ERROR ?? 0) + (severities.FATAL ?? 0),
    0,
  );
  return `Events over time: ${count(total, "event")}, ${count(wrong, "error")}`;
}

function isoOf(ms: number): string {
  return new Date(Math.round(ms)).toISOString();
}
