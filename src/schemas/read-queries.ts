import type { Severity } from "./severity.ts";
import { SEVERITY_NAMES } from "./severity.ts";
import { quoted } from "../shared/quoted.ts";
import { parseCursor, type Cursor } from "./cursor.ts";
import type { ObjectRef } from "./resources.ts";
import { COUNTED_BY, type CountedBy } from "./counts-schema.ts";
import { parseSince } from "./since.ts";
import {
  assertKnown,
  assertOneOf,
  CONDITION_PARAMETERS,
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
  type SubscriptionContext,
} from "./subscription-schema.ts";

/** What of GET /v1/events also chooses objects, and when. */
export const STATE_PARAMETERS = ["types", "namespaces", "subjects", "filter", "at"] as const;

/** When: after an event, or at a time (ms since 1970), asked at `nowMs`. */
export type Moment =
  | { readonly kind: "cursor"; readonly cursor: Cursor }
  | { readonly kind: "time"; readonly timeMs: number; readonly nowMs: number };

export interface StateRequest {
  readonly conditions: EventConditions;
  /** Absent: now. */
  readonly at?: Moment;
}

/** @throws InvalidParameter, InvalidFilter */
export function parseStateQuery(
  query: URLSearchParams,
  { nowMs, ...context }: Pick<SubscriptionContext, "signals" | "compileFilter" | "nowMs">,
): StateRequest {
  assertKnown(query, STATE_PARAMETERS);
  const at = momentOf(query, nowMs);
  return { conditions: conditionsOf(query, context), ...(at !== undefined && { at }) };
}

/** What `at` says; undefined where it is absent. @throws InvalidParameter */
function momentOf(query: URLSearchParams, nowMs: number): Moment | undefined {
  const text = single(query, "at");
  if (text === undefined) return undefined;
  const cursor = parseCursor(text);
  if (cursor !== undefined) return { kind: "cursor", cursor };
  const timeMs = parseSince(text, nowMs);
  if (timeMs !== undefined) return { kind: "time", timeMs, nowMs };
  throw new InvalidParameter(`${quoted(text)} is no moment of the feed`, "at", [
    "<cursor>",
    "RFC 3339 time, as 2026-08-22T10:15:30Z",
    "age, as 90s, 10m, 1h30m or 2d",
  ]);
}

export const WHY_PARAMETERS = ["subject", "at"] as const;

export interface WhyRequest {
  readonly subject: ObjectRef;
  /** Absent: now. */
  readonly at?: Moment;
}

/** @throws InvalidParameter */
export function parseWhyQuery(query: URLSearchParams, nowMs: number): WhyRequest {
  assertKnown(query, WHY_PARAMETERS);
  const subject = single(query, "subject");
  if (subject === undefined) {
    throw new InvalidParameter("subject is missing", "subject", ["<resource>/<namespace>/<key>"]);
  }
  const at = momentOf(query, nowMs);
  return { subject: subjectRef(subject, "subject"), ...(at !== undefined && { at }) };
}

export const COUNTS_PARAMETERS = [...CONDITION_PARAMETERS, "since", "until", "buckets", "by"] as const;
export type CountsParameter = (typeof COUNTS_PARAMETERS)[number];
export const DEFAULT_BUCKETS = 60;
export const MAX_BUCKETS = 500;

/** Which events to count, and by what. */
export interface CountsRequest {
  readonly conditions: EventConditions;
  /** Ms since 1970. Absent: from the oldest event on; until now. */
  readonly sinceMs?: number;
  readonly untilMs?: number;
  readonly buckets: number;
  readonly by: CountedBy;
}

/** @throws InvalidParameter, InvalidFilter */
export function parseCountsQuery(
  query: URLSearchParams,
  { nowMs, ...context }: Pick<SubscriptionContext, "signals" | "compileFilter" | "nowMs">,
): CountsRequest {
  assertKnown(query, COUNTS_PARAMETERS);
  const since = single(query, "since");
  const until = single(query, "until");
  return {
    conditions: conditionsOf(query, context),
    ...(since !== undefined && { sinceMs: sinceOf(since, "since", nowMs) }),
    ...(until !== undefined && { untilMs: sinceOf(until, "until", nowMs) }),
    buckets: bucketsIn(query),
    by: oneOf(query, "by", COUNTED_BY) ?? "severity",
  };
}

function bucketsIn(query: URLSearchParams): number {
  const text = single(query, "buckets") ?? String(DEFAULT_BUCKETS);
  if (/^[1-9]\d{0,2}$/.test(text) && Number(text) <= MAX_BUCKETS) return Number(text);
  throw new InvalidParameter(`${quoted(text)} is not a number of buckets`, "buckets", [
    `a whole number from 1 to ${MAX_BUCKETS}`,
  ]);
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

export const JOB_VERSIONS_PARAMETERS = ["namespace", "job"] as const;
export type JobVersionsParameter = (typeof JOB_VERSIONS_PARAMETERS)[number];

/** Both are needed: no job has its id alone. */
export type JobVersionsRequest = { readonly [Name in JobVersionsParameter]: string };

/** @throws InvalidParameter */
export function parseJobVersionsQuery(query: URLSearchParams): JobVersionsRequest {
  assertKnown(query, JOB_VERSIONS_PARAMETERS);
  const needed = (field: JobVersionsParameter): string => {
    const value = nonEmpty(query, field);
    if (value !== undefined && value !== "*") return value;
    throw new InvalidParameter(`${field} is needed, one of them`, field, [`<${field}>`]);
  };
  return { namespace: needed("namespace"), job: needed("job") };
}

function nonEmpty(
  query: URLSearchParams,
  field: HistoryParameter | JobVersionsParameter,
): string | undefined {
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
