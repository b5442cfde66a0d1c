import { createFilter, type FilterSubject } from "../filters/filter.ts";
import type { AlertJson } from "../schemas/alert-schema.ts";
import type { EventFacts } from "../schemas/draft.ts";
import type { JsonObject } from "../schemas/json.ts";

/**
 * An expression of the filter language, asked of an alert: `resource.namespace`, `.job`, `.group`, `.node` and `severity`
 * as of an event, and as members of the object `Rule`, `State`, `Count`, `Labels`, `Details`.
 * @throws InvalidFilter
 */
export function alertFilter(text: string): (alert: AlertJson) => boolean {
  const filter = createFilter(text, { signals: [] });
  return (alert) => filter(subjectOf(alert));
}

function subjectOf(alert: AlertJson): FilterSubject {
  const data = dataOf(alert);
  return { facts: factsOf(alert), data: () => data, exactData: () => data };
}

function factsOf({ id, labels, severity, startsAt }: AlertJson): EventFacts {
  return {
    id,
    type: "nomad.alert",
    resource: labels["node"] === undefined ? "jobs" : "nodes",
    namespace: labels["namespace"] ?? null,
    key: labels["job"] ?? labels["node"] ?? null,
    op: "update",
    aspect: "status",
    signals: [],
    severity,
    job: labels["job"] ?? null,
    node: labels["node"] ?? null,
    time: startsAt,
  };
}

function dataOf({ rule, state, count, labels, details }: AlertJson): JsonObject {
  const after = { Rule: rule, State: state, Count: count, Labels: labels, Details: details };
  return { op: "update", after, resource: labels };
}
