import type { Op } from "../../schemas/draft.ts";
import type { JsonObject } from "../../schemas/json.ts";
import { RESOURCES, type ObjectRef } from "../../schemas/resources.ts";
import type { Severity } from "../../schemas/severity.ts";
import { shortId } from "../../shared/short-id.ts";

/** An event about an object, read. */
export interface EventFact {
  /** As text. */
  readonly cursor: string;
  readonly sequence: number;
  /** RFC 3339: when it happened, as far as Nomad says. */
  readonly time: string;
  readonly op: Op;
  readonly signals: readonly string[];
  readonly severity: Severity;
  /** The object behind the event; of a delete, before it; empty of a version that no poll saw. */
  readonly stub: JsonObject;
  /** Of a job, that no poll saw. */
  readonly version?: number;
  /** JSON Pointers of what changed. */
  readonly changes: readonly { readonly path: string; readonly from?: unknown; readonly to?: unknown }[];
}

/** An object as it was at the moment that is asked about. */
export interface ObjectFact {
  readonly ref: ObjectRef;
  /** Of one that is gone: its last. */
  readonly stub: JsonObject;
  readonly isGone: boolean;
  /** Oldest first; the newest ones that the log holds. */
  readonly events: readonly EventFact[];
}

/** All that is known around a subject, and what is known to be missing, in words. */
export interface Facts {
  readonly subject: ObjectRef;
  readonly asOf: string;
  /** By subject text; the subject itself is the first. */
  readonly objects: ReadonlyMap<string, ObjectFact>;
  readonly missing: readonly string[];
}

/** "allocation 5456bd7a", "job web". */
export function named({ resource, key }: ObjectRef): string {
  return `${RESOURCES[resource].noun} ${shortId(key)}`;
}
