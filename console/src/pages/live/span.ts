import { asOf, queryValue } from "../../app/router.ts";

/** How far back the histogram looks, and what that is called. */
export const SPANS: readonly (readonly [span: string, words: string])[] = [
  ["5m", "5 minutes"],
  ["30m", "30 minutes"],
  ["3h", "3 hours"],
  ["1d", "1 day"],
  ["7d", "7 days"],
  ["30d", "30 days"],
];
const USUAL = "30m";
const UNIT_MS: Readonly<Record<string, number>> = { s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/** The time that is looked at, as parameters of the bridge. */
export interface Span {
  readonly since: string;
  readonly until?: string;
}

/** What the address says: a stretch of time, one that ends at the time shown, or the last while. */
export function spanOf(): Span {
  const from = queryValue("from");
  const to = queryValue("to");
  const last = spanInUse();
  const at = Date.parse(asOf.value);
  const untilMs = to === "" ? at : Date.parse(to);
  const until = Number.isNaN(untilMs) ? {} : { until: new Date(untilMs).toISOString() };
  if (from !== "") return { since: from, ...until };
  return { since: Number.isNaN(untilMs) ? last : new Date(untilMs - msOf(last)).toISOString(), ...until };
}

export function spanInUse(): string {
  const asked = queryValue("span");
  return SPANS.some(([span]) => span === asked) ? asked : USUAL;
}

/** `30m` in ms. */
function msOf(span: string): number {
  return Number(span.slice(0, -1)) * (UNIT_MS[span.slice(-1)] ?? 0);
}
