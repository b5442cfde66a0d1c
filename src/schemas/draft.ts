import { RESOURCES, type ResourceType } from "./resources.ts";
import type { Severity } from "./severity.ts";

/** What happens to an object: its state is another one then. */
const STATE_OPS = ["create", "update", "delete", "snapshot"] as const;
/** `version`: of a job one that no poll saw. It is no state. */
export const OPS = [...STATE_OPS, "version"] as const;
export type Op = (typeof OPS)[number];

const VERBS = {
  create: "created",
  update: "updated",
  delete: "deleted",
  snapshot: "snapshot",
  version: "version",
} as const;

/** CloudEvents type of a change of an object: `nomad.job.updated`. */
export function changeType<Change extends Op>(resource: ResourceType, op: Change) {
  return `nomad.${RESOURCES[resource].noun}.${VERBS[op]}` as const;
}

/** Types of all events about objects of this kind. Versions that no poll saw are told of jobs alone. */
export function changeTypes(resource: ResourceType) {
  const states = STATE_OPS.map((op) => changeType(resource, op));
  return resource === "jobs" ? [...states, "nomad.job.version" as const] : states;
}

export const ASPECTS = ["spec", "status", "summary", "placement", "meta"] as const;
export type Aspect = (typeof ASPECTS)[number];

/**
 * What filters and indexes need to know of an event without parsing it. A control event has no `op` and no
 * `key`; `resource` and `namespace` are then those of the scope it speaks of, or null where it speaks of the
 * whole feed.
 */
export interface EventFacts {
  readonly id: string;
  /** CloudEvents type: `nomad.allocation.updated`, `nomad.feed.baseline`. */
  readonly type: string;
  readonly resource: string | null;
  readonly namespace: string | null;
  readonly key: string | null;
  readonly op: Op | null;
  readonly aspect: Aspect | null;
  readonly signals: readonly string[];
  readonly severity: Severity;
  /** Job, node the object belongs to, for history. */
  readonly job: string | null;
  readonly node: string | null;
  /** RFC 3339, when it happened in Nomad as far as Nomad says. */
  readonly time: string;
}

/**
 * An event before the log gave it a place. The envelope is serialised once, here: the log writes the sequence
 * and the cursor between `head` (`{"specversion":…,`) and `tail` (`"data":{…}}`).
 */
export interface EventDraft extends EventFacts {
  readonly head: string;
  readonly tail: string;
  /** The whole `data` where the size cap cut it from the event; the log keeps it beside the event. */
  readonly overflow: string | null;
}

/** An event in the log: one CloudEvents JSON object, the same text on every way out. */
export interface LogEntry extends EventFacts {
  readonly sequence: number;
  readonly json: string;
}

/** The event's text with its place in the log. The dataref is relative to `/v1/events`, wherever a proxy has that. */
export function sealDraft(draft: EventDraft, epoch: string, sequence: number): string {
  const cursor = `${epoch}-${sequence}`;
  const dataref = draft.overflow === null ? "" : `"dataref":"data/${cursor}",`;
  return `${draft.head}"sequence":"${String(sequence).padStart(16, "0")}","cursor":"${cursor}",${dataref}${draft.tail}`;
}
