import { parseDuration } from "../shared/duration.ts";

const RFC3339 = /^\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(?:\.\d{1,9})?(?:[Zz]|[+-]\d\d:\d\d)$/;

/**
 * A point in time (ms since 1970) from an RFC 3339 time or from an age before `nowMs`, which is a duration: `90s`,
 * `1h30m`, `2d`. A "+" of the zone that a query string turned into a blank is understood. Undefined for anything else.
 */
export function parseSince(text: string, nowMs: number): number | undefined {
  const ageMs = parseDuration(text);
  if (ageMs !== undefined) return Math.max(0, nowMs - ageMs);
  const time = text.replace(/ (\d\d:\d\d)$/, "+$1");
  const timeMs = RFC3339.test(time) ? Date.parse(time.toUpperCase()) : Number.NaN;
  return Number.isNaN(timeMs) ? undefined : timeMs;
}
