import type { Counts } from "nomad-changefeed-client";
import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";
import { SEVERITIES } from "../../words/severity.ts";
import type { BarPlot, Bars, Pointed } from "./bar-plot.ts";
import { isDark } from "./is-dark.ts";
import css from "./severity-chart.module.css";
import { stacked } from "./stack.ts";

export type { Pointed };

interface SeverityChartProps {
  readonly counts: Counts;
  /** What it is a chart of, for those who hear it. */
  readonly label: string;
  /** What is pointed at, for those who hear it. */
  readonly words?: string;
  readonly onPoint?: (pointed: Pointed | undefined) => void;
  /** Of buckets, without the one of `to`. Absent: nothing can be selected. */
  readonly onSelect?: (from: number, to: number) => void;
}

/** Worst at the bottom: there even one of a thousand is seen. */
const FROM_BELOW = SEVERITIES.toReversed();

/** Events over time as stacked bars, by severity. What draws them comes when the first is shown. */
export function SeverityChart(props: SeverityChartProps) {
  const { counts, label, words, onSelect } = props;
  const area = useRef<HTMLDivElement>(null);
  const plot = useRef<BarPlot | null>(null);
  const latest = useRef(props);
  latest.current = props;
  const [pointed, point] = useState<Pointed>();
  const [isMissing, miss] = useState(false);
  useEffect(() => {
    const element = area.current;
    if (element === null) return undefined;
    let isGone = false;
    const sizes = new ResizeObserver(() => plot.current?.resize(element.clientWidth, element.clientHeight));
    const onPoint = (next: Pointed | undefined) => {
      point(next);
      latest.current.onPoint?.(next);
    };
    const draw = async () => {
      const module = await import("./bar-plot.ts");
      if (isGone) return;
      plot.current = new module.BarPlot(element, {
        bars: barsOf(latest.current.counts),
        colours: coloursOf(element),
        onPoint,
        ...(onSelect !== undefined && { onSelect: (from, to) => latest.current.onSelect?.(from, to) }),
      });
      sizes.observe(element);
    };
    draw().catch(() => miss(true));
    return () => {
      isGone = true;
      sizes.disconnect();
      plot.current?.destroy();
      plot.current = null;
    };
  }, []);
  const dark = isDark.value;
  useLayoutEffect(() => {
    if (area.current !== null) plot.current?.show(barsOf(counts), coloursOf(area.current));
  }, [counts, dark]);
  // A bridge of another version has other files.
  if (isMissing) return <p class="muted">The chart could not be loaded. Load the page anew.</p>;
  if (onSelect === undefined) return <div ref={area} class={css.area} role="img" aria-label={label} />;
  return (
    <div
      ref={area}
      class={`${css.area} ${css.selectable}`}
      tabIndex={0}
      role="slider"
      aria-label={label}
      aria-valuemin={0}
      aria-valuemax={counts.buckets.length - 1}
      aria-valuenow={pointed?.at ?? counts.buckets.length - 1}
      aria-valuetext={words}
      onKeyDown={(event) => {
        if (plot.current === null || !pressed(plot.current, event)) return;
        event.preventDefault();
        event.stopPropagation();
      }}
      onBlur={() => plot.current?.clear()}
    />
  );
}

/** Answers whether the key meant something here. */
function pressed(plot: BarPlot, { key, shiftKey, ctrlKey, metaKey, altKey }: KeyboardEvent): boolean {
  if (ctrlKey || metaKey || altKey) return false;
  const steps: Record<string, number> = {
    ArrowLeft: -1,
    ArrowRight: 1,
    PageDown: -10,
    PageUp: 10,
    Home: -Infinity,
    End: Infinity,
  };
  const by = steps[key];
  if (by !== undefined) plot.step(by, shiftKey);
  else if (key === "Enter") return plot.enter();
  else if (key === "Escape") return plot.clear();
  else return false;
  return true;
}

function barsOf({ buckets, bucketMs, since }: Counts): Bars {
  const fromMs = Date.parse(buckets[0]?.at ?? since);
  const numbers = buckets.map(({ severities }) => FROM_BELOW.map((severity) => severities[severity] ?? 0));
  return {
    fromMs,
    toMs: fromMs + buckets.length * bucketMs,
    tops: stacked(numbers, FROM_BELOW.length),
  };
}

/** Of the severities, least first, as the theme has them now: a canvas knows nothing of variables. */
function coloursOf(element: HTMLElement): string[] {
  const probe = document.createElement("span");
  probe.hidden = true;
  element.append(probe);
  const colours = SEVERITIES.map((severity) => {
    probe.className = css[severity.toLowerCase()] ?? "";
    return getComputedStyle(probe).color;
  });
  probe.remove();
  return colours;
}
