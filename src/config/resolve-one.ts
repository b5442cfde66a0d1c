import { didYouMean } from "../schemas/nearest.ts";
import { isLoopback } from "../shared/loopback.ts";
import { quoted } from "../shared/quoted.ts";
import { alertsOf } from "./alerts.ts";
import type { AccessSettings, CompatSettings, Config, NomadSettings } from "./config.ts";
import { defined } from "./defined.ts";
import type { FilterLanguage } from "./conditions.ts";
import { destinationsOf, namesForPeople } from "./destinations.ts";
import { ConfigInvalid } from "./errors.ts";
import { OPTION_NAMES, type OptionName, type OptionValues } from "./options.ts";
import { redactionOf } from "./redaction.ts";
import { routesOf } from "./routes.ts";
import { secretReader } from "./secrets.ts";
import { telemetryConflicts, telemetryOf } from "./telemetry.ts";
import {
  ORIGIN_KINDS,
  readOptions,
  type FileOptions,
  type Given,
  type Origin,
  type ReadOptions,
} from "./sources.ts";

export interface ResolvedOne extends ReadOptions<OptionName> {
  readonly config: Config;
}

/** The configuration of one feed. @throws ConfigInvalid */
export function resolveOne(given: Given, file: FileOptions | undefined): ResolvedOne {
  const read = readOptions(OPTION_NAMES, given, file);
  const readers = { language: given.language ?? NO_LANGUAGE, readSecret: secretReader(given.env) };
  const { destinations, alertDestinations, ...delivery } = destinationsOf(
    read.sections.get("destinations"),
    readers,
  );
  const { redaction, ...redacting } = redactionOf(read.sections.get("redaction"), readers.language);
  const { alerts, ...alerting } = alertsOf(read.sections.get("alerts"));
  const { routes, ...routing } = routesOf(
    read.sections.get("routes"),
    namesForPeople(read.sections.get("destinations")),
  );
  const problems = [
    ...conflicts(read.values),
    ...telemetryConflicts(read),
    ...delivery.problems,
    ...redacting.problems,
    ...alerting.problems,
    ...routing.problems,
  ];
  // What is wrong with the destinations comes first: then it is not known which there are.
  if (delivery.problems.length === 0) problems.push(...retentionProblems(read.values, destinations));
  if (problems.length > 0) throw new ConfigInvalid(problems);
  return {
    ...read,
    config: {
      ...nest(read.values, read.origins),
      destinations,
      alertDestinations,
      redaction,
      alerts,
      routes,
    },
  };
}

const nobody = () => {
  throw new Error("nobody handed in what filters are read with");
};
const NO_LANGUAGE: FilterLanguage = { signals: [], compileFilter: nobody, problemOfPattern: nobody };

/** What no single option can say of itself. */
function conflicts(values: OptionValues): string[] {
  const problems: string[] = [];
  if ((values.nomadClientCert === undefined) !== (values.nomadClientKey === undefined)) {
    problems.push("--nomad-client-cert and --nomad-client-key: give both or neither");
  }
  if (values.namespaces.includes("*") && values.namespaces.length > 1) {
    problems.push("--namespaces: * already means all; give * alone, or names");
  }
  if (values.workers === "redis" && values.feed.kind !== "redis") {
    problems.push(
      "--workers: redis shares the work of a feed in Redis; give its address with --feed redis://…, or use local",
    );
  }
  return [...problems, ...regionConflicts(values), ...accessConflicts(values)];
}

/** What each region would need of its own and cannot have. */
function regionConflicts(values: OptionValues): string[] {
  if (values.regions === "one") return [];
  const problems: string[] = [];
  if (values.nomadRegion !== undefined) {
    problems.push("--regions: all means each region, and --nomad-region names one; give one of the two");
  }
  if (values.feed.kind !== "sqlite") {
    problems.push(
      "--regions: all keeps a file for each region; give --feed sqlite:…, or name the regions in feeds:",
    );
  }
  if (values.compat !== "off" || values.recordFrames !== undefined) {
    problems.push(
      "--regions: with all, --compat and --record-frames have no port and no file for each; name the regions in feeds:",
    );
  }
  return problems;
}

function retentionProblems(
  { retentionAfter }: OptionValues,
  destinations: readonly { readonly name: string }[],
): string[] {
  const names = destinations.map(({ name }) => name);
  if (retentionAfter === undefined || names.includes(retentionAfter)) return [];
  const allowed =
    names.length === 0
      ? "the configuration file has no destination that gets events"
      : `allowed: ${names.join(", ")}`;
  const near = didYouMean(retentionAfter, names);
  return [
    `--retention-after: there is no destination ${quoted(retentionAfter)} that gets events${near}; ${allowed}`,
  ];
}

function accessConflicts(values: OptionValues): string[] {
  const { auth, authTokensFile, tlsCert, tlsKey, tlsClientCa, listen } = values;
  const problems: string[] = [];
  if (auth.includes("none") && auth.length > 1) {
    problems.push("--auth: none asks nobody; give none alone, or tokens, nomad or both");
  }
  if (auth.includes("tokens") && authTokensFile === undefined) {
    problems.push("--auth: tokens needs --auth-tokens-file, the file with the tokens");
  }
  if (!auth.includes("tokens") && authTokensFile !== undefined) {
    problems.push("--auth-tokens-file: nobody asks for its tokens; add tokens to --auth");
  }
  if ((tlsCert === undefined) !== (tlsKey === undefined)) {
    problems.push("--tls-cert and --tls-key: give both or neither");
  }
  if (tlsClientCa !== undefined && tlsCert === undefined) {
    problems.push("--tls-client-ca: needs --tls-cert and --tls-key");
  }
  if (!isLoopback(listen.host) && !values.insecureNoAuth && auth.includes("none")) {
    problems.push(
      `--listen: ${listen.host} can be reached from outside this machine, and subscribers are not ` +
        "authenticated; say who may subscribe with --auth, listen on 127.0.0.1, or say --insecure-no-auth",
    );
  }
  return problems;
}

function nest(
  values: OptionValues,
  origins: Readonly<Record<OptionName, Origin>>,
): Omit<Config, "destinations" | "alertDestinations" | "redaction" | "alerts" | "routes"> {
  const { retentionEvents, retentionBytes, retentionAge } = values;
  return {
    nomad: nestNomad(values, tokenFileWins(values, origins)),
    regions: values.regions,
    cluster: values.cluster,
    ...(values.nomadUiUrl === undefined ? {} : { nomadUiUrl: values.nomadUiUrl }),
    resources: values.resources,
    namespaces: values.namespaces.includes("*") ? "*" : values.namespaces,
    baseline: values.baseline,
    waitMs: values.wait,
    reading: values.reading,
    pollEveryMs: values.pollEvery,
    fullEveryMs: values.fullEvery,
    enrich: values.enrich ?? [],
    ...(values.recordFrames === undefined
      ? {}
      : { recordFrames: { path: values.recordFrames, maxBytes: values.recordFramesBytes } }),
    maxConnections: values.maxConnections,
    maxEventBytes: values.maxEventBytes,
    feed: values.feed,
    redis: {
      durability: values.redisDurability,
      streamPerResource: values.redisStreams === "per-resource",
    },
    workers:
      values.workers === "redis" ? { kind: "redis", timeoutMs: values.workerTimeout } : { kind: "local" },
    retention: {
      ...(retentionEvents === null ? {} : { maxEvents: retentionEvents }),
      ...(retentionBytes === null ? {} : { maxBytes: retentionBytes }),
      ...(retentionAge === null ? {} : { maxAgeMs: retentionAge }),
    },
    ...(values.retentionAfter === undefined ? {} : { retentionAfter: values.retentionAfter }),
    listen: values.listen,
    ...(values.compat === "off" ? {} : { compat: nestCompat(values) }),
    metricsMaxJobs: values.metricsMaxJobs,
    console: values.console === "on",
    access: nestAccess(values),
    insecureNoAuth: values.insecureNoAuth,
    ...telemetryOf(values),
    log: { level: values.logLevel, format: values.logFormat },
  };
}

function nestCompat(values: OptionValues): CompatSettings {
  const { compatListen: listen, compatVersion: version, compatReplay: replay, compatExtra: extra } = values;
  const { compatLog: path, compatLogBytes: maxBytes, compatLogAge: maxAgeMs } = values;
  return {
    listen,
    ...(version !== undefined && { version }),
    replay,
    extra,
    log: { path, maxBytes, maxAgeMs },
  };
}

function nestAccess(values: OptionValues): AccessSettings {
  const { auth, authTokensFile, tlsCert: cert, tlsKey: key, tlsClientCa: clientCa } = values;
  const { maxConnectionsPerToken, maxConnectionsPerAddress, maxRequestsPerSecond } = values;
  const { maxConsumersPerToken, maxConsumers } = values;
  return {
    ...(authTokensFile === undefined ? {} : { tokensFile: authTokensFile }),
    askNomad: auth.includes("nomad"),
    openRoutes: values.openRoutes ?? [],
    allowOrigins: values.allowOrigin ?? [],
    ...(cert === undefined || key === undefined
      ? {}
      : { tls: { cert, key, ...(clientCa === undefined ? {} : { clientCa }) } }),
    reads: {
      maxTimeMs: values.maxReadTime,
      maxStates: values.maxStates ?? Number.POSITIVE_INFINITY,
      maxStatesPerHolder: values.maxStatesPerToken ?? Number.POSITIVE_INFINITY,
    },
    limits: {
      ...(values.maxOpenConnections === undefined ? {} : { connections: values.maxOpenConnections }),
      ...(maxConnectionsPerToken === null ? {} : { connectionsPerToken: maxConnectionsPerToken }),
      ...(maxConnectionsPerAddress === null ? {} : { connectionsPerAddress: maxConnectionsPerAddress }),
      ...(maxRequestsPerSecond === null ? {} : { requestsPerSecond: maxRequestsPerSecond }),
    },
    consumerLimits: {
      ...(maxConsumersPerToken === null ? {} : { perToken: maxConsumersPerToken }),
      ...(maxConsumers === null ? {} : { total: maxConsumers }),
    },
  };
}

function nestNomad(values: OptionValues, useTokenFile: boolean): NomadSettings {
  return {
    addresses: values.nomadAddr,
    skipVerify: values.nomadSkipVerify,
    consistency: values.nomadConsistency,
    compression: values.nomadCompression,
    maxStaleMs: values.nomadMaxStale,
    ...defined({
      region: values.nomadRegion,
      token: useTokenFile ? undefined : values.nomadToken,
      tokenFile: useTokenFile ? values.nomadTokenFile : undefined,
      httpAuth: values.nomadHttpAuth,
      caCert: values.nomadCaCert,
      caPath: values.nomadCaPath,
      clientCert: values.nomadClientCert,
      clientKey: values.nomadClientKey,
      tlsServerName: values.nomadTlsServerName,
    }),
  };
}

/**
 * Inside a Nomad task both may be there: a file that Nomad renews, and a variable that it does not. So of two
 * from equally strong sources the file is used.
 */
function tokenFileWins(values: OptionValues, origins: Readonly<Record<OptionName, Origin>>): boolean {
  if (values.nomadTokenFile === undefined) return false;
  if (values.nomadToken === undefined) return true;
  return rank(origins.nomadTokenFile) <= rank(origins.nomadToken);
}

/** 0 is the strongest source. */
function rank(origin: Origin): number {
  return ORIGIN_KINDS.indexOf(origin.kind);
}
