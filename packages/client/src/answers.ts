import type { Noun, Severity, SpecDiff } from "./wire.ts";

/** What routes answer as JSON, as the server's own schemas have it. Times are RFC 3339; what is null is not so, or not known. */

/** `GET /v1/about` */
export type About = {
  name: string;
  protocol: number;
  /** nomad://<cluster>/<region> */
  source: string;
  /** Where browsers get the web console; null: nowhere. */
  console: string | null;
  /** `events`: how many the log holds. */
  feed: { floor: string; head: string; events: number };
  routes: string[];
  examples: string[];
};

/** Who a browser is, as far as the server knows. */
export type Session = {
  /** token: everything but this needs one. */
  auth: "none" | "token";
  signedIn: boolean;
  /** Whose token it is, as logs name it. */
  who: string | null;
  /** Whether they may steer deliveries, silences and the configuration. */
  management: boolean;
  /** Whether nothing of the feed is kept from them. */
  seesAll: boolean;
  /** Where they may see objects, of the namespaces that have some; null: in all, or not known. */
  namespaces: string[] | null;
};

/** Who does what of the feed's work. */
export type Assignment = {
  /** A scope, as `jobs/default`; `deliver/<name>`, `alerts`, `plan`, `trim`, `hints`. */
  assignment: string;
  /** fenced: a process does it that does not share assignments. */
  state: "held" | "waiting" | "fenced";
  worker: string | null;
  since: string | null;
  /** How far the scope can be trusted. */
  condition: "starting" | "ok" | "stale" | "access-lost" | "unsupported" | null;
  /** Whether the scope's objects are read one by one, as Nomad's event stream names them, or in lists. */
  reading: "lists" | "hinted" | null;
  reason: string | null;
  index: string | null;
  objects: number | null;
  lastOkAt: string | null;
  /** 0 while the scope is up to date; of a destination, how old the oldest event is that it has not got. */
  lagMs: number | null;
};

/** Those who follow the feed at the server that was asked, by format. */
export type Streams = {
  format: "websocket" | "sse" | "ndjson";
  open: number;
};

export type Alert = {
  id: string;
  rule: string;
  severity: Severity;
  /** pending: it has not held for long enough yet. */
  state: "pending" | "firing" | "resolved";
  labels: Record<string, string>;
  summary: string;
  details: Record<string, string>;
  count: number;
  startsAt: string;
  firedAt: string | null;
  endsAt: string | null;
  /** Why it ended. */
  reason: string | null;
  beganMeanwhile: boolean;
  /** It holds no longer, and fires for a while yet in case it comes back. */
  isKept: boolean;
  lastEventAt: string | null;
  /** Ids of the latest events about it. */
  evidence: string[];
  /** Page of Nomad's UI, below /ui/. */
  page: string | null;
  /** Ids of silences. */
  silencedBy?: string[] | undefined;
};

/** How a destination is told of alerts. */
export type AlertDestination = {
  name: string;
  target: string;
  state: "ok" | "retrying" | "circuit-open" | "paused";
  reason: string | null;
  since: string | null;
  lastOkAt: string | null;
  waiting: number;
  lagMs: number;
};

export type Alerts = {
  /** When they were looked at last; null: not yet. */
  asOf: string | null;
  /** What fires, and what is pending. */
  alerts: Alert[];
  /** In the last hour, newest first. */
  ended: Alert[];
  /** For whom the whole feed is. */
  destinations: AlertDestination[];
};

export type Silence = {
  id: string;
  matchers: {
    rules?: readonly string[] | undefined;
    minSeverity?: Severity | undefined;
    where?: Record<string, readonly string[]> | undefined;
    filter?: string | undefined;
  };
  startsAt: string;
  endsAt: string;
  comment: string;
  createdBy: string;
};

/** One route of alerts, PROTOCOL.md section 14. */
export type AlertRoute = {
  /** Its place in the tree: "0", and its first child "0.0". */
  route: string;
  depth: number;
  /** Which alerts: all of it must hold. */
  matchers: Silence["matchers"];
  to: string[];
  groupBy: string[];
  groupWaitMs: number;
  groupIntervalMs: number;
  repeatIntervalMs: number;
  /** It is mute now. */
  isMuted: boolean;
  /** What it takes goes on to the routes behind it. */
  goesOn: boolean;
};

/** Where an alert goes, and what kept it from going elsewhere. */
export type RoutedAlert = {
  alert: Alert;
  /** The last route that took it; null: none did. */
  route: string | null;
  told: {
    destination: string;
    route: string;
    /** What all alerts of the message have in common. */
    group: Record<string, string>;
    groupWaitMs: number;
    repeatIntervalMs: number;
    isMuted: boolean;
  }[];
  /** Destinations that no route leads to; null: it is told there. */
  alertmanagers: { name: string; mismatch: string | null }[];
  /** Every route that was asked; null: it took it. */
  steps: { route: string; mismatch: string | null }[];
  silences: string[];
};

export type AlertRoutes = { routes: AlertRoute[]; tested: RoutedAlert | null };

/** A named consumer. */
export type Consumer = {
  name: string;
  cursor: string;
  updatedAt: string;
  /** Null: its cursor is of another epoch. */
  behind: number | null;
  owner: string | null;
};

export type Delivery = {
  name: string;
  kind: "events" | "alerts";
  /** webhook, kafka, …; null: it is not configured any more. */
  type: string | null;
  target: string | null;
  /** PROTOCOL.md section 13. */
  state: "delivering" | "retrying" | "circuit-open" | "paused" | "waiting" | "removed";
  reason: string | null;
  since: string | null;
  worker: string | null;
  cursor: string | null;
  recordedAt: string | null;
  lagEvents: number | null;
  lagMs: number | null;
  /** Messages about alerts that it has not taken yet; null of events. */
  waiting: number | null;
  deadLetters: number;
};

type Quantiles = { p50: number; p99: number };

/** With what the worker knows that delivers; null where another one does. */
export type DeliveryDetails = Delivery & {
  /** The last sends, newest first. */
  attempts: Attempt[] | null;
  /** Messages about alerts that wait, oldest first. */
  messages: { about: string; since: string; dueAt: string | null }[] | null;
  outcomes: { delivered: number; parked: number; passedOver: number; retried: number } | null;
  /** ms */
  latency: { recordedToPicked: Quantiles; pickedToSent: Quantiles; sentToAnswered: Quantiles } | null;
};

/** One send to a destination. */
export type Attempt = {
  at: string;
  ms: number;
  events: number;
  firstId: string | null;
  outcome: "ok" | "retry" | "refused";
  why: "poison" | "too-large" | "too-old" | "gone" | "forbidden" | "config" | null;
  reason: string | null;
  status: number | null;
  /** Its first KiB, without secrets; so is `answer`. */
  request: string | null;
  answer: string | null;
};

/** An event that a destination would not take; `event` is its JSON. */
export type DeadLetter = {
  cursor: string;
  id: string;
  reason: string;
  attempts: number;
  parkedAt: string;
  event: string;
};

/** How many events there were, over time. */
export type Counts = {
  since: string;
  until: string;
  /** How long a bucket is. */
  bucketMs: number;
  total: number;
  /** False: counting all would have cost too much, and what is older than `from` is not counted. */
  complete: boolean;
  from: string;
  /** Oldest first, without gaps; `at` is where one begins. Severities of which there are none are left out. */
  buckets: { at: string; total: number; severities: Partial<Record<Severity, number>> }[];
  /** Largest first, at most 50; absent by severity. */
  values?: { value: string; count: number }[] | undefined;
  /** Events of the values that were left out. */
  others?: number | undefined;
};

/** Why an object is as it is: what led to what, and the same in words. */
export type Why = {
  subject: string;
  asOf: string;
  /** The object asked about first. `cursor` is that of the event that says so; so it is in the story. */
  nodes: {
    subject: string;
    kind: Noun;
    label: string;
    state: string;
    time: string | null;
    cursor?: string | undefined;
  }[];
  /** From cause to effect. */
  edges: {
    from: string;
    to: string;
    relation:
      | "launched"
      | "triggered"
      | "followed-by"
      | "started"
      | "rolled-out"
      | "placed"
      | "runs"
      | "replaced-by"
      | "preempted"
      | "stopped";
    words: string;
  }[];
  /** Sentences, oldest first. */
  story: {
    time: string;
    subject: string;
    cursor?: string | undefined;
    words: string;
    severity: Severity;
  }[];
  complete: boolean;
  /** What retention, rights or limits keep from it, in words. */
  missing: string[];
};

/** PROTOCOL.md section 16. */
export type JobVersion = {
  version: number;
  submittedAt: string | null;
  stable: boolean;
  /** Whether it stopped the job. */
  stopped: boolean;
  status?: string | undefined;
  versionTag?: { name: string; description: string; taggedAt: string | null } | undefined;
  /** What it changed in the version before; null for the oldest that Nomad keeps. */
  diff: SpecDiff | null;
};

export type JobVersions = {
  job: string;
  namespace: string;
  /** Newest first. */
  versions: JobVersion[];
  /** When Nomad was asked. */
  readAt: string;
};
