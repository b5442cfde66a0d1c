import { signal } from "@preact/signals";
import type { Counts, CountsQuery, Severity } from "nomad-changefeed-client";
import { RequestFailed } from "nomad-changefeed-client";
import { useState } from "preact/hooks";
import { setQuery } from "../../app/router.ts";
import { api } from "../../feed/api.ts";
import { useLoaded } from "../../feed/use-loaded.ts";
import { SeverityChart, type Pointed } from "../../ui/chart/severity-chart.tsx";
import { count } from "../../words/names.ts";
import { SEVERITIES } from "../../words/severity.ts";
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
  const [pointed, point] = useState<Pointed>();
  const most = Math.max(1, ...buckets.map((bucket) => bucket.total));
  const startMs = Date.parse(buckets[0]?.at ?? counts.since);
  const endMs = startMs + buckets.length * bucketMs;
  const timeAt = (bucket: number) => startMs + bucket * bucketMs;
  const words = pointed === undefined ? undefined : pointedWords(pointed);
  function pointedWords({ at, selected }: Pointed): string | undefined {
    if (selected === undefined) return buckets[at] && bucketWords(buckets[at]);
    const { from, to } = selected;
    const inside = buckets.slice(from, to).reduce((sum, bucket) => sum + bucket.total, 0);
    return `${timeOfDay(timeAt(from), endMs)} – ${timeOfDay(timeAt(to), endMs)}  ${count(inside, "event")}`;
  }
  return (
    <figure class={css.histogram} aria-label={wordsOf(counts)}>
      <div class={css.area}>
        <SeverityChart
          counts={counts}
          label="Time to show: arrows move, with Shift they select, Enter shows it"
          {...(words !== undefined && { words })}
          onPoint={point}
          onSelect={(from, to) =>
            setQuery({ from: isoOf(timeAt(from)), to: isoOf(timeAt(to)), at: null }, { replace: false })
          }
        />
        <span class={css.most}>{most.toLocaleString("en")}</span>
      </div>
      <figcaption class={css.axis}>
        <span>{timeOfDay(startMs, endMs)}</span>
        <span class={css.total} aria-live="off">
          {words ?? `${count(total, "event")} in ${duration(endMs - startMs)}`}
          {words === undefined &&
            !counts.complete &&
            `, those before ${timeOfDay(Date.parse(counts.from), endMs)} not counted`}
        </span>
        <span>{timeOfDay(endMs, endMs)}</span>
      </figcaption>
    </figure>
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
