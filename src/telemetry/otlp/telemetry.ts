import type { Clock } from "../../shared/clock.ts";
import type { Logger } from "../logger.ts";
import type { Metrics } from "../metrics.ts";
import type { SpanAttributes, Tracer } from "../tracing.ts";
import type { Exported } from "./exported.ts";
import { metricDataOf, type ResourceMetrics } from "./metric-data.ts";
import { MetricExport, type MetricSource } from "./metric-export.ts";
import { FixedResource, INSTRUMENTATION } from "./resource.ts";
import { SpanExport } from "./span-export.ts";
import { readableSpan, type ReadableSpan } from "./spans.ts";
import { OtlpTracer } from "./tracer.ts";

/** Sends bodies to one path of a receiver; rejects with the signal's reason alone. */
export type Post = (body: Uint8Array, signal: AbortSignal) => Promise<Exported>;

/** How one signal is written, and where it goes. */
interface Route<Request> {
  readonly serializer: { serializeRequest(request: Request): Uint8Array | undefined };
  readonly post: Post;
}

export interface TelemetryDeps {
  readonly clock: Clock;
  readonly random: () => number;
  readonly logger: Logger;
  readonly metrics: Pick<Metrics, "otlpSpans" | "otlpFailures">;
  /** Of the process. */
  readonly resource: Readonly<Record<string, string | number>>;
  /** Absent: none are made. */
  readonly traces?: Route<ReadableSpan[]> & { readonly ratio: number };
  /** Absent: none are sent. */
  readonly measures?: Route<ResourceMetrics> & { readonly everyMs: number };
}

/** What a process sends of itself. */
export class Telemetry implements AsyncDisposable {
  readonly #deps: TelemetryDeps;
  readonly #spans: SpanExport | undefined;
  readonly #measures: MetricExport | undefined;

  constructor(deps: TelemetryDeps) {
    const { traces, measures } = deps;
    const resource = new FixedResource(deps.resource);
    this.#deps = deps;
    if (traces !== undefined) {
      this.#spans = new SpanExport({
        ...deps,
        send: async (spans, signal) => {
          const readable = spans.map((span) => readableSpan(span, resource));
          return traces.post(traces.serializer.serializeRequest(readable) ?? new Uint8Array(), signal);
        },
      });
    }
    if (measures !== undefined) {
      this.#measures = new MetricExport({
        ...deps,
        everyMs: measures.everyMs,
        send: async (samples, signal) => {
          const scopeMetrics = [{ scope: INSTRUMENTATION, metrics: metricDataOf(samples) }];
          const body = measures.serializer.serializeRequest({ resource, scopeMetrics });
          return measures.post(body ?? new Uint8Array(), signal);
        },
      });
    }
  }

  /** Undefined where nothing is traced. `attributes`: of each trace, which feed it is of. */
  tracer(attributes: SpanAttributes): Tracer | undefined {
    const { clock, random, traces } = this.#deps;
    const spans = this.#spans;
    if (spans === undefined || traces === undefined) return undefined;
    return new OtlpTracer({
      clock,
      random,
      ratio: traces.ratio,
      attributes,
      take: (span) => spans.take(span),
    });
  }

  /** Sends these metrics too, until the returned function is called. */
  measure(source: MetricSource): () => void {
    return this.#measures?.add(source) ?? (() => undefined);
  }

  /** What there is is sent, as far as that goes within a second. */
  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([this.#spans?.[Symbol.asyncDispose](), this.#measures?.[Symbol.asyncDispose]()]);
  }
}
