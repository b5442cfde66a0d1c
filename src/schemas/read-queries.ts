import type { Severity } from "./severity.ts";
import { SEVERITY_NAMES } from "./severity.ts";
import type { Cursor } from "./cursor.ts";
import type { ObjectRef } from "./resources.ts";
import {
  assertKnown,
  assertOneOf,
  conditionsOf,
  cursorOf,
  DEFAULT_PAGE_LIMIT,
  InvalidParameter,
  limitOf,
  oneOf,
  sinceOf,
  single,
  subjectRef,
  type EventConditions,
} from "./subscription-schema.ts";

/** What of GET /v1/events also chooses objects. */
export const STATE_PARAMETERS = ["types", "namespaces", "subjects"] as const;

/** @throws InvalidParameter */
export function parseStateQuery(query: URLSearchParams): EventConditions {
  assertKnown(query, STATE_PARAMETERS);
  return conditionsOf(query, []);
}

export const HISTORY_PARAMETERS = [
  "subject",
  "job",
  "node",
  "namespace",
  "signal",
  "minSeverity",
  "since",
  "until",
  "order",
  "limit",
  "cursor",
] as const;
export type HistoryParameter = (typeof HISTORY_PARAMETERS)[number];

export const HISTORY_ORDERS = ["newest-first", "oldest-first"] as const;

/** What of the past is asked for. All conditions hold together. */
export interface HistoryRequest {
  readonly subject?: ObjectRef;
  readonly job?: string;
  readonly node?: string;
  readonly namespace?: string;
  readonly signal?: string;
  readonly minSeverity?: Severity;
  readonly sinceMs?: number;
  readonly untilMs?: number;
  readonly order: (typeof HISTORY_ORDERS)[number];
  readonly limit: number;
  /** Where the page before ended. */
  readonly cursor?: Cursor;
}

/** @throws InvalidParameter */
export function parseHistoryQuery(
  query: URLSearchParams,
  { nowMs, signals }: { nowMs: number; signals: readonly string[] },
): HistoryRequest {
  assertKnown(query, HISTORY_PARAMETERS);
  const text = (field: HistoryParameter) => nonEmpty(query, field);
  const subject = text("subject");
  const signal = text("signal");
  const since = text("since");
  const until = text("until");
  const cursor = text("cursor");
  const minSeverity = oneOf(query, "minSeverity", SEVERITY_NAMES);
  if (signal !== undefined) assertOneOf("signal", signal, signals);
  return {
    ...named("job", text("job")),
    ...named("node", text("node")),
    ...named("namespace", text("namespace")),
    ...named("signal", signal),
    ...(subject !== undefined && { subject: subjectRef(subject, "subject") }),
    ...(minSeverity !== undefined && { minSeverity }),
    ...(since !== undefined && { sinceMs: sinceOf(since, "since", nowMs) }),
    ...(until !== undefined && { untilMs: sinceOf(until, "until", nowMs) }),
    ...(cursor !== undefined && { cursor: cursorOf("cursor", cursor, ["<cursor>"]) }),
    order: oneOf(query, "order", HISTORY_ORDERS) ?? "newest-first",
    limit: limitOf(query, "page") ?? DEFAULT_PAGE_LIMIT,
  };
}

function nonEmpty(query: URLSearchParams, field: HistoryParameter): string | undefined {
  const value = single(query, field);
  if (value === "") throw new InvalidParameter(`${field} holds an empty value`, field, [`<${field}>`]);
  return value;
}

function named<Name extends string>(
  name: Name,
  value: string | undefined,
): { readonly [key in Name]?: string } {
  return value === undefined ? {} : ({ [name]: value } as { [key in Name]: string });
}
