import protobuf from "protobufjs";

/** Of OpenTelemetry's protocol 1.x (opentelemetry-proto: collector/logs/v1, logs/v1, resource/v1, common/v1), what logs need. */
const PROTO = `
  syntax = "proto3";
  message ExportLogsServiceRequest { repeated ResourceLogs resource_logs = 1; }
  message ExportLogsServiceResponse { ExportLogsPartialSuccess partial_success = 1; }
  message ExportLogsPartialSuccess { int64 rejected_log_records = 1; string error_message = 2; }
  message Status { int32 code = 1; string message = 2; }
  message ResourceLogs { Resource resource = 1; repeated ScopeLogs scope_logs = 2; string schema_url = 3; }
  message Resource { repeated KeyValue attributes = 1; uint32 dropped_attributes_count = 2; }
  message ScopeLogs { InstrumentationScope scope = 1; repeated LogRecord log_records = 2; string schema_url = 3; }
  message InstrumentationScope { string name = 1; string version = 2; }
  message LogRecord {
    fixed64 time_unix_nano = 1;
    fixed64 observed_time_unix_nano = 11;
    int32 severity_number = 2;
    string severity_text = 3;
    AnyValue body = 5;
    repeated KeyValue attributes = 6;
    uint32 dropped_attributes_count = 7;
    fixed32 flags = 8;
    bytes trace_id = 9;
    bytes span_id = 10;
    string event_name = 12;
  }
  message KeyValue { string key = 1; AnyValue value = 2; }
  message ArrayValue { repeated AnyValue values = 1; }
  message KeyValueList { repeated KeyValue values = 1; }
  message AnyValue {
    oneof value {
      string string_value = 1;
      bool bool_value = 2;
      int64 int_value = 3;
      double double_value = 4;
      ArrayValue array_value = 5;
      KeyValueList kvlist_value = 6;
      bytes bytes_value = 7;
    }
  }
`;
const root = protobuf.parse(PROTO).root;

/** A log record as a receiver has it. */
export interface LogRecord {
  readonly timeUnixNano: string;
  readonly observedTimeUnixNano: string;
  readonly severityNumber: number;
  readonly severityText: string;
  readonly eventName: string;
  readonly body: unknown;
  readonly attributes: Readonly<Record<string, unknown>>;
  readonly resource: Readonly<Record<string, unknown>>;
}

/** The records of a request, in either encoding. */
export function logRecordsOf(body: Buffer, contentType: string): LogRecord[] {
  const request =
    contentType === "application/json" ? (JSON.parse(body.toString()) as Request) : decoded(body);
  return request.resourceLogs.flatMap(({ resource, scopeLogs }) =>
    scopeLogs.flatMap(({ logRecords }) =>
      logRecords.map((record) => ({
        ...record,
        body: valueOf(record.body),
        attributes: valuesOf(record.attributes),
        resource: valuesOf(resource.attributes),
      })),
    ),
  );
}

/** Bytes of a message of the protocol: `ExportLogsServiceResponse`, `Status`. */
export function encoded(type: string, message: object): Buffer {
  const found = root.lookupType(type);
  return Buffer.from(found.encode(found.fromObject(message)).finish());
}

interface Request {
  readonly resourceLogs: readonly {
    readonly resource: { readonly attributes: readonly KeyValue[] };
    readonly scopeLogs: readonly { readonly logRecords: readonly WireRecord[] }[];
  }[];
}
type WireRecord = Omit<LogRecord, "body" | "attributes" | "resource"> & {
  readonly body: AnyValue;
  readonly attributes: readonly KeyValue[];
};
interface KeyValue {
  readonly key: string;
  readonly value: AnyValue;
}
type AnyValue = { readonly arrayValue?: { readonly values: readonly AnyValue[] } } & Readonly<
  Record<string, unknown>
>;

function decoded(body: Buffer): Request {
  const type = root.lookupType("ExportLogsServiceRequest");
  return type.toObject(type.decode(body), { longs: String, arrays: true }) as Request;
}

function valuesOf(attributes: readonly KeyValue[]): Record<string, unknown> {
  return Object.fromEntries(attributes.map(({ key, value }) => [key, valueOf(value)]));
}

function valueOf({ arrayValue, ...scalar }: AnyValue): unknown {
  return arrayValue === undefined ? Object.values(scalar)[0] : arrayValue.values.map(valueOf);
}
