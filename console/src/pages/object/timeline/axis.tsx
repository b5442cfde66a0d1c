import { now } from "../../../app/clock.ts";
import { preciseTime } from "../../../words/time.ts";
import { momentIn, placeIn, ticksIn, type Range } from "./scale.ts";
import css from "./timeline.module.css";
import type { TimelineProps } from "./timeline.tsx";

interface AxisProps extends Pick<TimelineProps, "own" | "atMs" | "onScrub"> {
  readonly range: Range;
  readonly width: number;
}

const TICK_PX = 84;

/** Round times; and the slider that leads through the object's history, event by event or freely. */
export function Axis({ range, width, own, atMs, onScrub }: AxisProps) {
  const shownMs = Math.min(Math.max(atMs ?? now.value, range.fromMs), range.toMs);
  const step = (by: number) => {
    const from = atMs ?? Infinity;
    const next = by < 0 ? own.findLast(({ ms }) => ms < from) : own.find(({ ms }) => ms > from);
    if (next !== undefined) onScrub(next);
    else if (by > 0) onScrub(null);
  };
  const onKeyDown = (event: KeyboardEvent) => {
    const acts: Readonly<Record<string, () => void>> = {
      ArrowLeft: () => step(-1),
      ArrowDown: () => step(-1),
      ArrowRight: () => step(1),
      ArrowUp: () => step(1),
      Home: () => own[0] && onScrub(own[0]),
      End: () => onScrub(null),
    };
    const act = acts[event.key];
    if (act === undefined) return;
    event.preventDefault();
    act();
  };
  const scrub = (event: PointerEvent) => {
    const track = event.currentTarget as HTMLElement;
    const { left, width: trackWidth } = track.getBoundingClientRect();
    const ms = momentIn(range, (event.clientX - left) / trackWidth);
    onScrub(ms >= now.peek() ? null : { ms, cursor: null });
  };
  return (
    <div
      class={css.axis}
      onPointerDown={(event) => {
        event.currentTarget.setPointerCapture(event.pointerId);
        scrub(event);
      }}
      onPointerMove={(event) => {
        if (event.currentTarget.hasPointerCapture(event.pointerId)) scrub(event);
      }}
    >
      {ticksIn(range, Math.max(2, Math.floor(width / TICK_PX))).map(({ ms, label }) => (
        <span key={ms} class={css.tick} style={{ insetInlineStart: `${placeIn(range, ms) * 100}%` }}>
          {label}
        </span>
      ))}
      <div
        class={css.handle}
        role="slider"
        tabIndex={0}
        aria-label="Moment that is shown"
        aria-valuemin={range.fromMs}
        aria-valuemax={range.toMs}
        aria-valuenow={shownMs}
        aria-valuetext={atMs === null ? "now" : preciseTime(atMs)}
        data-past={atMs === null ? undefined : ""}
        style={{ insetInlineStart: `${placeIn(range, shownMs) * 100}%` }}
        onKeyDown={onKeyDown}
      />
    </div>
  );
}
