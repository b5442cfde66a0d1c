/** A point of the feed's history: after an event, or at a time. */
export type Moment =
  | { readonly kind: "now" }
  | { readonly kind: "cursor"; readonly epoch: string; readonly sequence: number }
  | { readonly kind: "time"; readonly ms: number };

const AGE = /^(?:\d+(?:ms|s|m|h|d))+$/;
const UNIT_MS: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/** What `at=` means: a cursor, an RFC 3339 time or an age; anything else, and "", is now. */
export function momentOf(at: string, nowMs: number): Moment {
  if (AGE.test(at)) return { kind: "time", ms: nowMs - ageMs(at) };
  const cursor = /^([a-z0-9]+)-(\d+)$/.exec(at);
  if (cursor !== null) return { kind: "cursor", epoch: cursor[1] ?? "", sequence: Number(cursor[2]) };
  const ms = Date.parse(at);
  return Number.isNaN(ms) ? { kind: "now" } : { kind: "time", ms };
}

export function sequenceOf(cursor: string): number {
  return Number(cursor.slice(cursor.lastIndexOf("-") + 1));
}

function ageMs(text: string): number {
  let total = 0;
  for (const [, number = "0", unit = "s"] of text.matchAll(/(\d+)(ms|s|m|h|d)/g)) {
    total += Number(number) * (UNIT_MS[unit] ?? 0);
  }
  return total;
}
