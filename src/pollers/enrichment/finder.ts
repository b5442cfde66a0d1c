import { integerText } from "../../schemas/json.ts";
import type { Change } from "../../schemas/change.ts";
import type { EnrichmentName } from "../../schemas/enrichment-schema.ts";
import type { Found } from "../../events/context.ts";
import type { Enrichment } from "../../schemas/event-schema.ts";

/** Finds out one thing that no list says. */
export interface Finder {
  readonly what: EnrichmentName;
  /** Whether there may be something to find out about this change. */
  readonly wants: (change: Change) => boolean;
  /** Or why there is nothing, in words. Rejects with NomadError, or with the signal's reason. */
  readonly find: (change: Change, signal: AbortSignal) => Promise<Found | string>;
  /** What an event says that goes without. */
  readonly without: (unavailable: string) => Enrichment;
}

/** Why there is nothing, where Nomad refuses it. */
export const REFUSED = "The feed's token may not read it";

/** A job whose specification was written: it was registered, scaled, stopped or reverted. */
export function isSpecWritten(change: Change): change is Exclude<Change, { readonly op: "delete" }> {
  if (change.ref.resource !== "jobs" || change.op === "delete") return false;
  return change.op === "create" || specIndexOf(change) !== integerText(change.before.value["JobModifyIndex"]);
}

/** Raft index at which the specification was written, in decimal; "" where the stub has none. */
export function specIndexOf(change: Change): string {
  return integerText(change.after?.value["JobModifyIndex"]) ?? "";
}
