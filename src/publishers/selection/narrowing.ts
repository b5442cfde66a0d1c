import type { HistoryScan } from "../../feed/log.ts";
import { resourceOfEventType, subjectRef, type EventConditions } from "../../schemas/subscription-schema.ts";
import { isResourceType, RESOURCE_TYPES, type ResourceType } from "../../schemas/resources.ts";
import { maySeeSome, type Access } from "./access.ts";

type Narrowed = Pick<
  HistoryScan,
  "resource" | "namespace" | "key" | "signal" | "op" | "minSeverity" | "control"
>;

/**
 * What an index can answer of a selection: no event is left out that the event filter would let pass. An index has one
 * place for a name, so a condition that allows several names is the filter's alone. What may not be seen is not even
 * looked for: the time that takes would tell that it exists.
 */
export function narrowingOf(conditions: EventConditions, access: Access): Narrowed {
  const { namespaces, ops, signals, subjects, minSeverity } = conditions;
  const resources = resourcesOf(conditions);
  const severity = minSeverity === undefined ? {} : { minSeverity };
  const subject = onlyOne(subjects);
  const object = subject === undefined ? undefined : subjectRef(subject, "subjects");
  const resource = onlyOne(resources);
  const namespace = onlyOne(namespaces);
  const isHidden = object !== undefined ? !access.maySee(object) : !mayBeSeen(namespace, access);
  if (resources?.length === 0 || isHidden) return { ...severity, op: null };
  const signal = onlyOne(signals);
  const op = onlyOne(ops);
  return {
    ...severity,
    ...(resource !== undefined && { resource }),
    ...(namespace !== undefined && { namespace }),
    ...object,
    ...(signal !== undefined && { signal }),
    ...(op !== undefined && { op }),
    control: "too",
  };
}

/** Of the objects that the types ask for; undefined: of all. */
function resourcesOf({ types }: EventConditions): ResourceType[] | undefined {
  const named = types?.map((type) => (isResourceType(type) ? type : resourceOfEventType(type)));
  return named && [...new Set(named.filter((resource) => resource !== undefined))];
}

function mayBeSeen(namespace: string | undefined, access: Access): boolean {
  return (
    namespace === undefined || RESOURCE_TYPES.some((resource) => maySeeSome(access, { resource, namespace }))
  );
}

function onlyOne<Value>(values: readonly Value[] | undefined): Value | undefined {
  return values?.length === 1 ? values[0] : undefined;
}
