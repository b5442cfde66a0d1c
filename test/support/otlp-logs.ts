import { decoded, valueOf, valuesOf, type AnyValue, type KeyValue } from "./otlp-proto.ts";

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
    contentType === "application/json"
      ? (JSON.parse(body.toString()) as Request)
      : (decoded("ExportLogsServiceRequest", body) as Request);
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
