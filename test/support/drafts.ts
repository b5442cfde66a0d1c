import type { EventDraft, EventFacts, LogEntry } from "../../src/schemas/draft.ts";
import type { StateWrite } from "../../src/feed/log.ts";
import { RESOURCES, subjectOf, type ObjectRef, type ResourceType } from "../../src/schemas/resources.ts";

/** Of the feeds in tests. */
export const SOURCE = "nomad://test/global";
const ID = "5456bd7a-9fc0-c0dd-6131-cbee77f57577";

export interface DraftOptions extends Partial<EventFacts> {
  /** JSON text of the event's `data`; else `after` is in it. */
  readonly data?: string;
  readonly after?: unknown;
  readonly overflow?: string | null;
  /** Fills the event up to about this many bytes of JSON. */
  readonly bytes?: number;
}

/**
 * A whole, valid draft: an update of an allocation unless told otherwise. Without `key` the object has the event's
 * `id` for one, without `id` the event is named after the `key`.
 */
export function draft(options: DraftOptions = {}): EventDraft {
  const { data, after = {}, overflow = null, bytes = 0, ...given } = options;
  const resource = given.resource === undefined ? "allocations" : given.resource;
  const facts: EventFacts = {
    resource,
    namespace: resource === null ? null : "default",
    key: resource === null ? null : (given.id ?? ID),
    op: "update",
    aspect: "status",
    signals: [],
    severity: "INFO",
    job: null,
    node: null,
    time: "2026-08-22T10:15:30.123456Z",
    type: `nomad.${resource === null ? "feed" : RESOURCES[resource as ResourceType].noun}.updated`,
    id: `0/${String(resource)}/default/${given.key ?? "5456bd7a"}@884210`,
    ...given,
  };
  const { id, type, time, op, signals } = facts;
  const head = JSON.stringify({ specversion: "1.0", id, source: SOURCE, type, time });
  const text = data ?? JSON.stringify({ op, signals, after });
  const missing = bytes - head.length - text.length - 90;
  const whole = missing > 0 ? `${text.slice(0, -1)},"padding":"${"x".repeat(missing)}"}` : text;
  return { ...facts, head: `${head.slice(0, -1)},`, tail: `"data":${whole}}`, overflow };
}

/** A control event about a scope, or with no resource about the whole feed. */
export function controlDraft(id: string, type: string, options: DraftOptions = {}): EventDraft {
  return draft({ id, type, key: null, op: null, aspect: null, data: "{}", ...options });
}

/** Facts of an event as the log keeps them. */
export function entryOf(overrides: Partial<LogEntry>): LogEntry {
  return { ...draft({ id: "a" }), sequence: 1, json: "{}", ...overrides };
}

export function refOf(resource: ResourceType, key: string, namespace = "default"): ObjectRef {
  return { resource, namespace, key };
}

export interface ObjectChange {
  readonly event: EventDraft;
  readonly state: StateWrite;
}

/** One change of an object: its event and what it does to the state. `rev` null deletes it. */
export function objectChange(ref: ObjectRef, rev: string | null, options: DraftOptions = {}): ObjectChange {
  const stub = { ID: ref.key, ModifyIndex: Number(rev ?? 0) };
  const event = draft({
    ...ref,
    op: rev === null ? "delete" : "update",
    id: `0/${subjectOf(ref)}@${rev ?? "!deleted"}`,
    after: rev === null ? null : stub,
    ...options,
  });
  const next = rev === null ? null : { rev, stub: Buffer.from(JSON.stringify(stub)) };
  return { event, state: { ref, next } };
}
