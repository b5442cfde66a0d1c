import type { EventDraft, EventFacts } from "../../src/schemas/draft.ts";
import type { StateWrite } from "../../src/feed/log.ts";
import { RESOURCES, subjectOf, type ObjectRef, type ResourceType } from "../../src/schemas/resources.ts";

export interface DraftOptions extends Partial<EventFacts> {
  /** Goes into the event's `data` as `after`. */
  readonly after?: unknown;
  readonly overflow?: string;
  /** Fills the event up to about this many bytes of JSON. */
  readonly bytes?: number;
}

/** A whole, valid draft: an update of an allocation unless told otherwise. */
export function draft(options: DraftOptions = {}): EventDraft {
  const { after = {}, overflow = null, bytes = 0, ...given } = options;
  const resource = given.resource === undefined ? "allocations" : given.resource;
  const facts: EventFacts = {
    resource,
    namespace: resource === null ? null : "default",
    key: resource === null ? null : "5456bd7a-9fc0-c0dd-6131-cbee77f57577",
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
  const head = JSON.stringify({ specversion: "1.0", id: facts.id, type: facts.type, time: facts.time });
  const data = { op: facts.op, signals: facts.signals, after };
  const text = JSON.stringify({ data });
  const missing = Math.max(0, bytes - head.length - text.length - 80);
  const tail = missing === 0 ? text : JSON.stringify({ data: { ...data, padding: "x".repeat(missing) } });
  return { ...facts, head: `${head.slice(0, -1)},`, tail: tail.slice(1), overflow };
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
