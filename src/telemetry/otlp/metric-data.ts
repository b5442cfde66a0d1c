import type { ProtobufMetricsSerializer } from "@opentelemetry/otlp-transformer";
import type { MetricObjectWithValues, MetricValue, MetricValueWithName } from "prom-client";
import { hrTimeOfMs } from "./resource.ts";

/** What OpenTelemetry's library writes metrics from. */
export type ResourceMetrics = Parameters<typeof ProtobufMetricsSerializer.serializeRequest>[0];
type MetricData = ResourceMetrics["scopeMetrics"][number]["metrics"][number];
type HistogramData = Extract<MetricData, { dataPointType: typeof POINT.histogram }>;
type NumberData = Exclude<
  MetricData,
  { dataPointType: typeof POINT.histogram } | { dataPointType: typeof POINT.exponential }
>;
type NumberPoint = NumberData["dataPoints"][number];

const POINT = { histogram: 0, exponential: 1, gauge: 2, sum: 3 } as const;
const CUMULATIVE = 1;
const DOUBLE = 1;

/** A metric as the registry of /metrics has it. */
type Sampled = MetricObjectWithValues<MetricValue<string>>;
type Sample = MetricValue<string> | MetricValueWithName<string>;
type Labels = Sample["labels"];

/** The samples of one registry, and what is the same for all of them. */
export interface Samples {
  readonly metrics: readonly Sampled[];
  /** Since when its counters count, and when they were read; ms since 1970. */
  readonly sinceMs: number;
  readonly atMs: number;
  /** On each point beside its labels. */
  readonly attributes: Readonly<Record<string, string>>;
}

/**
 * Metrics of Prometheus as OTLP has them, under their own names and with their labels as attributes: counters as
 * cumulative monotonic sums, histograms with their explicit bounds. The points of several registries stand together.
 */
export function metricDataOf(all: Iterable<Samples>): MetricData[] {
  const found = new Map<string, MetricData>();
  for (const samples of all) {
    for (const metric of samples.metrics) {
      const data = dataOf(metric, samples);
      const before = found.get(metric.name);
      if (before === undefined) {
        if (data !== undefined && data.dataPoints.length > 0) found.set(metric.name, data);
      } else (before.dataPoints as unknown[]).push(...(data?.dataPoints ?? []));
    }
  }
  return [...found.values()];
}

/** Undefined for a summary, of which there is none here. */
function dataOf(metric: Sampled, samples: Samples): MetricData | undefined {
  const descriptor = { name: metric.name, description: metric.help, unit: "", valueType: DOUBLE } as const;
  const common = { descriptor, aggregationTemporality: CUMULATIVE } as const;
  // The types of the library say otherwise: they are words.
  switch (String(metric.type)) {
    case "counter":
      return { ...common, dataPointType: POINT.sum, isMonotonic: true, dataPoints: numbers(metric, samples) };
    case "gauge":
      return { ...common, dataPointType: POINT.gauge, dataPoints: numbers(metric, samples) };
    case "histogram":
      return { ...common, dataPointType: POINT.histogram, dataPoints: histograms(metric, samples) };
    default:
      return undefined;
  }
}

function numbers({ values }: Sampled, samples: Samples): NumberPoint[] {
  return values
    .filter(({ value }) => Number.isFinite(value))
    .map(({ labels, value }) => ({ ...pointOf(labels, samples), value }));
}

function histograms({ name, values }: Sampled, samples: Samples): HistogramData["dataPoints"] {
  const series = Map.groupBy(values as readonly Sample[], ({ labels }) =>
    JSON.stringify(withoutBound(labels)),
  );
  return [...series.values()].map((own) => {
    const valueOf = (part: string) => own.find((sample) => nameOf(sample) === `${name}_${part}`)?.value ?? 0;
    const bounded = own.filter(({ labels: { le } }) => Number.isFinite(Number(le ?? Number.NaN)));
    const count = valueOf("count");
    const upTo = [...bounded.map(({ value }) => value), count];
    const buckets = {
      boundaries: bounded.map(({ labels: { le } }) => Number(le)),
      counts: upTo.map((within, at) => within - (upTo[at - 1] ?? 0)),
    };
    const labels = withoutBound(own[0]?.labels ?? {});
    return { ...pointOf(labels, samples), value: { buckets, sum: valueOf("sum"), count } };
  });
}

/** All samples of a series have these. */
function withoutBound(labels: Labels): Labels {
  return Object.fromEntries(Object.entries(labels).filter(([name]) => name !== "le"));
}

function nameOf(sample: Sample): string | undefined {
  return "metricName" in sample ? sample.metricName : undefined;
}

function pointOf(labels: Labels, { sinceMs, atMs, attributes }: Samples) {
  const own = Object.entries(labels).map(([name, value]) => [name, String(value)]);
  return {
    startTime: hrTimeOfMs(sinceMs),
    endTime: hrTimeOfMs(atMs),
    attributes: { ...attributes, ...(Object.fromEntries(own) as Record<string, string>) },
  };
}
