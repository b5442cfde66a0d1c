import { randomUUID } from "node:crypto";
import { hostname } from "node:os";
import type { Config, TelemetrySettings } from "../config/config.ts";
import { HiddenTexts } from "../publishers/hidden.ts";
import { failureOf } from "../publishers/http-client/answer.ts";
import { otlpLibrary, serializersOf } from "../publishers/otlp/library.ts";
import { OtlpRequests } from "../publishers/otlp/requests.ts";
import { resultOf } from "../publishers/otlp/result.ts";
import { isOfProcess, type Metrics } from "../telemetry/metrics.ts";
import type { Exported } from "../telemetry/otlp/exported.ts";
import type { Post, Telemetry } from "../telemetry/otlp/telemetry.ts";
import type { SpanAttributes, Tracer } from "../telemetry/tracing.ts";
import type { BridgeDeps } from "./overrides.ts";
import { packageVersion } from "./own-package.ts";
import type { Parts } from "./parts.ts";

const REASON_LENGTH = 300;

type Reader = Parameters<typeof resultOf>[1];

interface ProcessTelemetryDeps extends Pick<BridgeDeps, "clock" | "random" | "readSecret" | "loggers"> {
  readonly metrics: Pick<Metrics, "otlpSpans" | "otlpFailures">;
}

/** What a process sends of itself. */
type ProcessTelemetry = Pick<Telemetry, "tracer" | "measure">;

/** What is sent of one feed of it. */
export interface FeedTelemetry {
  /** `attributes`: of each of its traces. */
  tracer(attributes: SpanAttributes): Tracer | undefined;
  /** Its metrics are sent until the returned function is called. `refresh` brings them up to date. */
  measure(refresh: () => Promise<void>): () => void;
}

/** Of the feed of a bridge: by the process that serves it among others, or by itself. */
export async function telemetryOfFeed(
  { telemetry, cluster }: Pick<Config, "telemetry" | "cluster">,
  deps: ProcessTelemetryDeps &
    Pick<BridgeDeps, "telemetry"> & { readonly metrics: Pick<Metrics, "registry"> },
  parts: Parts,
): Promise<FeedTelemetry | undefined> {
  const { registry } = deps.metrics;
  const shared = deps.telemetry;
  if (shared === undefined) {
    const alone = await telemetryOf(telemetry, deps, parts, { "nomad.cluster": cluster });
    return (
      alone && {
        tracer: (attributes) => alone.tracer(attributes),
        measure: (refresh) => alone.measure({ registry, attributes: {}, refresh }),
      }
    );
  }
  const { process, feed } = shared;
  const includes = (name: string) => !isOfProcess(name);
  return (
    process && {
      tracer: (attributes) => process.tracer({ ...attributes, "changefeed.feed": feed }),
      measure: (refresh) => process.measure({ registry, includes, attributes: { feed }, refresh }),
    }
  );
}

/** Of a process that serves several feeds, which tell of themselves; its own metrics are among what it sends. */
export async function telemetryOfFeeds(
  { telemetry }: Pick<Config, "telemetry">,
  deps: ProcessTelemetryDeps & { readonly metrics: Pick<Metrics, "registry"> },
  parts: Parts,
): Promise<ProcessTelemetry | undefined> {
  const process = await telemetryOf(telemetry, deps, parts);
  process?.measure({ registry: deps.metrics.registry, includes: isOfProcess, attributes: {} });
  return process;
}

/**
 * Undefined where nothing is to be sent: then nothing of it is loaded either.
 * @param attributes of the resource, beside those of every process
 * @throws where the library is not installed, or what is wrong with a secret or a TLS file
 */
async function telemetryOf(
  telemetry: Config["telemetry"],
  deps: ProcessTelemetryDeps,
  parts: Parts,
  attributes: Readonly<Record<string, string>> = {},
): Promise<Telemetry | undefined> {
  if (telemetry === undefined) return undefined;
  const { traces, metrics, encoding, traceRatio: ratio, metricsEveryMs: everyMs } = telemetry;
  const serializers = serializersOf(await otlpLibrary("--otlp-endpoint"), encoding);
  const { Telemetry } = await import("../telemetry/otlp/telemetry.ts");
  const common = { ...deps, logger: deps.loggers.bridge };
  const route = <Serializer extends Reader>(serializer: Serializer, path: string) => {
    const requests = parts.use(new OtlpRequests(requestsOf(telemetry), common, path));
    return { serializer, post: postTo(requests, serializer) };
  };
  return parts.use(
    new Telemetry({
      ...common,
      resource: { ...resourceOf(telemetry), ...attributes },
      ...(traces && { traces: { ...route(serializers.traces, "/v1/traces"), ratio } }),
      ...(metrics && { measures: { ...route(serializers.metrics, "/v1/metrics"), everyMs } }),
    }),
  );
}

function requestsOf({ endpoint, headers, encoding, tls }: TelemetrySettings) {
  return { endpoint, headers, encoding, compression: "gzip", tls, allowPrivate: true } as const;
}

/** What the receiver repeats in its answer may hold what we sent. */
function postTo(requests: OtlpRequests, reader: Reader): Post {
  const hidden = new HiddenTexts(requests.secrets);
  const shown = (result: ReturnType<typeof resultOf>): Exported =>
    result.outcome === "ok"
      ? result
      : { ...result, reason: `${requests.origin}: ${hidden.show(result.reason, REASON_LENGTH, false)}` };
  return async (body, signal) => {
    try {
      return shown(resultOf(await requests.post(body, signal), reader));
    } catch (error) {
      signal.throwIfAborted();
      return shown(failureOf(error));
    }
  };
}

/** By the names of OpenTelemetry's semantic conventions, where they have one. */
function resourceOf({ serviceName, attributes }: TelemetrySettings) {
  return {
    "service.version": packageVersion(),
    "service.instance.id": randomUUID(),
    "host.name": hostname(),
    "process.pid": process.pid,
    ...attributes,
    "service.name": serviceName,
  };
}
