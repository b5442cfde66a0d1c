import type { Lane } from "../lanes/lane.ts";
import type { Range } from "./scale.ts";

const SHORTEST_MS = 1000;

/** From the first to the last that is known of the lanes. */
export function extentOf(lanes: readonly Lane[], nowMs: number): Range {
  const moments = lanes.flatMap(({ bars, marks }) => [
    ...bars.flatMap(({ fromMs, toMs }) => [fromMs, toMs ?? nowMs]),
    ...marks.map(({ ms }) => ms),
  ]);
  const known = moments.filter((ms) => Number.isFinite(ms));
  if (known.length === 0) return { fromMs: nowMs - 60_000, toMs: nowMs };
  return padded({ fromMs: least(known), toMs: greatest(known) });
}

/** A little room on both sides. */
export function padded({ fromMs, toMs }: Range): Range {
  const room = Math.max(SHORTEST_MS, (toMs - fromMs) * 0.03);
  return { fromMs: Math.floor(fromMs - room), toMs: Math.ceil(toMs + room) };
}

/** The range that the address names; undefined where it names none. */
export function rangeIn(from: string, to: string): Range | undefined {
  const fromMs = Date.parse(from);
  const toMs = Date.parse(to);
  return Number.isNaN(fromMs) || Number.isNaN(toMs) || toMs - fromMs < 1 ? undefined : { fromMs, toMs };
}

function least(moments: readonly number[]): number {
  return moments.reduce((a, b) => Math.min(a, b));
}

function greatest(moments: readonly number[]): number {
  return moments.reduce((a, b) => Math.max(a, b));
}
