import { ProtobufMetricsSerializer } from "@opentelemetry/otlp-transformer";
import { Counter, Gauge, Histogram, Registry } from "prom-client";
import { expect, it } from "vitest";
import { SeriesCounter, SeriesHistogram } from "../../src/telemetry/series.ts";
import { KeptHistogram } from "../../src/telemetry/kept-histogram.ts";
import { metricDataOf, type Samples } from "../../src/telemetry/otlp/metric-data.ts";
import { FixedResource } from "../../src/telemetry/otlp/resource.ts";
import { pointsIn } from "../support/otlp-receiver.ts";

const SINCE_MS = Date.parse("2026-08-22T10:00:00.250Z");
const AT_MS = Date.parse("2026-08-22T10:01:00.500Z");

/** The metrics of these registries as a receiver has them. */
async function received(
  ...registries: readonly { registry: Registry; attributes?: Samples["attributes"] }[]
) {
  const samples = registries.map(async ({ registry, attributes = {} }) => ({
    metrics: await registry.getMetricsAsJSON(),
    sinceMs: SINCE_MS,
    atMs: AT_MS,
    attributes,
  }));
  const body = ProtobufMetricsSerializer.serializeRequest({
    resource: new FixedResource({}),
    scopeMetrics: [{ scope: { name: "test" }, metrics: metricDataOf(await Promise.all(samples)) }],
  });
  return pointsIn(Buffer.from(body ?? []), "application/x-protobuf");
}

const COMMON = { description: "What it is", resource: {}, startMs: SINCE_MS, timeMs: AT_MS };

it("a counter is a monotonic cumulative sum from when counting began", async () => {
  const registry = new Registry();
  const polls = new Counter({
    name: "polls_total",
    help: "What it is",
    labelNames: ["outcome"],
    registers: [registry],
  });
  polls.inc({ outcome: "changed" }, 3);
  polls.inc({ outcome: "failed" }, 0.5);
  const sum = { ...COMMON, name: "polls_total", kind: "sum", isMonotonic: true, temporality: "CUMULATIVE" };
  expect(await received({ registry })).toEqual([
    { ...sum, attributes: { outcome: "changed" }, value: 3 },
    { ...sum, attributes: { outcome: "failed" }, value: 0.5 },
  ]);
});

it("a gauge is a gauge; what is no number is left out", async () => {
  const registry = new Registry();
  const lag = new Gauge({ name: "lag", help: "What it is", labelNames: ["of"], registers: [registry] });
  lag.set({ of: "a" }, -2);
  lag.set({ of: "b" }, Number.NaN);
  expect(await received({ registry })).toEqual([
    { ...COMMON, name: "lag", kind: "gauge", attributes: { of: "a" }, value: -2 },
  ]);
});

it("a histogram has its bounds, and counts what is in each bucket and not below it", async () => {
  const registry = new Registry();
  const names = { name: "seconds", help: "What it is", labelNames: ["of"], registers: [registry] };
  const seconds = new Histogram({ ...names, buckets: [0.1, 1, 10] });
  for (const value of [0.05, 0.5, 0.6, 100]) seconds.observe({ of: "a" }, value);
  seconds.observe({ of: "b" }, 2);
  const [a, b] = await received({ registry });
  expect(a).toEqual({
    ...COMMON,
    name: "seconds",
    kind: "histogram",
    temporality: "CUMULATIVE",
    attributes: { of: "a" },
    histogram: { count: 4, sum: 101.15, counts: [1, 2, 0, 1], bounds: [0.1, 1, 10] },
  });
  expect(b).toMatchObject({ attributes: { of: "b" }, histogram: { count: 1, sum: 2, counts: [0, 0, 1, 0] } });
});

it("so has one that is counted elsewhere", async () => {
  const registry = new Registry();
  const buckets = [
    [60, 2],
    [600, 1],
    [Number.POSITIVE_INFINITY, 4],
  ] as const;
  const durations = () => [{ labels: { job_name: "web" }, buckets, sum: 5000 }];
  const kept = { name: "took_seconds", help: "What it is", labelNames: ["job_name"], registers: [] };
  registry.registerMetric(new KeptHistogram(durations, kept));
  expect(await received({ registry })).toMatchObject([
    {
      attributes: { job_name: "web" },
      histogram: { count: 7, sum: 5000, counts: [2, 1, 4], bounds: [60, 600] },
    },
  ]);
});

/** The order of labels says nothing. */
function sorted(text: string): string {
  return text.replaceAll(/\{(.*)\}/g, (_, labels: string) => `{${labels.split(",").toSorted().join()}}`);
}

it("what is counted in series of their own reads as what the library counts", async () => {
  const [theirs, ours] = [new Registry(), new Registry()];
  const sent = { name: "sent_total", help: "What it is", labelNames: ["to", "outcome"] as const };
  const took = {
    name: "took_seconds",
    help: "What it is",
    labelNames: ["to"] as const,
    buckets: [0.1, 1, 10],
  };
  const counter = new Counter({ ...sent, registers: [theirs] });
  const histogram = new Histogram({ ...took, registers: [theirs] });
  const counted = new SeriesCounter({ ...sent, registers: [ours] });
  const timed = new SeriesHistogram({ ...took, registers: [ours] });
  for (const to of ["a", "b", "a"]) {
    for (const outcome of ["ok", "retry", "ok"]) {
      counter.inc({ to, outcome }, 2);
      counted.series({ to, outcome }).inc(2);
    }
    for (const seconds of [0, 0.1, 0.5, 1, 10, 11]) {
      histogram.observe({ to }, seconds);
      timed.series({ to }).observe(seconds);
    }
    expect(sorted(await ours.metrics())).toBe(sorted(await theirs.metrics()));
  }
});

it("a series of its own is shown until the last who counts in it has released it, and then begins at nothing", async () => {
  const registers = [new Registry()];
  const about = { help: "What it is", labelNames: ["to"] as const, registers };
  const counter = new SeriesCounter({ ...about, name: "sent_total" });
  const histogram = new SeriesHistogram({ ...about, name: "took_seconds", buckets: [1] });
  const shown = async () =>
    (await registers[0]?.metrics())?.match(/^(sent_total|took_seconds_count)\{.*/gm) ?? [];
  const users = [1, 2].map(() => ({
    sent: counter.series({ to: "a" }),
    took: histogram.series({ to: "a" }),
  }));
  for (const [at, { sent, took }] of users.entries()) {
    sent.inc();
    took.observe(1);
    expect(await shown()).toEqual([`sent_total{to="a"} ${at + 1}`, `took_seconds_count{to="a"} ${at + 1}`]);
  }
  for (const [at, { sent, took }] of users.entries()) {
    counter.release(sent);
    histogram.release(took);
    expect(await shown()).toHaveLength(at === 0 ? 2 : 0);
  }
  users[0]?.sent.inc();
  expect(await shown()).toEqual([]);
  counter.series({ to: "a" }).inc();
  expect(await shown()).toEqual(['sent_total{to="a"} 1']);
});

it("points of several feeds stand in one metric, each with its feed", async () => {
  const registryOf = (value: number) => {
    const registry = new Registry();
    new Gauge({ name: "log_sequence", help: "What it is", registers: [registry] }).set(value);
    return registry;
  };
  const feeds = [
    { registry: registryOf(1), attributes: { feed: "eu" } },
    { registry: registryOf(2), attributes: { feed: "us" } },
  ];
  const points = await received(...feeds);
  expect(points.map(({ name, attributes, value }) => [name, attributes, value])).toEqual([
    ["log_sequence", { feed: "eu" }, 1],
    ["log_sequence", { feed: "us" }, 2],
  ]);
});
