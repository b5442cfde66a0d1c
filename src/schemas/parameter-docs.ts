import { ASPECTS, OPS } from "./draft.ts";
import { COUNTED_BY } from "./counts-schema.ts";
import {
  COUNTS_PARAMETERS,
  DEFAULT_BUCKETS,
  HISTORY_ORDERS,
  HISTORY_PARAMETERS,
  JOB_VERSIONS_PARAMETERS,
  STATE_PARAMETERS,
  WHY_PARAMETERS,
  MAX_BUCKETS,
  type CountsParameter,
  type HistoryParameter,
  type JobVersionsParameter,
} from "./read-queries.ts";
import { SEVERITY_NAMES } from "./severity.ts";
import {
  CONSUMER_NAME,
  DEFAULT_PAGE_LIMIT,
  MAX_FILTERS,
  MAX_PAGE_LIMIT,
  ON_EXPIRED,
  ORDERS,
  PARAMETERS,
  PAYLOADS,
  TYPES,
  type Parameter,
} from "./subscription-schema.ts";

/** What a parameter may be, as JSON Schema, and what it does, for people. */
interface ParameterDoc {
  readonly description: string;
  readonly schema: object;
}

const listOf = (items: object) => ({ type: "array", items, minItems: 1, uniqueItems: true });
const text = { type: "string", minLength: 1 };
const subject = { type: "string", pattern: "^[a-z]+/[^/]+/.+$" };
const time = { type: "string", examples: ["10m", "2d", "2026-08-22T10:15:30Z"] };
const pageLimit = { type: "integer", minimum: 1, maximum: MAX_PAGE_LIMIT, default: DEFAULT_PAGE_LIMIT };

const EVENTS: Readonly<Record<Parameter, ParameterDoc>> = {
  types: {
    description: "Resources, event types, or `feed` for control events",
    schema: listOf({ type: "string", enum: TYPES }),
  },
  namespaces: {
    description: "Nomad namespaces; `-` is that of cluster-wide objects",
    schema: listOf(text),
  },
  ops: { description: "What happened to the object", schema: listOf({ type: "string", enum: OPS }) },
  aspects: { description: "What of it changed", schema: listOf({ type: "string", enum: ASPECTS }) },
  signals: { description: "Named transitions, as `allocation.failed`", schema: listOf(text) },
  subjects: { description: "Single objects: <resource>/<namespace>/<key>", schema: listOf(subject) },
  minSeverity: { description: "The least severity", schema: { type: "string", enum: SEVERITY_NAMES } },
  filter: {
    description: "An expression in Nomad's filter language; all that are given must hold",
    schema: { type: "array", items: text, minItems: 1, maxItems: MAX_FILTERS },
  },
  cursor: { description: "A cursor, `earliest` or `latest`", schema: text },
  since: {
    description: "RFC 3339 time or age: events recorded since. Not with cursor, but for `newest-first`",
    schema: time,
  },
  until: { description: "RFC 3339 time or age: events recorded before. Pages only", schema: time },
  order: {
    description: "Which events come first. Pages only",
    schema: { type: "string", enum: ORDERS, default: ORDERS[0] },
  },
  lastEventId: {
    description: "The same as the header Last-Event-ID, for clients of SSE that cannot send it",
    schema: { type: "string" },
  },
  limit: {
    description: `Events after which a stream ends; most events of a page (default ${DEFAULT_PAGE_LIMIT}, at most ${MAX_PAGE_LIMIT})`,
    schema: { type: "integer", minimum: 1 },
  },
  snapshot: {
    description: "The current objects first. Streams only, not with cursor or since",
    schema: { type: "string", enum: ["true", "false"], default: "false" },
  },
  onexpired: {
    description: "What to do where the cursor expired or is of another epoch; `snapshot` with streams only",
    schema: { type: "string", enum: ON_EXPIRED, default: "fail" },
  },
  payload: {
    description: "How much of `data` is sent",
    schema: { type: "string", enum: PAYLOADS, default: "full" },
  },
  consumer: {
    description: "The server keeps the cursor under this name",
    schema: { type: "string", pattern: CONSUMER_NAME.source },
  },
};

const HISTORY: Readonly<Record<HistoryParameter, ParameterDoc>> = {
  subject: { description: "One object: <resource>/<namespace>/<key>", schema: subject },
  job: { description: "Id of a job: its events, and those of what belongs to it", schema: text },
  node: { description: "Id of a node: its events, and those of the allocations on it", schema: text },
  namespace: { description: "One namespace", schema: text },
  signal: { description: "A named transition, as `allocation.failed`", schema: text },
  minSeverity: EVENTS.minSeverity,
  since: { description: "Recorded from then on", schema: time },
  until: { description: "Recorded before then", schema: time },
  order: {
    description: "Which come first",
    schema: { type: "string", enum: HISTORY_ORDERS, default: HISTORY_ORDERS[0] },
  },
  limit: { description: "Most events of the page", schema: pageLimit },
  cursor: { description: "Where an earlier page ended", schema: text },
};

const AT: ParameterDoc = {
  description:
    "As of then: a cursor, an RFC 3339 time or an age, as far back as the log reaches. Absent: now",
  schema: { type: "string", examples: ["10m", "2026-08-22T10:15:30Z", "k3f9x2-12345"] },
};

const JOB_VERSIONS: Readonly<Record<JobVersionsParameter, ParameterDoc>> = {
  namespace: { description: "The job's namespace", schema: text },
  job: { description: "The job's id", schema: text },
};

const COUNTS: Readonly<Record<Exclude<CountsParameter, Parameter>, ParameterDoc>> = {
  buckets: {
    description: "How many spans of time to count in",
    schema: { type: "integer", minimum: 1, maximum: MAX_BUCKETS, default: DEFAULT_BUCKETS },
  },
  by: {
    description: "What else to count by",
    schema: { type: "string", enum: COUNTED_BY, default: COUNTED_BY[0] },
  },
};

type NamedDoc = ParameterDoc & { readonly name: string };

export const EVENTS_PARAMETER_DOCS: readonly NamedDoc[] = PARAMETERS.map((name) => ({
  name,
  ...EVENTS[name],
}));
export const STATE_PARAMETER_DOCS: readonly NamedDoc[] = STATE_PARAMETERS.map((name) => ({
  name,
  ...(name === "at" ? AT : EVENTS[name]),
}));
export const WHY_PARAMETER_DOCS: readonly NamedDoc[] = WHY_PARAMETERS.map((name) => ({
  name,
  ...(name === "at" ? AT : HISTORY[name]),
}));
export const COUNTS_PARAMETER_DOCS: readonly NamedDoc[] = COUNTS_PARAMETERS.map((name) => ({
  name,
  ...{ ...EVENTS, ...COUNTS, since: HISTORY.since, until: HISTORY.until }[name],
}));
export const HISTORY_PARAMETER_DOCS: readonly NamedDoc[] = HISTORY_PARAMETERS.map((name) => ({
  name,
  ...HISTORY[name],
}));
export const JOB_VERSIONS_PARAMETER_DOCS: readonly NamedDoc[] = JOB_VERSIONS_PARAMETERS.map((name) => ({
  name,
  ...JOB_VERSIONS[name],
}));
