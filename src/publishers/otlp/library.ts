import { loadPeer } from "../load-peer.ts";

const PEER = { type: "otlp", packages: ["@opentelemetry/otlp-transformer@0.301"] };

type OtlpLibrary = Awaited<ReturnType<typeof load>>;
/** Writes requests and reads answers, in one of the two encodings of OTLP. */
export type LogsSerializer = OtlpLibrary["ProtobufLogsSerializer"];
export type LogRecord = Parameters<LogsSerializer["serializeRequest"]>[0][number];

/** @throws where it is not installed, saying how to install it */
export async function logsSerializer(encoding: "protobuf" | "json"): Promise<LogsSerializer> {
  const { ProtobufLogsSerializer, JsonLogsSerializer } = await loadPeer(PEER, load);
  return encoding === "protobuf" ? ProtobufLogsSerializer : JsonLogsSerializer;
}

function load() {
  return import("@opentelemetry/otlp-transformer");
}
