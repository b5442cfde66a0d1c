import type { EventDraft } from "../schemas/draft.ts";
import { DATA_SCHEMAS, envelopeHead } from "../schemas/envelope-schema.ts";
import { scopeName, type Scope } from "../schemas/scope.ts";
import type { Severity } from "../schemas/severity.ts";
import { jsonText } from "../schemas/line-safe.ts";

/** What a feed has to say about itself. */
export type ControlEvent =
  /** A scope was read for the first time: `count` objects at raft index `index` (decimal) became its state. */
  | { readonly kind: "baseline"; readonly scope: Scope; readonly count: number; readonly index: string }
  /** Changes between begin and end come from comparing two histories, not from following one. */
  | {
      readonly kind: "resync";
      readonly scope: Scope;
      readonly phase: "begin" | "end";
      readonly reason: string;
    }
  /**
   * Whether the scope, or the whole feed (null), can be trusted. `since` (RFC 3339): when it was last known to be true.
   */
  | {
      readonly kind: "scope";
      readonly scope: Scope | null;
      readonly state: "stale" | "recovered" | "access-lost" | "access-restored" | "unsupported" | "supported";
      readonly reason: string;
      readonly since?: string;
    }
  /** The log lost its tail: sequences start a new history. */
  | {
      readonly kind: "epoch";
      readonly previous: string | null;
      readonly current: string;
      readonly reason: string;
    };

export interface ControlContext {
  /** nomad://<cluster>/<region> */
  readonly source: string;
  readonly nomadEpoch: number;
  /** RFC 3339 with milliseconds. */
  readonly observedAt: string;
  /** What tells this occurrence from others of its kind and scope, e.g. the scope's rev. */
  readonly discriminator: string;
  /** As in EventContext. */
  readonly traceparent?: string | undefined;
}

export function buildControlEvent(event: ControlEvent, context: ControlContext): EventDraft {
  const scope = event.kind === "epoch" ? null : event.scope;
  const subject = scope === null ? "feed" : `feed/${scopeName(scope)}`;
  const severity = severityOf(event);
  const facts = {
    id: `${context.nomadEpoch}/${subject}/${stageOf(event)}@${context.discriminator}`,
    type: `nomad.feed.${event.kind}`,
    time: context.observedAt,
    severity,
  };
  return {
    ...facts,
    resource: scope?.resource ?? null,
    namespace: scope?.namespace ?? null,
    key: null,
    op: null,
    aspect: null,
    signals: [],
    job: null,
    node: null,
    head: envelopeHead({
      ...facts,
      source: context.source,
      subject,
      dataschema: DATA_SCHEMAS.control,
      recordedtime: context.observedAt,
      traceparent: context.traceparent,
    }),
    tail: `"data":${jsonText(dataOf(event))}}`,
    overflow: null,
  };
}

/** Drafts the event that says that an epoch of the feed began; `at` is RFC 3339. */
export function epochEventOf(source: string) {
  return (facts: {
    readonly previous: string | null;
    readonly current: string;
    readonly reason: string;
    readonly at: string;
  }): EventDraft => {
    const { at, ...event } = facts;
    const context = { source, nomadEpoch: 0, observedAt: at, discriminator: facts.current };
    return buildControlEvent({ kind: "epoch", ...event }, context);
  };
}

/** Names the occurrence within its scope: `baseline`, `resync.begin`, `scope.stale`. */
function stageOf(event: ControlEvent): string {
  if (event.kind === "resync") return `resync.${event.phase}`;
  return event.kind === "scope" ? `scope.${event.state}` : event.kind;
}

function severityOf(event: ControlEvent): Severity {
  if (event.kind === "scope") return SCOPE_SEVERITIES[event.state];
  if (event.kind === "epoch") return "ERROR";
  return event.kind === "resync" && event.phase === "begin" ? "WARN" : "INFO";
}

const SCOPE_SEVERITIES = {
  stale: "WARN",
  recovered: "INFO",
  "access-lost": "ERROR",
  "access-restored": "INFO",
  unsupported: "INFO",
  supported: "INFO",
} as const;

/** Member by member, so that nothing a caller carries along slips onto the wire. */
function dataOf(event: ControlEvent): object {
  switch (event.kind) {
    case "baseline":
      return { scope: scopeOf(event.scope), count: event.count, index: event.index };
    case "resync":
      return { scope: scopeOf(event.scope), phase: event.phase, reason: event.reason };
    case "scope": {
      const { state, reason, since } = event;
      const scope = event.scope === null ? null : scopeOf(event.scope);
      return { scope, state, reason, ...(since !== undefined && { since }) };
    }
    case "epoch":
      return { previous: event.previous, current: event.current, reason: event.reason };
    default:
      return event satisfies never;
  }
}

function scopeOf(scope: Scope): Scope {
  return { resource: scope.resource, namespace: scope.namespace };
}
