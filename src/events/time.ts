import type { Stub } from "../schemas/change.ts";
import { integerText, type JsonObject } from "../schemas/json.ts";
import { RESOURCES, type ObjectRef } from "../schemas/resources.ts";

/** When the change happened, and what says so: a field of the stub, or "observed" (when it was seen). */
export interface EventTime {
  readonly time: string;
  readonly basis: string;
}

/**
 * A time in the stub dates the change only where it moved with it: a deleted object's says when it last
 * changed, and so does one that stayed as it was.
 */
export function timeOf(
  seen: { readonly ref: ObjectRef; readonly before?: Stub; readonly after?: Stub },
  observedAt: string,
): EventTime {
  const { ref, before, after } = seen;
  for (const field of after === undefined ? [] : RESOURCES[ref.resource].timeFields) {
    const nanos = nanosOf(after?.value, field);
    if (nanos !== undefined && nanos > 0n && nanos !== nanosOf(before?.value, field)) {
      return { time: rfc3339(nanos), basis: field };
    }
  }
  return { time: observedAt, basis: "observed" };
}

function nanosOf(stub: JsonObject | undefined, field: string): bigint | undefined {
  const text = integerText(stub?.[field]);
  return text === undefined ? undefined : BigInt(text);
}

/** Nanoseconds since 1970 (63 bits at most) as RFC 3339 with microseconds: `2026-08-22T10:15:30.123456Z`. */
function rfc3339(nanos: bigint): string {
  const micros = nanos / 1000n;
  const seconds = new Date(Number(micros / 1_000_000n) * 1000).toISOString().slice(0, 19);
  return `${seconds}.${String(micros % 1_000_000n).padStart(6, "0")}Z`;
}
