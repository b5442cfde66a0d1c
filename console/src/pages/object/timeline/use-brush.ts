import { useRef, useState } from "preact/hooks";
import { momentIn, type Range } from "./scale.ts";
import css from "./timeline.module.css";

interface BrushOptions {
  readonly range: Range;
  /** A stretch of time was chosen. */
  readonly onZoom: (range: Range) => void;
  /** A moment was. */
  readonly onPick: (ms: number) => void;
}

const CLICK_PX = 4;

/** Chooses a stretch of time by dragging over the lanes, a moment by a click. */
export function useBrush({ range, onZoom, onPick }: BrushOptions) {
  const start = useRef<{ readonly place: number; readonly x: number } | null>(null);
  const [band, setBand] = useState<{ readonly from: number; readonly to: number } | null>(null);
  const placeOf = (event: PointerEvent): number | undefined => {
    const track = (event.currentTarget as HTMLElement)
      .querySelector(`.${css.track}`)
      ?.getBoundingClientRect();
    if (track === undefined) return undefined;
    return Math.min(1, Math.max(0, (event.clientX - track.left) / track.width));
  };
  const onPointerDown = (event: PointerEvent) => {
    const target = event.target as Element;
    const place = placeOf(event);
    if (event.button !== 0 || place === undefined || target.closest("a, button") !== null) return;
    if (target.closest(`.${css.track}`) === null) return;
    start.current = { place, x: event.clientX };
  };
  const onPointerMove = (event: PointerEvent) => {
    const place = placeOf(event);
    if (start.current === null || place === undefined) return;
    if (Math.abs(event.clientX - start.current.x) < CLICK_PX) return;
    (event.currentTarget as HTMLElement).setPointerCapture(event.pointerId);
    setBand({ from: Math.min(start.current.place, place), to: Math.max(start.current.place, place) });
  };
  const onPointerUp = () => {
    const from = start.current;
    start.current = null;
    if (from === null) return;
    if (band === null) return onPick(momentIn(range, from.place));
    setBand(null);
    onZoom({ fromMs: momentIn(range, band.from), toMs: momentIn(range, band.to) });
  };
  const onPointerCancel = () => {
    start.current = null;
    setBand(null);
  };
  return { band, handlers: { onPointerDown, onPointerMove, onPointerUp, onPointerCancel } };
}
