import { numberOf } from "../../alerts/model/stub.ts";
import type { JsonObject } from "../../schemas/json.ts";
import { timeOfNanos } from "../../shared/nanos.ts";

/** RFC 3339 of a time in a member of a stub; undefined where there is none. */
export function timeIn(stub: JsonObject, field: string): string | undefined {
  return timeOfNanos(numberOf(stub, field));
}
