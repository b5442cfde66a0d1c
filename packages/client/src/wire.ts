/**
 * What the server sends, as its own schemas have it (PROTOCOL.md sections 4 to 6). Aliases and not interfaces, so that
 * a part of an event may be handed on as a Record<string, unknown>.
 */

/** Nomad's resources by the noun that event types have. */
type Nouns = {
  jobs: "job";
  nodes: "node";
  allocations: "allocation";
  deployments: "deployment";
  evaluations: "evaluation";
  namespaces: "namespace";
  "node-pools": "node-pool";
  services: "service";
  variables: "variable";
  "scaling-policies": "scaling-policy";
  "csi-volumes": "csi-volume";
  "csi-plugins": "csi-plugin";
  "host-volumes": "host-volume";
  "host-volume-claims": "host-volume-claim";
  "acl-policies": "acl-policy";
  "acl-roles": "acl-role";
  "acl-tokens": "acl-token";
  "acl-auth-methods": "acl-auth-method";
  "acl-binding-rules": "acl-binding-rule";
  servers: "server";
  autopilot: "autopilot";
  scheduler: "scheduler";
  license: "license";
  quotas: "quota";
  "sentinel-policies": "sentinel-policy";
  recommendations: "recommendation";
};
export type ResourceType = keyof Nouns;
export type Noun = Nouns[ResourceType];

/** `version`: of a job, one that no poll saw. It is no state of the job. */
export type Op = "create" | "update" | "delete" | "snapshot" | "version";
/** How an event's type ends. */
export type ChangeVerb = "created" | "updated" | "deleted" | "snapshot" | "version";
/** What of the object changed. */
export type Aspect = "spec" | "status" | "summary" | "placement" | "meta";
export type Severity = "TRACE" | "DEBUG" | "INFO" | "WARN" | "ERROR" | "FATAL";
/** How much of an event's `data` to get: all; without the object; without what changed either. */
export type Payload = "full" | "patch" | "thin";

export type ChangeEventType<
  Type extends ResourceType = ResourceType,
  Verb extends ChangeVerb = ChangeVerb,
> = Verb extends "version" ? `nomad.${Nouns[Type & "jobs"]}.${Verb}` : `nomad.${Nouns[Type]}.${Verb}`;

/** Attributes of every CloudEvent the feed writes, in a log or on a connection. */
type BaseAttributes = {
  specversion: "1.0";
  /** The same for the same change, whoever saw it: deduplicate by it. */
  id: string;
  /** nomad://<cluster>/<region> */
  source: string;
  /** RFC 3339: when it happened, as far as Nomad says; else when it was seen. */
  time: string;
  datacontenttype: "application/json";
};

/** Attributes of an event that has a place in the log. */
type LogAttributes = BaseAttributes & {
  /** `<resource>/<namespace>/<key>`; of a control event `feed/<resource>/<namespace>`, or `feed`. */
  subject: string;
  /** Same as `subject`: events with the same one are in order. */
  partitionkey: string;
  /** RFC 3339: when the feed saw it. */
  recordedtime: string;
  severitytext: Severity;
  /** Where the commit that wrote it stands in its trace, where one is recorded: W3C Trace Context. */
  traceparent?: string | undefined;
  /** OpenTelemetry's severity number. */
  severitynumber: 1 | 5 | 9 | 13 | 17 | 21;
  /** Contiguous number in the feed, 16 digits. */
  sequence: string;
  /** Give it back to go on after this event. */
  cursor: string;
};

/** Who the event is about. */
export type ResourceBlock = {
  type: ResourceType;
  /** "-" for what belongs to no namespace. */
  namespace: string;
  id: string;
  name?: string | undefined;
  job?: string | undefined;
  group?: string | undefined;
  node?: string | undefined;
};

/**
 * One difference. `path` is a JSON Pointer (RFC 6901). Without `from` the member appeared, without `to` it vanished.
 */
export type JsonChange = { path: string; from?: unknown; to?: unknown };

type Rev = {
  /** Raft index of this version; null where the object has none, and with op version. Compare with !=, never with >. */
  current: string | null;
  /** That of the version before; null where there was none. */
  previous: string | null;
  /** Raft index at which the object was created. */
  created: string | null;
};

type Observed = {
  /** catchup: first poll after a start or failover; resync: Nomad's history changed. */
  mode: "live" | "catchup" | "resync";
  /** By a whole list, or the object alone, where Nomad's event stream named it. Absent in older events. */
  via?: "list" | "hint" | undefined;
  /** "no": no version of the object between previous and current was missed. */
  coalesced: "no" | "maybe";
  /** A state in between: a later version was read with it, and follows. */
  superseded?: true | undefined;
  /** With op version: no poll saw it. */
  skipped?: true | undefined;
  /** Tasks of which events may have come and gone unseen: Nomad keeps the ten newest of each. */
  missedTaskEvents?: string[] | undefined;
  /** Raft index of the poll before this one. */
  fromIndex: string | null;
  /** Raft index of the poll that saw the change. */
  toIndex: string;
  /** RFC 3339: time of the poll before this one. */
  since: string | null;
  /** Grows when Nomad was restored from a snapshot. */
  nomadEpoch: number;
  /** Stub field that `time` was read from, or "observed". */
  timeBasis: string;
};

type Stub = Record<string, unknown>;

type Redactable = {
  /** JSON Pointers within `data`: what stood there does not leave the feed; "[redacted]" stands for it. */
  redacted?: string[] | undefined;
};

type Actor = {
  /** What Nomad knew it by: `token`, `alloc` (a task's identity), … */
  kind: string;
  /** Of a token: its accessor. */
  id: string;
  /** The token's, as it was when the event was made. */
  name?: string | undefined;
  /** What Nomad vouches by: the node's last drain, or the token that registered this version of the job. */
  basis: "drain" | "job-register";
};

/** One change of a job's specification. */
export type SpecChange = {
  /** JSON Pointer: /TaskGroups/<group>/Tasks/<task>/Config/image */
  path: string;
  kind: "added" | "deleted" | "edited";
  /** "[redacted]" where it may be a secret; so is `new`. Absent where there was none, or is none. */
  old?: string | undefined;
  new?: string | undefined;
};

/** `omitted`: how many changes more there are. */
export type SpecDiff = { changes: SpecChange[]; omitted: number };

export type SpecVersion = {
  version: number;
  submittedAt: string | null;
  /** What it changed in the version before; null where Nomad keeps none before it. */
  diff: SpecDiff | null;
  /** Paths of the changes in `diff` whose values may be secrets. */
  redacted: string[];
};

export type TaskLog = {
  task: string;
  stream: "stderr";
  exitCode?: number | undefined;
  signal?: number | undefined;
  /** Oldest first. */
  lines: string[];
};

export type NodeDetails = {
  /** The node's own since its version before, oldest first. */
  events: { message: string; subsystem: string; time: string }[];
  /** Of /Attributes and /Meta since the bridge read the node last. */
  changes?: { path: string; from?: string | undefined; to?: string | undefined }[] | undefined;
  /** How many changes more there are. */
  omitted?: number | undefined;
};

/** Why something could not be found out, in words. */
type Unavailable = { unavailable: string };

export type ChangeData = Redactable & {
  op: Op;
  /** The most significant of what changed. */
  aspect: Aspect;
  /** Named transitions, docs/signals.md. */
  signals: string[];
  resource: ResourceBlock;
  /** Who made the change, where Nomad vouches for it. */
  actor?: Actor | undefined;
  /** With op version: which of the job's. */
  version?: number | undefined;
  /** With --enrich spec, of a job whose specification was written. */
  spec?: SpecVersion | Unavailable | undefined;
  /** With --enrich logs, of an allocation with a task that failed: the last lines that the task wrote. */
  log?: TaskLog | Unavailable | undefined;
  /** With --enrich node, of a node: what it says of itself that the list leaves out. */
  node?: NodeDetails | Unavailable | undefined;
  /** Of an evaluation that could not place everything: why, in words, group by group. */
  explanation?: string | undefined;
  /** With update: turns before into after, in order; `applyChanges` does. */
  changes?: JsonChange[] | undefined;
  /** Changes left out for size; `dataref` has them. */
  changesTruncated?: number | undefined;
  /** With delete: the last known stub. */
  before?: Stub | undefined;
  /** With create, update, snapshot: the list stub as Nomad sent it; absent with `dataref`. */
  after?: Stub | undefined;
  rev: Rev;
  observed: Observed;
};

/** A change of one Nomad object. */
export type ChangeEvent = LogAttributes & {
  type: ChangeEventType;
  dataschema: "urn:nomad-changefeed:schema:change:1";
  /** Where the whole `data` is, where the event was too large to hold it. */
  dataref?: string | undefined;
  data: ChangeData;
};

type Scope = {
  resource: ResourceType;
  /** A name, "*" for all, "-" for a resource that has no namespaces. */
  namespace: string;
};

type Control<Type extends string, Data> = LogAttributes & {
  type: Type;
  dataschema: "urn:nomad-changefeed:schema:control:1";
  data: Data;
};

/** What the feed says about itself, in its place among the changes. */
export type ControlEvent =
  | Control<"nomad.feed.baseline", { scope: Scope; count: number; index: string }>
  | Control<"nomad.feed.resync", Redactable & { scope: Scope; phase: "begin" | "end"; reason: string }>
  | Control<
      "nomad.feed.scope",
      Redactable & {
        /** Null: the whole feed, all its scopes. */
        scope: Scope | null;
        state: "stale" | "recovered" | "access-lost" | "access-restored" | "unsupported" | "supported";
        reason: string;
        /** RFC 3339: last time the scope, or every scope of the feed, was known to be true. */
        since?: string | undefined;
      }
    >
  | Control<"nomad.feed.epoch", Redactable & { previous: string | null; current: string; reason: string }>;

type Frame<Type extends string, Data> = BaseAttributes & {
  type: Type;
  dataschema: "urn:nomad-changefeed:schema:frame:1";
  data: Data;
};

/** What exists on a connection only. */
export type ConnectionFrame =
  | Frame<
      "nomad.feed.hello",
      {
        protocol: 1;
        /** nomad://<cluster>/<region> */
        feed: string;
        /** Name of this unbroken history; cursors of another one are refused. */
        epoch: string;
        /** Where this subscription really starts: events after it follow. */
        cursor: string;
        /** Earliest cursor the feed can still serve. */
        floor: string;
        /** Newest event when the subscription began. */
        head: string;
        /** Events between the wanted start and this one are gone. */
        gap: boolean;
      }
    >
  | Frame<"nomad.feed.bookmark", { cursor: string }>
  | Frame<"nomad.feed.snapshot", { phase: "begin" | "end"; cursor: string; count?: number | undefined }>
  | Frame<
      "nomad.feed.gap",
      {
        reason: "expired" | "epoch-changed" | "missing";
        /** Where the subscription wanted to start. */
        wanted: string;
        /** Where it goes on. */
        cursor: string;
        /** Events between the two, where it can be told. */
        missed?: number | undefined;
      }
    >
  | Frame<
      "nomad.feed.error",
      {
        /** Stable name, listed in docs/errors.md. */
        code: string;
        message: string;
        hint?: string | undefined;
        /** WebSocket close code that follows. */
        closeCode?: number | undefined;
        /** Resume from here, where resuming makes sense. */
        cursor?: string | undefined;
      }
    >
  | Frame<"nomad.feed.pong", { ping: number | string }>;

/** An object of a snapshot, between its begin and end. */
export type ObjectFrame = BaseAttributes & {
  type: ChangeEventType<ResourceType, "snapshot">;
  dataschema: "urn:nomad-changefeed:schema:change:1";
  subject: string;
  partitionkey: string;
  recordedtime: string;
  severitytext: "INFO";
  severitynumber: 9;
  data: Redactable & {
    op: "snapshot";
    signals: string[];
    resource: ResourceBlock;
    /** The list stub; absent with a payload that leaves it out. */
    after?: Stub | undefined;
    rev: Rev;
  };
};
