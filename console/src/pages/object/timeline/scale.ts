/** What part of time is shown, ms since 1970. */
export interface Range {
  readonly fromMs: number;
  readonly toMs: number;
}

/** Where a moment is in a range: 0 at its beginning, 1 at its end. */
export function placeIn({ fromMs, toMs }: Range, ms: number): number {
  return (ms - fromMs) / Math.max(1, toMs - fromMs);
}

export function momentIn({ fromMs, toMs }: Range, place: number): number {
  return Math.round(fromMs + Math.min(1, Math.max(0, place)) * (toMs - fromMs));
}

const STEPS_MS = [
  1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10_000, 15_000, 30_000, 60_000, 120_000, 300_000,
  600_000, 900_000, 1_800_000, 3_600_000, 7_200_000, 10_800_000, 21_600_000, 43_200_000, 86_400_000,
  172_800_000, 604_800_000,
];

export interface Tick {
  readonly ms: number;
  readonly label: string;
}

/** Round times in a range, at most so many, by the reader's clock. */
export function ticksIn(range: Range, most: number): Tick[] {
  const length = range.toMs - range.fromMs;
  const stepMs = STEPS_MS.find((step) => length / step <= most) ?? Math.ceil(length / most);
  const offsetMs = new Date(range.fromMs).getTimezoneOffset() * 60_000;
  const ticks: Tick[] = [];
  const first = Math.ceil((range.fromMs - offsetMs) / stepMs) * stepMs + offsetMs;
  for (let ms = first; ms <= range.toMs; ms += stepMs) ticks.push({ ms, label: tickLabel(ms, stepMs) });
  return ticks;
}

function tickLabel(ms: number, stepMs: number): string {
  const date = new Date(ms);
  const two = (number: number) => String(number).padStart(2, "0");
  const minutes = `${two(date.getHours())}:${two(date.getMinutes())}`;
  const isMidnight = date.getHours() === 0 && date.getMinutes() === 0 && date.getSeconds() === 0;
  if (stepMs >= 86_400_000 || isMidnight) {
    return date.toLocaleDateString(undefined, { day: "numeric", month: "short" });
  }
  if (stepMs >= 60_000) return minutes;
  if (stepMs >= 1000) return `${minutes}:${two(date.getSeconds())}`;
  return `${two(date.getSeconds())}.${String(date.getMilliseconds()).padStart(3, "0")}`;
}

/** A range of another length, around the same moment. */
export function zoomed({ fromMs, toMs }: Range, factor: number, aroundMs: number): Range {
  return {
    fromMs: Math.round(aroundMs - (aroundMs - fromMs) * factor),
    toMs: Math.round(aroundMs + (toMs - aroundMs) * factor),
  };
}
