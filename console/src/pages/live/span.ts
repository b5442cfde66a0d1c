import { shownTime } from "../../app/as-of.ts";
import { queryValue } from "../../app/router.ts";
import { msOfAge, msOfTime } from "../../words/time.ts";
import { untilOf } from "../../words/shown-time.ts";

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
  const until = msOfTime(to) === undefined ? untilOf(shownTime.value) : to;
  if (until === undefined) return { since: from === "" ? last : from };
  const lastMs = msOfAge(last) ?? 0;
  return { since: from === "" ? new Date(Date.parse(until) - lastMs).toISOString() : from, until };
}

/** Whether it is known when the time shown ends. */
export function hasSpan(): boolean {
  return msOfTime(queryValue("to")) !== undefined || ["now", "then"].includes(shownTime.value.kind);
}

/** How far back the histogram looks, in words: "the last 30 minutes". */
export function spanWords(): string {
  const words = SPANS.find(([span]) => span === spanInUse())?.[1] ?? "";
  return `the last ${words.replace(/^1 /, "")}`;
}

export function spanInUse(): string {
  const asked = queryValue("span");
  return SPANS.some(([span]) => span === asked) ? asked : USUAL;
}
