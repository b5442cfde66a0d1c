import { z } from "zod";
import { ENRICHMENTS } from "../schemas/enrichment-schema.ts";
import { CORE_TYPES } from "../schemas/resources.ts";
import { HEADER_NAME } from "../schemas/destinations/fields.ts";
import { otelDuration, otlpAddress, pairs, share } from "../schemas/telemetry-types.ts";
import { LOG_LEVELS } from "../telemetry/logger.ts";
import {
  addresses,
  choice,
  count,
  duration,
  feedLocation,
  hostAndPort,
  limit,
  list,
  size,
  text,
  toggle,
  type ValueType,
} from "../schemas/value-types.ts";
import { resourceList } from "./resource-list.ts";

/**
 * One option, defined once: its key in OPTIONS gives the flag (`nomadMaxStale` → `--nomad-max-stale`), the
 * key in the file (`nomad-max-stale`) and, where Nomad has no name for it, the variable
 * (`NCF_NOMAD_MAX_STALE`); the rest stands here.
 */
export interface OptionDefinition<Value = unknown> {
  readonly group: OptionGroup;
  readonly type: ValueType<Value>;
  /** As an operator would write it. Absent: the option has no value unless given. */
  readonly default?: string;
  /** Name of the variable, where it is not `NCF_` and the flag's name. */
  readonly env?: string;
  readonly help: string;
  /** Never shown, logged or quoted in an error. */
  readonly secret?: true;
  /** A variable that cannot be read is ignored with a warning, not refused. */
  readonly lenientVariable?: true;
  /** Given by flag or variable only. */
  readonly notInFile?: true;
}

export const OPTION_GROUPS = [
  "Nomad",
  "What to watch",
  "Log",
  "Server",
  "Stand-in for Nomad",
  "Telemetry",
  "Output",
] as const;
type OptionGroup = (typeof OPTION_GROUPS)[number];

type Defined<Value, Definition extends { default?: string }> = Definition & OptionDefinition<Value>;

function option<Value, const Definition extends Omit<OptionDefinition, "type">>(
  type: ValueType<Value>,
  definition: Definition,
): Defined<Value, Definition> {
  return { type, ...definition };
}

const AUTH_WAYS = ["none", "tokens", "nomad"] as const;

const TELEMETRY_SIGNALS = ["traces", "metrics"] as const;

const nonEmpty = z.string().min(1);

export const OPTIONS = {
  nomadAddr: option(addresses(), {
    group: "Nomad",
    env: "NOMAD_ADDR",
    default: "http://127.0.0.1:4646",
    help: "address of a Nomad agent, or several of one region: tried in turn when one fails",
  }),
  nomadRegion: option(text("<name>"), {
    group: "Nomad",
    env: "NOMAD_REGION",
    help: "region to ask for; without it, the agent's own",
  }),
  regions: option(choice(["one", "all"]), {
    group: "Nomad",
    default: "one",
    help: "all: a feed for each federated region, found as they come and go; each has a log of its own beside --feed (docs/feeds.md)",
  }),
  nomadToken: option(text("<token>"), {
    group: "Nomad",
    env: "NOMAD_TOKEN",
    secret: true,
    help: "ACL token or workload identity (in a flag it shows in process lists: prefer the file)",
  }),
  nomadTokenFile: option(text("<path>"), {
    group: "Nomad",
    env: "NOMAD_TOKEN_FILE",
    help: "file with the token, read again when it changes; goes before a token from the same or a weaker source",
  }),
  nomadHttpAuth: option(text("<user:password>"), {
    group: "Nomad",
    env: "NOMAD_HTTP_AUTH",
    secret: true,
    help: "basic authentication, for a proxy in front of Nomad",
  }),
  nomadCaCert: option(text("<path>"), {
    group: "Nomad",
    env: "NOMAD_CACERT",
    help: "PEM file of the authority that signed Nomad's certificate",
  }),
  nomadCaPath: option(text("<path>"), {
    group: "Nomad",
    env: "NOMAD_CAPATH",
    help: "directory of such PEM files",
  }),
  nomadClientCert: option(text("<path>"), {
    group: "Nomad",
    env: "NOMAD_CLIENT_CERT",
    help: "PEM file of our certificate, where Nomad asks for one",
  }),
  nomadClientKey: option(text("<path>"), {
    group: "Nomad",
    env: "NOMAD_CLIENT_KEY",
    help: "PEM file of its key",
  }),
  nomadTlsServerName: option(text("<name>"), {
    group: "Nomad",
    env: "NOMAD_TLS_SERVER_NAME",
    help: "name to expect in Nomad's certificate, such as server.global.nomad",
  }),
  nomadSkipVerify: option(toggle(), {
    group: "Nomad",
    env: "NOMAD_SKIP_VERIFY",
    lenientVariable: true,
    default: "false",
    help: "do not verify Nomad's certificate",
  }),
  nomadUiUrl: option(
    text("<url>", {
      pattern: /^https?:\/\/[^\s/@?#]+(?:\/\S*)?$/,
      allowed: "an address such as https://nomad.example",
    }),
    { group: "Nomad", env: "NCF_NOMAD_UI_URL", help: "address of Nomad's UI, to which alerts then link" },
  ),
  nomadCompression: option(choice(["auto", "gzip", "none"]), {
    group: "Nomad",
    default: "auto",
    help: "of lists on their way; auto: gzip, but not from an agent on this machine",
  }),
  nomadConsistency: option(choice(["default", "stale"]), {
    group: "Nomad",
    default: "default",
    help: "stale: let any server answer, which spares the leader",
  }),
  nomadMaxStale: option(duration({ minMs: 100, maxMs: 600_000 }), {
    group: "Nomad",
    default: "5s",
    help: "with stale: how long the answering server may have been without its leader",
  }),
  cluster: option(
    text("<name>", {
      pattern: /^[A-Za-z0-9][A-Za-z0-9._-]*$/,
      allowed: "letters, digits, dots, dashes and underscores",
    }),
    {
      group: "What to watch",
      default: "nomad",
      help: "name of the cluster in every event's source, nomad://<cluster>/<region>",
    },
  ),
  resources: option(resourceList(), {
    group: "What to watch",
    default: CORE_TYPES.join(","),
    help: "kinds of Nomad objects to watch, or groups of kinds, comma between; docs/concepts.md lists them",
  }),
  namespaces: option(
    list("<names>", { schema: nonEmpty, allowed: "names of namespaces, comma between, or * for all" }),
    {
      group: "What to watch",
      default: "*",
      help: "namespaces to watch; *: all the token may read, found as they come and go. NOMAD_NAMESPACE is not read: inside a Nomad task it would silently narrow the feed to the task's own",
    },
  ),
  baseline: option(choice(["marker", "events"]), {
    group: "What to watch",
    default: "marker",
    help: "first sight of a scope: one marker event, or one snapshot event for each object",
  }),
  wait: option(duration({ minMs: 1000, maxMs: 240_000 }), {
    group: "What to watch",
    default: "50s",
    help: "how long Nomad may hold a query that has nothing new; Nomad adds up to a sixteenth, and many proxies end what is silent for 60 s",
  }),
  reading: option(choice(["auto", "lists", "hinted"]), {
    group: "What to watch",
    default: "auto",
    help: "lists: read the whole list at each change; hinted: follow Nomad's event stream to the objects that changed, and read the whole list rarely; auto: hinted where a list is large and the stream may be read",
  }),
  pollEvery: option(duration({ minMs: 1000, maxMs: 600_000 }), {
    group: "What to watch",
    default: "10s",
    help: "how often to read what Nomad has no index of: servers, autopilot, scheduler, license",
  }),
  fullEvery: option(duration({ minMs: 10_000, maxMs: 86_400_000 }), {
    group: "What to watch",
    default: "5m",
    help: "how often a whole list is read at least, and held to what the feed has told of it; a scope read by hints reads a cheap list more often, up to every 15 s",
  }),
  enrich: option(list("<what>", { schema: z.enum(ENRICHMENTS), allowed: ENRICHMENTS.join(", ") }), {
    group: "What to watch",
    help: "what to find out beside the lists, at most 20 times a second; an event waits 3 s at most, and then goes without. actor: who registered each new version of a job; names of tokens need a management token. spec: what each new version of a job changed in its specification, without what may be a secret; needs read-job. With actor or spec, versions that no poll saw are events too. logs: what a task wrote last to stderr before it failed, 20 lines and 4 KiB at most; needs read-logs. Logs may hold secrets: whoever may see the event of an allocation sees them, with read-job alone; redact by patterns. node: a node's own events, and what changed in its attributes and meta since it was read last; needs node:read",
  }),
  recordFrames: option(text("<path>"), {
    group: "What to watch",
    help: "file for the frames of Nomad's event stream, word for word, one a line, with all that their jobs say, secrets too; it has a second one beside it, <path>.1. The worker that follows the stream writes it",
  }),
  recordFramesBytes: option(size({ minBytes: 64 * 2 ** 10 }), {
    group: "What to watch",
    default: "256MiB",
    help: "size of the two files together; a full one takes the place of the one before",
  }),
  maxConnections: option(count({ min: 2, max: 10_000 }), {
    group: "What to watch",
    default: "80",
    help: "queries held open at once; Nomad allows 100 connections from one address by default",
  }),
  maxEventBytes: option(size({ minBytes: 4096, maxBytes: 16 * 2 ** 20 }), {
    group: "What to watch",
    default: "64KiB",
    help: "a larger event leaves its object out and says where to read it",
  }),
  feed: option(feedLocation(), {
    group: "Log",
    default: "sqlite:./nomad-changefeed.db",
    help: "where the log is kept",
  }),
  redisDurability: option(choice(["async", "replica", "fsync"]), {
    group: "Log",
    default: "async",
    help: "in Redis, a commit waits until Redis has it, until a replica has it too, or until it is forced to the disk (appendfsync always)",
  }),
  redisStreams: option(choice(["one", "per-resource"]), {
    group: "Log",
    default: "one",
    help: "in Redis, per-resource writes each event to a stream of its resource too, for consumers that want no more",
  }),
  workers: option(choice(["local", "redis"]), {
    group: "Log",
    default: "local",
    help: "local: this process does everything; redis: all processes that are started so share the work of one feed in Redis",
  }),
  workerTimeout: option(duration({ minMs: 1000, maxMs: 600_000 }), {
    group: "Log",
    default: "10s",
    help: "with --workers redis: one that says nothing for so long is taken for dead; others have its work after at most twice that",
  }),
  retentionEvents: option(limit(count()), {
    group: "Log",
    default: "none",
    help: "keep at most so many events",
  }),
  retentionBytes: option(limit(size({ minBytes: 1 })), {
    group: "Log",
    default: "4GiB",
    help: "keep at most so many bytes of events",
  }),
  retentionAge: option(limit(duration()), {
    group: "Log",
    default: "30d",
    help: "keep events at most so long",
  }),
  retentionAfter: option(text("<destination>"), {
    group: "Log",
    help: "keep events until this destination has them, such as the audit trail; at most up to twice each limit above",
  }),
  metricsMaxJobs: option(count({ min: 0, max: 100_000 }), {
    group: "Server",
    default: "1000",
    help: "jobs, and nodes, that /metrics counts each by itself; what is beyond is counted together, as `other`. 0: none is counted",
  }),
  listen: option(hostAndPort(), {
    group: "Server",
    default: "127.0.0.1:4650",
    help: "where subscribers connect",
  }),
  insecureNoAuth: option(toggle(), {
    group: "Server",
    default: "false",
    help: "serve everyone who can reach a --listen address that is not loopback, without authentication",
  }),
  auth: option(list("<ways>", { schema: z.enum(AUTH_WAYS), allowed: "none; or tokens, nomad, or both" }), {
    group: "Server",
    default: "none",
    help: "who may subscribe: none asks nobody; tokens: those of --auth-tokens-file; nomad: the subscriber's own Nomad token, which sees here what it may list there",
  }),
  authTokensFile: option(text("<path>"), {
    group: "Server",
    help: "YAML or JSON file of tokens, each with its namespaces and resources (docs/access.md); read again when it changes",
  }),
  openRoutes: option(
    list("<routes>", { schema: z.enum(["metrics", "readyz"]), allowed: "metrics, readyz, comma between" }),
    {
      group: "Server",
      help: "routes that answer without a token where --auth asks for one; /healthz always does",
    },
  ),
  allowOrigin: option(
    list("<origins>", {
      schema: z.string().regex(/^(\*|https?:\/\/[^\s/,@]+)$/),
      allowed: "origins such as https://app.example, comma between, or * for all",
    }),
    {
      group: "Server",
      help: "origins of web pages that may read the feed; without it, only pages of this server's own host and port",
    },
  ),
  console: option(choice(["on", "off"]), {
    group: "Server",
    default: "on",
    help: "on: a browser that opens the server's address gets the web console; off: no page is served",
  }),
  tlsCert: option(text("<path>"), {
    group: "Server",
    help: "PEM file of the server's certificate and its chain: serve TLS; read again when it changes",
  }),
  tlsKey: option(text("<path>"), {
    group: "Server",
    help: "PEM file of the certificate's key",
  }),
  tlsClientCa: option(text("<path>"), {
    group: "Server",
    help: "PEM file of authorities: only clients with a certificate of theirs may connect, in addition to --auth",
  }),
  maxOpenConnections: option(count(), {
    group: "Server",
    help: "connections that all clients together may hold open (default: what the limit of open files leaves, less 256)",
  }),
  maxConnectionsPerToken: option(limit(count()), {
    group: "Server",
    default: "1000",
    help: "streams that one token may hold open",
  }),
  maxConnectionsPerAddress: option(limit(count()), {
    group: "Server",
    default: "1000",
    help: "connections that one client address may hold open; behind a proxy all its clients are one address",
  }),
  maxConsumersPerToken: option(limit(count()), {
    group: "Server",
    default: "100",
    help: "names of consumers that one token may make",
  }),
  maxConsumers: option(limit(count()), {
    group: "Server",
    default: "10000",
    help: "names of consumers that there may be in all",
  }),
  maxRequestsPerSecond: option(limit(count()), {
    group: "Server",
    default: "200",
    help: "requests that one client address may make, on average; twice as many at once",
  }),
  maxReadTime: option(duration({ minMs: 1000, maxMs: 3_600_000 }), {
    group: "Server",
    default: "30s",
    help: "work that one state, snapshot, page or history may cost the process, before it is ended; each works in slices of 2 ms",
  }),
  maxStates: option(limit(count()), {
    group: "Server",
    default: "100",
    help: "states and snapshots that may be read at once; each keeps its consistent read open",
  }),
  maxStatesPerToken: option(limit(count()), {
    group: "Server",
    default: "20",
    help: "states and snapshots that one token may read at once; without --auth, one client address",
  }),
  compat: option(choice(["off", "nomad-events"]), {
    group: "Stand-in for Nomad",
    default: "off",
    help: "nomad-events: serve Nomad's own /v1/event/stream at --compat-listen, from its frames recorded word for word, with days of history; all other paths are passed on to Nomad with the caller's token",
  }),
  compatListen: option(hostAndPort(), {
    group: "Stand-in for Nomad",
    default: "127.0.0.1:4651",
    help: "where clients of Nomad connect; with --tls-cert it serves TLS too",
  }),
  compatVersion: option(
    text("<version>", { pattern: /^\d+\.\d+\.\d+$/, allowed: "a version of Nomad such as 1.10.4" }),
    {
      group: "Stand-in for Nomad",
      help: "deny the stream as this version of Nomad does: an error before 1.11.2, 200 and the end since. Without it, as the Nomad that is asked",
    },
  ),
  compatReplay: option(choice(["buffer", "all"]), {
    group: "Stand-in for Nomad",
    default: "buffer",
    help: "what a client gets that names no index: the newest 100 frames, as Nomad's buffer has them, or all that are kept",
  }),
  compatExtra: option(choice(["off", "asked", "all"]), {
    group: "Stand-in for Nomad",
    default: "off",
    help: "frames of what Nomad's stream never tells and the feed knows: collected objects, those of purged jobs, namespaces. asked: for clients that add extra=true to their request; all: for those that do not say extra=false",
  }),
  compatLog: option(text("<path>"), {
    group: "Stand-in for Nomad",
    default: "./nomad-changefeed-frames.db",
    help: "SQLite file for the frames, with all that their jobs say, secrets too. Each process has one of its own",
  }),
  compatLogBytes: option(size({ minBytes: 2 ** 20 }), {
    group: "Stand-in for Nomad",
    default: "1GiB",
    help: "keep at most so many bytes of frames",
  }),
  compatLogAge: option(duration({ minMs: 60_000 }), {
    group: "Stand-in for Nomad",
    default: "7d",
    help: "keep frames at most so long",
  }),
  otlpEndpoint: option(otlpAddress(), {
    group: "Telemetry",
    env: "OTEL_EXPORTER_OTLP_ENDPOINT",
    help: "where traces and metrics are sent to by OTLP over HTTP, without /v1/traces and /v1/metrics, which follow: http://127.0.0.1:4318. Without it nothing is sent and nothing is loaded (docs/telemetry.md)",
  }),
  otlpSignals: option(
    list("<signals>", { schema: z.enum(TELEMETRY_SIGNALS), allowed: TELEMETRY_SIGNALS.join(", ") }),
    {
      group: "Telemetry",
      default: TELEMETRY_SIGNALS.join(","),
      help: "what is sent: traces from poll to delivery, the metrics of /metrics, or both",
    },
  ),
  otlpHeaders: option(pairs({ name: HEADER_NAME, mayBeSecret: true }), {
    group: "Telemetry",
    env: "OTEL_EXPORTER_OTLP_HEADERS",
    secret: true,
    help: "headers of each request, such as Authorization=env:OTLP_TOKEN. One whose name tells of a secret takes env:NAME or file:PATH only, but in the variable",
  }),
  otlpProtocol: option(choice(["http/protobuf", "http/json"], "<protocol>"), {
    group: "Telemetry",
    env: "OTEL_EXPORTER_OTLP_PROTOCOL",
    default: "http/protobuf",
    help: "how a request is written; there is no gRPC",
  }),
  otlpTraceRatio: option(share(), {
    group: "Telemetry",
    default: "1",
    help: "share of polls that are traced, each with the deliveries of its events",
  }),
  otlpMetricsEvery: option(otelDuration({ minMs: 1000, maxMs: 3_600_000 }), {
    group: "Telemetry",
    env: "OTEL_METRIC_EXPORT_INTERVAL",
    default: "1m",
    help: "how often metrics are sent",
  }),
  otlpServiceName: option(text("<name>"), {
    group: "Telemetry",
    env: "OTEL_SERVICE_NAME",
    default: "nomad-changefeed",
    help: "service.name of all that is sent",
  }),
  otlpAttributes: option(pairs({ name: /^[^\s,=]+$/ }), {
    group: "Telemetry",
    env: "OTEL_RESOURCE_ATTRIBUTES",
    help: "further attributes of the resource, such as deployment.environment.name=prod",
  }),
  otlpCaCert: option(text("<path>"), {
    group: "Telemetry",
    env: "OTEL_EXPORTER_OTLP_CERTIFICATE",
    help: "PEM file of the authority that signed the receiver's certificate",
  }),
  otlpClientCert: option(text("<path>"), {
    group: "Telemetry",
    env: "OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE",
    help: "PEM file of our certificate, where the receiver asks for one",
  }),
  otlpClientKey: option(text("<path>"), {
    group: "Telemetry",
    env: "OTEL_EXPORTER_OTLP_CLIENT_KEY",
    help: "PEM file of its key",
  }),
  logLevel: option(choice(LOG_LEVELS, "<level>"), {
    group: "Output",
    default: "info",
    help: `least level of log lines on stderr: ${LOG_LEVELS.join(", ")}`,
  }),
  logFormat: option(choice(["auto", "json", "pretty"]), {
    group: "Output",
    default: "auto",
    help: "auto: pretty on a terminal, else one JSON object a line",
  }),
  config: option(text("<path>"), {
    group: "Output",
    notInFile: true,
    help: "YAML file with any of these options, by the name of the flag without the dashes",
  }),
};

export type OptionName = keyof typeof OPTIONS;
export const OPTION_NAMES = Object.keys(OPTIONS) as OptionName[];

type TypeOf<Name extends OptionName> =
  (typeof OPTIONS)[Name] extends OptionDefinition<infer Value> ? Value : never;

/** The value of each option; undefined only where the option has no default. */
export type OptionValues = {
  readonly [Name in OptionName]: (typeof OPTIONS)[Name] extends { readonly default: string }
    ? TypeOf<Name>
    : TypeOf<Name> | undefined;
};

/** `nomadMaxStale` → `nomad-max-stale`: the flag without its dashes, and the key in the file. */
export function optionKey(name: OptionName): string {
  return name.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
}

export function optionFlag(name: OptionName): string {
  return `--${optionKey(name)}`;
}

export const ENV_PREFIX = "NCF_";

export function optionEnv(name: OptionName): string {
  const definition: OptionDefinition = OPTIONS[name];
  return definition.env ?? ENV_PREFIX + optionKey(name).replaceAll("-", "_").toUpperCase();
}
