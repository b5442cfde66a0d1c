import { gunzipSync } from "node:zlib";
import { decoded, valuesOf, type KeyValue } from "./otlp-proto.ts";
import { WebhookSink, type Received } from "./webhook-sink.ts";

/** A span as a receiver has it. */
export interface ReceivedSpan {
  /** In hex. */
  readonly traceId: string;
  readonly spanId: string;
  /** Undefined: it begins the trace. */
  readonly parentSpanId: string | undefined;
  readonly name: string;
  /** `CLIENT` */
  readonly kind: string;
  readonly durationMs: number;
  readonly startMs: number;
  readonly attributes: Readonly<Record<string, unknown>>;
  /** As traceparents name them. */
  readonly links: readonly { readonly traceId: string; readonly spanId: string }[];
  /** Undefined: none. */
  readonly error: string | undefined;
  readonly resource: Readonly<Record<string, unknown>>;
}

/** A point of a metric as a receiver has it. */
export interface ReceivedPoint {
  readonly name: string;
  readonly description: string;
  readonly kind: "gauge" | "sum" | "histogram";
  readonly attributes: Readonly<Record<string, unknown>>;
  readonly resource: Readonly<Record<string, unknown>>;
  /** Of a sum. */
  readonly isMonotonic?: boolean;
  readonly temporality?: string;
  readonly startMs: number;
  readonly timeMs: number;
  /** Of a gauge or a sum. */
  readonly value?: number;
  readonly histogram?: { count: number; sum: number; counts: number[]; bounds: number[] };
}

/** A receiver of OTLP over HTTP on loopback, which decodes by the published schema. */
export class OtlpReceiver implements AsyncDisposable {
  readonly sink: WebhookSink;

  private constructor(sink: WebhookSink) {
    this.sink = sink;
  }

  static async start(): Promise<OtlpReceiver> {
    return new OtlpReceiver(await WebhookSink.start());
  }

  get url(): string {
    return this.sink.url;
  }

  /** `below`: the path that the endpoint has of its own. */
  spans(below = ""): ReceivedSpan[] {
    return this.#requests(`${below}/v1/traces`).flatMap(spansOf);
  }

  points(name?: string): ReceivedPoint[] {
    const all = this.#requests("/v1/metrics").flatMap(pointsOf);
    return name === undefined ? all : all.filter((point) => point.name === name);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.sink[Symbol.asyncDispose]();
  }

  #requests(path: string): Received[] {
    return this.sink.taken.filter((request) => request.path === path);
  }
}

type Content = Pick<Received, "headers" | "body">;

function messageIn({ headers, body }: Content, type: string): unknown {
  const plain = headers["content-encoding"] === "gzip" ? gunzipSync(body) : body;
  return headers["content-type"] === "application/json" ? JSON.parse(plain.toString()) : decoded(type, plain);
}

interface Resource {
  readonly attributes: readonly KeyValue[];
}

interface WireSpan {
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId?: string;
  readonly name: string;
  readonly kind: string | number;
  readonly startTimeUnixNano: string;
  readonly endTimeUnixNano: string;
  readonly attributes: readonly KeyValue[];
  readonly links: readonly { readonly traceId: string; readonly spanId: string }[];
  readonly status?: { readonly code?: string | number; readonly message?: string };
}

function spansOf(request: Received): ReceivedSpan[] {
  const { resourceSpans } = messageIn(request, "ExportTraceServiceRequest") as {
    resourceSpans: readonly { resource: Resource; scopeSpans: readonly { spans: readonly WireSpan[] }[] }[];
  };
  return resourceSpans.flatMap(({ resource, scopeSpans }) =>
    scopeSpans.flatMap(({ spans }) => spans.map((span) => spanOf(span, valuesOf(resource.attributes)))),
  );
}

const KINDS = ["UNSPECIFIED", "INTERNAL", "SERVER", "CLIENT", "PRODUCER", "CONSUMER"];

function spanOf(span: WireSpan, resource: ReceivedSpan["resource"]): ReceivedSpan {
  const [startMs, endMs] = [msOf(span.startTimeUnixNano), msOf(span.endTimeUnixNano)];
  const parent = hexOf(span.parentSpanId ?? "");
  const { status } = span;
  const isError = status?.code === "STATUS_CODE_ERROR" || status?.code === 2;
  return {
    traceId: hexOf(span.traceId),
    spanId: hexOf(span.spanId),
    parentSpanId: parent === "" ? undefined : parent,
    name: span.name,
    kind: typeof span.kind === "number" ? (KINDS[span.kind] ?? "") : span.kind.replace("SPAN_KIND_", ""),
    startMs,
    durationMs: endMs - startMs,
    attributes: valuesOf(span.attributes),
    links: span.links.map(({ traceId, spanId }) => ({ traceId: hexOf(traceId), spanId: hexOf(spanId) })),
    error: isError ? (status?.message ?? "") : undefined,
    resource,
  };
}

/** JSON of the protocol has ids in hex; what is decoded here from protobuf, in base64. */
function hexOf(id: string): string {
  return /^(?:[0-9a-f]{16}|[0-9a-f]{32})$/.test(id) ? id : Buffer.from(id, "base64").toString("hex");
}

function msOf(nanos: string): number {
  return Number(BigInt(nanos) / 1000n) / 1000;
}

interface WirePoint {
  readonly attributes: readonly KeyValue[];
  readonly startTimeUnixNano: string;
  readonly timeUnixNano: string;
  readonly asDouble?: number;
  readonly count?: string;
  readonly sum?: number;
  readonly bucketCounts?: readonly string[];
  readonly explicitBounds?: readonly number[];
}

interface WireData {
  readonly dataPoints: readonly WirePoint[];
  readonly isMonotonic?: boolean;
  readonly aggregationTemporality?: string | number;
}

type WireMetric = { readonly name: string; readonly description: string } & Partial<
  Record<ReceivedPoint["kind"], WireData>
>;

/** The points of one request's body. */
export function pointsIn(body: Buffer, contentType: string): ReceivedPoint[] {
  return pointsOf({ headers: { "content-type": contentType }, body });
}

function pointsOf(request: Content): ReceivedPoint[] {
  const { resourceMetrics } = messageIn(request, "ExportMetricsServiceRequest") as {
    resourceMetrics: readonly {
      resource: Resource;
      scopeMetrics: readonly { metrics: readonly WireMetric[] }[];
    }[];
  };
  return resourceMetrics.flatMap(({ resource, scopeMetrics }) =>
    scopeMetrics.flatMap(({ metrics }) =>
      metrics.flatMap((metric) => pointsOfMetric(metric, valuesOf(resource.attributes))),
    ),
  );
}

function pointsOfMetric(metric: WireMetric, resource: ReceivedPoint["resource"]): ReceivedPoint[] {
  const { name, description } = metric;
  return (["gauge", "sum", "histogram"] as const).flatMap((kind) => {
    const { dataPoints = [], isMonotonic, aggregationTemporality } = metric[kind] ?? {};
    return dataPoints.map((point) => ({
      name,
      description,
      kind,
      resource,
      attributes: valuesOf(point.attributes),
      ...(kind === "sum" && { isMonotonic: isMonotonic === true }),
      ...(aggregationTemporality !== undefined && {
        temporality:
          ["", "DELTA", "CUMULATIVE"][Number(aggregationTemporality)] ??
          temporalityOf(aggregationTemporality),
      }),
      startMs: msOf(point.startTimeUnixNano),
      timeMs: msOf(point.timeUnixNano),
      ...(kind === "histogram"
        ? {
            histogram: {
              count: Number(point.count),
              sum: point.sum ?? 0,
              counts: (point.bucketCounts ?? []).map(Number),
              bounds: [...(point.explicitBounds ?? [])],
            },
          }
        : { value: point.asDouble ?? Number.NaN }),
    }));
  });
}

function temporalityOf(text: string | number): string {
  return String(text).replace("AGGREGATION_TEMPORALITY_", "");
}
