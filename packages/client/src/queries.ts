import type { TypeName } from "./items.ts";
import type { SubscribeOptions } from "./options.ts";
import type { ResourceType, Severity } from "./wire.ts";

/** Which events are meant: PROTOCOL.md section 3. What is absent allows everything. */
type Selection =
  | "types"
  | "namespaces"
  | "ops"
  | "aspects"
  | "signals"
  | "subjects"
  | "minSeverity"
  | "filter";

export type Order = "oldest-first" | "newest-first";

/** A page of events: PROTOCOL.md section 4. */
export interface EventsQuery<Types extends TypeName = TypeName> extends Pick<
  SubscribeOptions<Types>,
  Selection | "payload" | "since" | "limit"
> {
  /** Default `oldest-first`. */
  readonly order?: Order;
  /** A cursor, "earliest" (default) or "latest"; with `newest-first` the page goes on before its event. */
  readonly cursor?: string;
  /** RFC 3339 time or age: events recorded before. */
  readonly until?: string;
  /** What to do where the cursor leads nowhere any more. Default `fail`. */
  readonly onexpired?: "fail" | "earliest";
  /** Begin after the cursor that the server keeps under this name. */
  readonly consumer?: string;
}

/** The events of an object, a job, a node or a namespace: PROTOCOL.md section 11. All that is given must hold. */
export interface HistoryQuery {
  /** `<resource>/<namespace>/<key>` */
  readonly subject?: string;
  readonly job?: string;
  readonly node?: string;
  readonly namespace?: string;
  readonly signal?: string;
  readonly minSeverity?: Severity;
  /** RFC 3339 time or age. */
  readonly since?: string;
  readonly until?: string;
  /** Default `newest-first`. */
  readonly order?: Order;
  readonly limit?: number;
  readonly cursor?: string;
}

/** The objects as they are, or were: PROTOCOL.md section 10. */
export interface StateQuery<Type extends ResourceType = ResourceType> extends Pick<
  SubscribeOptions,
  "namespaces" | "subjects" | "filter"
> {
  readonly types?: readonly Type[];
  /** A cursor, an RFC 3339 time or an age. Default: now. */
  readonly at?: string;
}

/** How many events, over time. */
export interface CountsQuery extends Pick<SubscribeOptions, Selection> {
  /** RFC 3339 time or age. Default: the oldest event. */
  readonly since?: string;
  /** Default: now. */
  readonly until?: string;
  /** 1 to 500, default 60. */
  readonly buckets?: number;
  /** Default `severity`. */
  readonly by?: "severity" | "type" | "namespace" | "op" | "aspect" | "signal" | "job" | "node";
}
