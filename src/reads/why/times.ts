import { numberOf } from "../../alerts/model/stub.ts";
import type { JsonObject } from "../../schemas/json.ts";

const NANOS_PER_MS = 1e6;

/** RFC 3339 of nanoseconds since 1970 in a member of a stub; undefined where there are none. */
export function timeOfNanos(stub: JsonObject, field: string): string | undefined {
  const nanos = numberOf(stub, field);
  return nanos > 0 ? new Date(nanos / NANOS_PER_MS).toISOString() : undefined;
}
