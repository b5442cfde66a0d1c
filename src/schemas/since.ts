const UNIT_MS = { d: 86_400_000, h: 3_600_000, m: 60_000, s: 1000 } as const;
const AGE = /^(?:(\d{1,6})d)?(?:(\d{1,6})h)?(?:(\d{1,6})m)?(?:(\d{1,9})s)?$/;
const RFC3339 = /^\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(?:\.\d{1,9})?(?:[Zz]|[+-]\d\d:\d\d)$/;

/**
 * A point in time (ms since 1970) from an RFC 3339 time or from an age before `nowMs`: `90s`, `10m`, `1h30m`,
 * `2d`. A "+" of the zone that a query string turned into a blank is understood. Undefined for anything else.
 */
export function parseSince(text: string, nowMs: number): number | undefined {
  const age = AGE.exec(text);
  if (age !== null && text !== "") {
    const [, days = 0, hours = 0, minutes = 0, seconds = 0] = age;
    const ageMs =
      Number(days) * UNIT_MS.d +
      Number(hours) * UNIT_MS.h +
      Number(minutes) * UNIT_MS.m +
      Number(seconds) * UNIT_MS.s;
    return Math.max(0, nowMs - ageMs);
  }
  const time = text.replace(/ (\d\d:\d\d)$/, "+$1");
  const timeMs = RFC3339.test(time) ? Date.parse(time.toUpperCase()) : Number.NaN;
  return Number.isNaN(timeMs) ? undefined : timeMs;
}
