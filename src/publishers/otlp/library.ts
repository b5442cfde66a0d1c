import { loadPeer } from "../load-peer.ts";

const PACKAGES = ["@opentelemetry/otlp-transformer@0.301"];

type OtlpLibrary = Awaited<ReturnType<typeof load>>;
type Serializers = ReturnType<typeof serializersOf>;
/** Writes requests and reads answers, in one of the two encodings of OTLP. */
export type LogsSerializer = Serializers["logs"];
export type LogRecord = Parameters<LogsSerializer["serializeRequest"]>[0][number];

/** `what` needs it: "A destination of type otlp". @throws where it is not installed, saying how to install it */
export function otlpLibrary(what: string): Promise<OtlpLibrary> {
  return loadPeer({ what, packages: PACKAGES }, load);
}

export function serializersOf(library: OtlpLibrary, encoding: "protobuf" | "json") {
  return encoding === "protobuf"
    ? {
        logs: library.ProtobufLogsSerializer,
        traces: library.ProtobufTraceSerializer,
        metrics: library.ProtobufMetricsSerializer,
      }
    : {
        logs: library.JsonLogsSerializer,
        traces: library.JsonTraceSerializer,
        metrics: library.JsonMetricsSerializer,
      };
}

function load() {
  return import("@opentelemetry/otlp-transformer");
}
