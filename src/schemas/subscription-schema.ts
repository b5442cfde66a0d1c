import { quoted } from "../shared/quoted.ts";
import { parseCursor, type Cursor } from "./cursor.ts";
import { nearestName } from "./nearest.ts";
import { ASPECTS, changeTypes, OPS, type Aspect, type EventFacts, type Op } from "./draft.ts";
import { ChangefeedError } from "./errors.ts";
import { isResourceType, RESOURCE_TYPES, type ObjectRef, type ResourceType } from "./resources.ts";
import { SEVERITY_NAMES, type Severity } from "./severity.ts";
import { parseSince } from "./since.ts";

/** How events leave: three streams that stay open, and a page that answers at once. @internal */
export const FORMATS = ["websocket", "sse", "ndjson", "page"] as const;
export type Format = (typeof FORMATS)[number];

/** How much of an event's `data` leaves: all; without the object; without what changed either. */
export const PAYLOADS = ["full", "patch", "thin"] as const;
export type Payload = (typeof PAYLOADS)[number];

/** What to do where the cursor expired or is of another epoch. */
export const ON_EXPIRED = ["fail", "earliest", "snapshot"] as const;
export type OnExpired = (typeof ON_EXPIRED)[number];

export const CONSUMER_NAME = /^[A-Za-z0-9._-]{1,64}$/;

/** Where a subscription starts. Events after the cursor; the whole log; only what comes; the objects as they are
 * now, then what comes; recorded since. */
export type Start =
  | { readonly kind: "cursor"; readonly cursor: Cursor }
  | { readonly kind: "snapshot" }
  | { readonly kind: "earliest" }
  | { readonly kind: "latest" }
  | { readonly kind: "since"; readonly timeMs: number };

/** Each condition allows what it lists (OR); all conditions hold together (AND); an absent one allows all. */
export interface EventConditions {
  /** Resource names, full CloudEvents types, or "feed" for control events. */
  readonly types?: readonly string[];
  readonly namespaces?: readonly string[];
  readonly ops?: readonly Op[];
  readonly aspects?: readonly Aspect[];
  readonly signals?: readonly string[];
  /** `resource/namespace/key` of single objects. */
  readonly subjects?: readonly string[];
  readonly minSeverity?: Severity;
  /** What was asked for in the filter language. */
  readonly filters?: readonly EventExpression[];
}

/** An expression of the filter language. Two of the same text ask the same, so that the text can stand for it. */
export interface EventExpression {
  readonly text: string;
  readonly test: ExpressionTest;
}

/** What filters cost whoever asks them. One object for all that is asked in its name. */
export interface FilterCost {
  /** Work of the expressions: a step takes some tens of nanoseconds. */
  steps: number;
  /** Characters of JSON that had to be parsed for them, some ten nanoseconds each. */
  parsed: number;
  /** An evaluation that would bring `steps` beyond it ends with StepLimitReached, and says nothing of the event. */
  limit?: number;
}

/** An event as it is tested: its facts, and its JSON for what they do not say. */
export type TestedEvent = EventFacts & { readonly json: string };
/** What it cost is added to `cost`. @throws StepLimitReached where that has a limit. */
export type EventTest = (event: TestedEvent, cost?: FilterCost) => boolean;
/** An event that would cost more than `maxSteps` passes. */
type ExpressionTest = (event: TestedEvent, cost?: FilterCost, maxSteps?: number) => boolean;

/** Which events of a page come first. */
export const ORDERS = ["oldest-first", "newest-first"] as const;
type Order = (typeof ORDERS)[number];

export interface Subscription {
  readonly conditions: EventConditions;
  /** With `newest-first`, a cursor that the page goes on before, or `latest`: it begins with the newest event. */
  readonly start: Start;
  readonly order: Order;
  /** Only events recorded from then on, and before then, ms since 1970. Of pages; oldest first the start says the former. */
  readonly sinceMs?: number;
  readonly untilMs?: number;
  readonly onExpired: OnExpired;
  readonly payload: Payload;
  /** Whose stored cursor goes before `start`. */
  readonly consumer?: string;
  /** Events after which a stream ends, or at most in a page. */
  readonly limit?: number;
}

const FEED_TYPES = [
  "nomad.feed.baseline",
  "nomad.feed.resync",
  "nomad.feed.scope",
  "nomad.feed.epoch",
] as const;

/** `nomad.allocation.updated` → "allocations"; undefined for control events and unknown types. */
export function resourceOfEventType(type: string): ResourceType | undefined {
  return RESOURCE_TYPES.find((resource) => changeTypes(resource).some((known) => known === type));
}

/** CloudEvents types of all events in the log. */
export const EVENT_TYPES: readonly string[] = [...RESOURCE_TYPES.flatMap(changeTypes), ...FEED_TYPES];
export const TYPES = [...RESOURCE_TYPES, "feed", ...EVENT_TYPES];

export const DEFAULT_PAGE_LIMIT = 100;
export const MAX_PAGE_LIMIT = 1000;
export const MAX_FILTERS = 8;

/** The parameters that say which events. */
export const CONDITION_PARAMETERS = [
  "types",
  "namespaces",
  "ops",
  "aspects",
  "signals",
  "subjects",
  "minSeverity",
  "filter",
] as const;

export const PARAMETERS = [
  ...CONDITION_PARAMETERS,
  "cursor",
  "since",
  "until",
  "order",
  "lastEventId",
  "limit",
  "snapshot",
  "onexpired",
  "payload",
  "consumer",
] as const;
export type Parameter = (typeof PARAMETERS)[number];

export class InvalidParameter extends ChangefeedError {
  readonly code = "INVALID_PARAMETER";
  readonly field: string;
  readonly allowed: readonly string[];
  readonly nearest: string | undefined;

  constructor(message: string, field: string, allowed: readonly string[], given?: string) {
    const nearest = given === undefined ? undefined : nearestName(given, allowed);
    super(message, nearest === undefined ? {} : { hint: `Did you mean ${nearest}?` });
    this.field = field;
    this.allowed = allowed;
    this.nearest = nearest;
  }
}

export interface SubscriptionContext {
  readonly format: Format;
  readonly nowMs: number;
  /** Names of all signals there are. */
  readonly signals: readonly string[];
  /** Reads an expression of the filter language, which this module does not know. @throws InvalidFilter */
  readonly compileFilter: (text: string, signals: readonly string[]) => EventExpression;
  /** What a browser's EventSource sends when it reconnects; goes before `cursor` and `since`. */
  readonly lastEventId?: string;
}

/** @throws InvalidParameter at the first parameter or value that is not known; InvalidFilter. */
export function parseSubscription(query: URLSearchParams, context: SubscriptionContext): Subscription {
  assertKnown(query, PARAMETERS);
  const limit = limitOf(query, context.format);
  const consumer = consumerOf(query);
  const order = orderOf(query, context.format);
  const until = single(query, "until");
  return {
    conditions: conditionsOf(query, context),
    order,
    ...(order === "newest-first" ? beginningBefore(query, context) : { start: startOf(query, context) }),
    ...(until !== undefined && { untilMs: sinceOf(until, "until", context.nowMs) }),
    onExpired: onExpiredOf(query, context.format),
    payload: oneOf(query, "payload", PAYLOADS) ?? "full",
    ...(consumer === undefined ? {} : { consumer }),
    ...(limit === undefined ? {} : { limit }),
  };
}

/** @throws InvalidParameter at the first name that is not among `allowed`. */
export function assertKnown(query: URLSearchParams, allowed: readonly string[]): void {
  for (const name of query.keys()) {
    if (!allowed.includes(name)) {
      throw new InvalidParameter(`There is no parameter ${quoted(name)}`, name, allowed, name);
    }
  }
}

function orderOf(query: URLSearchParams, format: Format): Order {
  const given = ["order", "until"].find((name) => query.has(name));
  if (given !== undefined && format !== "page") {
    throw new InvalidParameter("A stream goes on with whatever comes", given, [`${given} of a page`]);
  }
  return oneOf(query, "order", ORDERS) ?? "oldest-first";
}

/** Where a page begins that goes back in time, and where the last of them ends. */
function beginningBefore(
  query: URLSearchParams,
  { nowMs }: SubscriptionContext,
): Pick<Subscription, "start" | "sinceMs"> {
  const forwards = ["lastEventId", "onexpired", "consumer", "snapshot"].find((name) => query.has(name));
  if (forwards !== undefined) {
    throw new InvalidParameter(`${forwards} is about what comes next`, forwards, [
      `${forwards} with order=oldest-first`,
    ]);
  }
  const since = single(query, "since");
  const cursor = single(query, "cursor") ?? "latest";
  return {
    start:
      cursor === "latest"
        ? { kind: "latest" }
        : { kind: "cursor", cursor: cursorOf("cursor", cursor, ["<cursor>", "latest"]) },
    ...(since !== undefined && { sinceMs: sinceOf(since, "since", nowMs) }),
  };
}

function onExpiredOf(query: URLSearchParams, format: Format): OnExpired {
  const choices = format === "page" ? ON_EXPIRED.filter((choice) => choice !== "snapshot") : ON_EXPIRED;
  return oneOf(query, "onexpired", choices) ?? "fail";
}

function consumerOf(query: URLSearchParams): string | undefined {
  const name = single(query, "consumer");
  if (name !== undefined) assertConsumerName(name, "consumer");
  return name;
}

/** @throws InvalidParameter */
export function assertConsumerName(name: string, field: string): void {
  if (CONSUMER_NAME.test(name)) return;
  throw new InvalidParameter(`${quoted(name)} is not a consumer's name`, field, [
    "1 to 64 of A-Z a-z 0-9 . _ -",
  ]);
}

export function conditionsOf(
  query: URLSearchParams,
  { signals, compileFilter }: Pick<SubscriptionContext, "signals" | "compileFilter">,
): EventConditions {
  const types = listOf(query, "types", TYPES);
  const namespaces = listOf(query, "namespaces", undefined);
  const ops = listOf(query, "ops", OPS);
  const aspects = listOf(query, "aspects", ASPECTS);
  const named = listOf(query, "signals", signals);
  const subjects = listOf(query, "subjects", undefined);
  const minSeverity = single(query, "minSeverity");
  const filters = expressionsOf(query).map((text) => compileFilter(text, signals));
  subjects?.forEach(assertSubject);
  if (minSeverity !== undefined) assertOneOf("minSeverity", minSeverity, SEVERITY_NAMES);
  return {
    ...(types && { types }),
    ...(namespaces && { namespaces }),
    ...(ops && { ops }),
    ...(aspects && { aspects }),
    ...(named && { signals: named }),
    ...(subjects && { subjects }),
    ...(minSeverity !== undefined && { minSeverity }),
    ...(filters.length > 0 && { filters }),
  };
}

function expressionsOf(query: URLSearchParams): string[] {
  const texts = query.getAll("filter");
  if (texts.length <= MAX_FILTERS) return texts;
  throw new InvalidParameter(`filter is given ${texts.length} times`, "filter", [`at most ${MAX_FILTERS}`]);
}

function startOf(query: URLSearchParams, context: SubscriptionContext): Start {
  const cursor = single(query, "cursor");
  const since = single(query, "since");
  if (cursor !== undefined && since !== undefined) {
    throw new InvalidParameter("cursor and since exclude each other", "since", [
      "cursor alone",
      "since alone",
    ]);
  }
  const snapshot = oneOf(query, "snapshot", ["true", "false"]) === "true";
  if (snapshot) assertMayBeginWithSnapshot(context.format, cursor ?? since);
  const resumed = lastEventIdOf(query, context);
  if (resumed !== undefined) return { kind: "cursor", cursor: resumed };
  if (snapshot) return { kind: "snapshot" };
  if (since !== undefined) return { kind: "since", timeMs: sinceOf(since, "since", context.nowMs) };
  if (cursor === undefined) return { kind: context.format === "page" ? "earliest" : "latest" };
  if (cursor === "earliest" || cursor === "latest") return { kind: cursor };
  return { kind: "cursor", cursor: cursorOf("cursor", cursor, ["<cursor>", "earliest", "latest"]) };
}

/** Of the header, or of the parameter that stands for it where none can be sent. Empty is as good as absent. */
function lastEventIdOf(
  query: URLSearchParams,
  { lastEventId = "" }: SubscriptionContext,
): Cursor | undefined {
  if (lastEventId !== "") return cursorOf("Last-Event-ID", lastEventId, ["<cursor>"]);
  const parameter = single(query, "lastEventId") ?? "";
  return parameter === "" ? undefined : cursorOf("lastEventId", parameter, ["<cursor>"]);
}

function assertMayBeginWithSnapshot(format: Format, other: string | undefined): void {
  if (format === "page") {
    throw new InvalidParameter("A page cannot begin with a snapshot", "snapshot", [
      "snapshot=true of a stream",
      "GET /v1/state",
    ]);
  }
  if (other !== undefined) {
    throw new InvalidParameter("A snapshot says itself where the stream starts", "snapshot", [
      "snapshot alone",
      "cursor or since alone",
    ]);
  }
}

export function cursorOf(field: string, text: string, allowed: readonly string[]): Cursor {
  const cursor = parseCursor(text);
  if (cursor === undefined)
    throw new InvalidParameter(`${quoted(text)} is not a cursor`, field, allowed, text);
  return cursor;
}

export function sinceOf(text: string, field: string, nowMs: number): number {
  const timeMs = parseSince(text, nowMs);
  if (timeMs !== undefined) return timeMs;
  throw new InvalidParameter(`${quoted(text)} is not a time`, field, [
    "RFC 3339 time, as 2026-08-22T10:15:30Z",
    "age, as 90s, 10m, 1h30m or 2d",
  ]);
}

export function limitOf(query: URLSearchParams, format: Format): number | undefined {
  const text = single(query, "limit");
  if (text === undefined) return format === "page" ? DEFAULT_PAGE_LIMIT : undefined;
  const most = format === "page" ? MAX_PAGE_LIMIT : Number.MAX_SAFE_INTEGER;
  const limit = /^[1-9]\d{0,15}$/.test(text) ? Number(text) : Number.NaN;
  if (limit <= most) return limit;
  const range = format === "page" ? `a whole number from 1 to ${MAX_PAGE_LIMIT}` : "a whole number from 1";
  throw new InvalidParameter(`${quoted(text)} is not a limit`, "limit", [range]);
}

/** The values of a repeatable comma list, each once; undefined where the parameter is absent. */
function listOf<Value extends string>(
  query: URLSearchParams,
  field: Parameter,
  allowed: readonly Value[],
): Value[] | undefined;
function listOf(query: URLSearchParams, field: Parameter, allowed: undefined): string[] | undefined;
function listOf(
  query: URLSearchParams,
  field: Parameter,
  allowed: readonly string[] | undefined,
): string[] | undefined {
  if (!query.has(field)) return undefined;
  const values = query.getAll(field).flatMap((text) => text.split(","));
  for (const value of values) {
    if (allowed !== undefined) assertOneOf(field, value, allowed);
    else if (value === "") throw new InvalidParameter(`${field} holds an empty name`, field, ["<name>"]);
  }
  return [...new Set(values)];
}

export function single(query: URLSearchParams, field: string): string | undefined {
  const values = query.getAll(field);
  if (values.length > 1) throw new InvalidParameter(`${field} is given twice`, field, ["one value"]);
  return values[0];
}

export function oneOf<Value extends string>(
  query: URLSearchParams,
  field: string,
  allowed: readonly Value[],
): Value | undefined {
  const value = single(query, field);
  if (value !== undefined) assertOneOf(field, value, allowed);
  return value;
}

export function assertOneOf<Value extends string>(
  field: string,
  value: string,
  allowed: readonly Value[],
): asserts value is Value {
  if ((allowed as readonly string[]).includes(value)) return;
  const problem = value === "" ? "holds an empty value" : `cannot be ${quoted(value)}`;
  throw new InvalidParameter(`${field} ${problem}`, field, allowed, value);
}

function assertSubject(subject: string): void {
  subjectRef(subject, "subjects");
}

/** @throws InvalidParameter */
export function subjectRef(subject: string, field: string): ObjectRef {
  const [resource = "", namespace = "", ...rest] = subject.split("/");
  const key = rest.join("/");
  if (isResourceType(resource) && namespace !== "" && key !== "") return { resource, namespace, key };
  throw new InvalidParameter(`${quoted(subject)} is not a subject`, field, ["<resource>/<namespace>/<key>"]);
}
