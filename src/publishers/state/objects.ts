import type { ConsistentRead, StateEntry, StateFilter, StatePart } from "../../feed/log.ts";
import type { Cursor } from "../../schemas/cursor.ts";
import { formatCursor } from "../../schemas/cursor.ts";
import { compareBytes } from "../../shared/compare-bytes.ts";
import { objectFrame } from "../../schemas/frames-schema.ts";
import { changeType } from "../../schemas/draft.ts";
import { RESOURCE_TYPES, type ObjectRef } from "../../schemas/resources.ts";
import {
  resourceOfEventType,
  subjectRef,
  type EventConditions,
  type Payload,
} from "../../schemas/subscription-schema.ts";
import { maySeeSome, type Access } from "../selection/access.ts";
import { createEventFilter, type EventFilter } from "../selection/event-filter.ts";
import { payloadText } from "../selection/payload.ts";
import { readInSlices, type ReadTask } from "../work/read-scheduler.ts";

/** What is written in one go has at least so much, and at most what the log reads in one go beside. */
const BATCH_CHARACTERS = 16 * 1024;

export interface ObjectsOptions {
  readonly conditions: EventConditions;
  readonly access: Access;
  readonly payload: Payload;
  /** nomad://<cluster>/<region> */
  readonly source: string;
  readonly nowMs: () => number;
}

/** Of what is asked of events, what can be asked of objects: nothing that only a change has. */
function objectConditions(conditions: EventConditions): EventConditions {
  const { ops: _ops, aspects: _aspects, signals: _signals, minSeverity: _severity, ...rest } = conditions;
  if (rest.types === undefined) return rest;
  return { ...rest, types: rest.types.map((type) => resourceOfEventType(type) ?? type) };
}

/**
 * What has to be read, in order. What the reader may not see is in none of it, so that asking for it by name takes as
 * long as asking for what does not exist.
 */
function stateFilters({ types, namespaces, subjects }: EventConditions, access: Access): StateFilter[] {
  if (subjects !== undefined) {
    const refs = [...new Set(subjects)].map((subject) => subjectRef(subject, "subjects"));
    return refs.filter((ref) => access.maySee(ref)).toSorted(byPlace);
  }
  const resources = RESOURCE_TYPES.filter((resource) => types?.includes(resource) ?? true).toSorted();
  const includes = (part: StatePart) => maySeeSome(access, part);
  if (namespaces === undefined) return resources.map((resource) => ({ resource, includes }));
  const names = [...new Set(namespaces)].toSorted(compareBytes);
  return resources
    .flatMap((resource) => names.map((namespace) => ({ resource, namespace })))
    .filter(includes);
}

function byPlace(a: ObjectRef, b: ObjectRef): number {
  return (
    compareBytes(a.resource, b.resource) ||
    compareBytes(a.namespace, b.namespace) ||
    compareBytes(a.key, b.key)
  );
}

/**
 * Texts of the objects of a consistent read that pass, a batch at a time; nothing is read ahead of who takes them.
 * Empty a batch before you wait for its reader: it stays in memory for as long.
 * @throws TooCostly
 */
export async function* objectTexts(
  read: ConsistentRead,
  task: ReadTask,
  options: ObjectsOptions,
): AsyncGenerator<string[]> {
  const select = objectSelector(read.cursor, options);
  let batch: string[] = [];
  let characters = 0;
  for (const filter of stateFilters(objectConditions(options.conditions), options.access)) {
    for await (const entries of readInSlices(task, read.entries(filter))) {
      // Emptied before anything is written: the reader may be slow, and then waits with no more than its texts.
      for (let entry = entries.shift(); entry !== undefined; entry = entries.shift()) {
        if (task.isOver) await task.nextSlice();
        const text = select(entry);
        if (text === undefined) continue;
        batch.push(text);
        characters += text.length;
      }
      if (characters < BATCH_CHARACTERS) continue;
      task.pause();
      yield batch;
      await task.nextSlice();
      batch = [];
      characters = 0;
    }
  }
  task.pause();
  if (batch.length > 0) yield batch;
}

/** The text of an object, or undefined where it is not for this reader. */
function objectSelector(cursor: Cursor, options: ObjectsOptions): (entry: StateEntry) => string | undefined {
  const { access, payload, source, nowMs } = options;
  const conditions = objectConditions(options.conditions);
  const { types, namespaces, subjects } = conditions;
  // Asked before the stub is looked at: most of what is left out is left out by name.
  const byName = createEventFilter(
    { ...(types && { types }), ...(namespaces && { namespaces }), ...(subjects && { subjects }) },
    access,
  );
  const whole: EventFilter = createEventFilter(conditions, access);
  const context = { source, cursor: formatCursor(cursor), time: new Date(nowMs()).toISOString() };
  return (entry) => {
    if (!byName(nameFacts(entry.ref, context.time))) return undefined;
    const { facts, json } = objectFrame(entry, context);
    const object = { ...facts, json, sequence: cursor.sequence };
    return whole(object) ? payloadText(object, payload) : undefined;
  };
}

/** What is known of an object without its stub. */
function nameFacts({ resource, namespace, key }: ObjectRef, time: string): Parameters<EventFilter>[0] {
  return {
    id: "",
    type: changeType(resource, "snapshot"),
    resource,
    namespace,
    key,
    op: "snapshot",
    aspect: null,
    signals: [],
    severity: "INFO",
    job: null,
    node: null,
    time,
    json: "",
  };
}
