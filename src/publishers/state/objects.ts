import { setImmediate } from "node:timers/promises";
import type { FeedLog, StateCut, StateEntry, StateFilter } from "../../feed/log.ts";
import type { Cursor } from "../../schemas/cursor.ts";
import { formatCursor } from "../../schemas/cursor.ts";
import { objectFrame } from "../../schemas/frames-schema.ts";
import { RESOURCES, type ObjectRef } from "../../schemas/resources.ts";
import {
  resourceOfEventType,
  subjectRef,
  type EventConditions,
  type Payload,
} from "../../schemas/subscription-schema.ts";
import type { Access } from "../selection/access.ts";
import { createEventFilter, type EventFilter } from "../selection/event-filter.ts";
import { payloadText } from "../selection/payload.ts";

/** About what is written in one go; a reader that is slow costs this, and what the log reads in one go. */
const BATCH_CHARACTERS = 48 * 1024;

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

/** Opens one cut of the state, no larger than the conditions need. Dispose it. */
export function openObjects(log: FeedLog, conditions: EventConditions): Promise<StateCut> {
  return log.stateCut(cutFilter(objectConditions(conditions)));
}

function cutFilter({ types, namespaces, subjects }: EventConditions): StateFilter {
  const [subject, ...subjectsMore] = subjects ?? [];
  if (subject !== undefined && subjectsMore.length === 0) return filterOf(subjectRef(subject, "subjects"));
  const resource = types?.length === 1 ? resourceNamed(types[0]) : undefined;
  const namespace = namespaces?.length === 1 ? namespaces[0] : undefined;
  return { ...(resource !== undefined && { resource }), ...(namespace !== undefined && { namespace }) };
}

function filterOf({ resource, namespace, key }: ObjectRef): StateFilter {
  return { resource, namespace, key };
}

function resourceNamed(type: string | undefined): StateFilter["resource"] {
  return Object.values(RESOURCES).find((resource) => resource.type === type)?.type;
}

/** Texts of the objects of a cut that pass, a batch at a time; nothing is read ahead of who takes them. */
export async function* objectTexts(cut: StateCut, options: ObjectsOptions): AsyncGenerator<string[]> {
  const select = objectSelector(cut.cursor, options);
  let batch: string[] = [];
  let characters = 0;
  for await (const entries of cut.entries()) {
    for (const entry of entries) {
      const text = select(entry);
      if (text === undefined) continue;
      batch.push(text);
      characters += text.length;
      if (characters < BATCH_CHARACTERS) continue;
      yield batch;
      // Many objects to a fast reader must let others run too.
      await setImmediate();
      batch = [];
      characters = 0;
    }
  }
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
    type: `nomad.${RESOURCES[resource].noun}.snapshot`,
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
