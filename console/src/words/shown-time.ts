import { isCursor } from "./cursor.ts";
import { msOfAge, msOfTime } from "./time.ts";

/** Which time a page shows. */
export type ShownTime =
  | { readonly kind: "now" }
  /** Ms since 1970; `through`: the cursor that was asked for, nothing after whose event had happened. */
  | { readonly kind: "then"; readonly ms: number; readonly through?: string }
  /** That of an event, which is being asked when it was recorded. */
  | { readonly kind: "asking" }
  /** That of an event that nobody can tell of, or what is no time at all. */
  | { readonly kind: "untold" };

/**
 * What `at=` means.
 * @param at RFC 3339, an age, or a cursor; "" is now.
 * @param times when the events of cursors were recorded, ms since 1970; null where that cannot be told.
 */
export function shownTimeOf(at: string, times: ReadonlyMap<string, number | null>, nowMs: number): ShownTime {
  if (at === "") return { kind: "now" };
  const ageMs = msOfAge(at);
  const ms = msOfTime(at) ?? (ageMs === undefined ? times.get(at) : nowMs - ageMs);
  if (typeof ms === "number") return { kind: "then", ms, ...(isCursor(at) && { through: at }) };
  return ms === undefined && isCursor(at) ? { kind: "asking" } : { kind: "untold" };
}

/** An event says when it was observed; the log goes by when it was committed, which is a little later, ms. */
const COMMITTED_MS = 5000;

/**
 * Bounds of what had been recorded by then: `until=`, and for a cursor that after which nothing counts of what `until`
 * lets in. Nothing: no end, or none that is known.
 */
export function boundsOf(shown: ShownTime): { readonly until?: string; readonly through?: string } {
  if (shown.kind !== "then") return {};
  const { ms, through } = shown;
  if (through === undefined) return { until: new Date(ms + 1).toISOString() };
  return { until: new Date(ms + COMMITTED_MS).toISOString(), through };
}

/** `until=` to count by; undefined: no end, or none that is known. */
export function untilOf(shown: ShownTime): string | undefined {
  return shown.kind === "then" ? new Date(shown.ms + 1).toISOString() : undefined;
}
