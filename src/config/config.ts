import type { AlertsConfig } from "./alerts.ts";
import type { ToldConfig } from "../schemas/destinations/told.ts";
import type { DestinationConfig } from "../schemas/destinations/index.ts";
import type { EnrichmentName } from "../schemas/enrichment-schema.ts";
import type { RedactionRule } from "../schemas/redaction-schema.ts";
import type { ResourceType } from "../schemas/resources.ts";
import type { RouteSettings } from "../schemas/routes.ts";
import type { LogLevel } from "../telemetry/logger.ts";
import type { FeedLocation, HostAndPort } from "../schemas/value-types.ts";

/** The whole configuration, resolved once and checked: what the modules are built from. */
export interface Config {
  readonly nomad: NomadSettings;
  /** Whether each federated region is a feed of its own. */
  readonly regions: "one" | "all";
  /** `<cluster>` of the events' source `nomad://<cluster>/<region>`. */
  readonly cluster: string;
  /** Absent: alerts have no link. */
  readonly nomadUiUrl?: string;
  readonly resources: readonly ResourceType[];
  /** Names, or "*": every namespace the token may read. */
  readonly namespaces: "*" | readonly string[];
  readonly baseline: "marker" | "events";
  readonly waitMs: number;
  readonly reading: "auto" | "lists" | "hinted";
  readonly pollEveryMs: number;
  readonly fullEveryMs: number;
  /** What is found out beside the lists. */
  readonly enrich: readonly EnrichmentName[];
  /** Absent: no frame of the event stream is recorded. */
  readonly recordFrames?: { readonly path: string; readonly maxBytes: number };
  readonly maxConnections: number;
  readonly maxEventBytes: number;
  readonly feed: FeedLocation;
  /** Of a log in Redis. */
  readonly redis: {
    readonly durability: "async" | "replica" | "fsync";
    readonly streamPerResource: boolean;
  };
  /** Who does the work: this process, or all those that share it through the Redis of the log. */
  readonly workers: { readonly kind: "local" } | { readonly kind: "redis"; readonly timeoutMs: number };
  /** Absent: no limit of that kind. */
  readonly retention: {
    readonly maxEvents?: number;
    readonly maxBytes?: number;
    readonly maxAgeMs?: number;
  };
  /** Name of the destination that retention waits for. Absent: it waits for none. */
  readonly retentionAfter?: string;
  readonly listen: HostAndPort;
  /** Absent: nothing stands in for Nomad's event stream. */
  readonly compat?: CompatSettings;
  /** Whether browsers get the web console. */
  readonly console: boolean;
  readonly access: AccessSettings;
  /** The operator asked by name for serving a non-loopback address without authentication. */
  readonly insecureNoAuth: boolean;
  /** Where events are delivered to. */
  readonly destinations: readonly DestinationConfig[];
  /** Where alerts are told of. */
  readonly alertDestinations: readonly ToldConfig[];
  /** What must not leave the feed. */
  readonly redaction: readonly RedactionRule[];
  /** Null: none are made. */
  readonly alerts: AlertsConfig;
  /** How many jobs are counted each by itself; 0: none is counted. */
  readonly metricsMaxJobs: number;
  /** Who is told of which. */
  readonly routes: readonly RouteSettings[];
  /** Absent: nothing is sent by OTLP. */
  readonly telemetry?: TelemetrySettings;
  readonly log: { readonly level: LogLevel; readonly format: "auto" | "json" | "pretty" };
}

/** What stands in for Nomad's event stream. */
export interface CompatSettings {
  readonly listen: HostAndPort;
  /** Absent: as the Nomad that is asked. */
  readonly version?: string;
  readonly replay: "buffer" | "all";
  /** Who gets frames that Nomad never sends. */
  readonly extra: "off" | "asked" | "all";
  readonly log: { readonly path: string; readonly maxBytes: number; readonly maxAgeMs: number };
}

/** What is sent of the process itself, and where to. */
export interface TelemetrySettings {
  /** An address, or a reference to one; `/v1/traces` and `/v1/metrics` follow. */
  readonly endpoint: string;
  /** With references in place of secrets. */
  readonly headers: Readonly<Record<string, string>>;
  readonly traces: boolean;
  readonly metrics: boolean;
  readonly encoding: "protobuf" | "json";
  /** Of polls that are traced, 0 to 1. */
  readonly traceRatio: number;
  readonly metricsEveryMs: number;
  readonly serviceName: string;
  /** Of the resource, beside those that every process has. */
  readonly attributes: Readonly<Record<string, string>>;
  /** Paths of PEM files. */
  readonly tls: { readonly caCert?: string; readonly clientCert?: string; readonly clientKey?: string };
}

/** Who may subscribe, and how they connect. */
export interface AccessSettings {
  /** Absent: tokens of a file are not known. */
  readonly tokensFile?: string;
  /** Whether Nomad is asked what a token may see. */
  readonly askNomad: boolean;
  /** Routes that need no token. */
  readonly openRoutes: readonly ("metrics" | "readyz")[];
  /** Origins of pages; "*" for all. */
  readonly allowOrigins: readonly string[];
  /** Paths of PEM files. */
  readonly tls?: { readonly cert: string; readonly key: string; readonly clientCa?: string };
  /** What may be asked of the log at once. */
  readonly reads: {
    readonly maxTimeMs: number;
    readonly maxStates: number;
    readonly maxStatesPerHolder: number;
  };
  /** Absent: no limit of that kind. */
  readonly limits: {
    /** Of everybody. */
    readonly connections?: number;
    readonly connectionsPerToken?: number;
    readonly connectionsPerAddress?: number;
    readonly requestsPerSecond?: number;
  };
  /** How many names of consumers there may be. Absent: no limit of that kind. */
  readonly consumerLimits: { readonly perToken?: number; readonly total?: number };
}

/** How to reach Nomad, as given: files are not read and addresses not taken apart yet. */
export interface NomadSettings {
  readonly addresses: readonly string[];
  readonly region?: string;
  /** Absent where `tokenFile` goes before it. */
  readonly token?: string;
  readonly tokenFile?: string;
  readonly httpAuth?: string;
  readonly caCert?: string;
  readonly caPath?: string;
  readonly clientCert?: string;
  readonly clientKey?: string;
  readonly tlsServerName?: string;
  readonly skipVerify: boolean;
  readonly consistency: "default" | "stale";
  readonly compression: "auto" | "gzip" | "none";
  readonly maxStaleMs: number;
}
