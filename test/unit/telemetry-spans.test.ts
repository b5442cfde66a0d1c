import { describe, expect, it } from "vitest";
import { SpanExport } from "../../src/telemetry/otlp/span-export.ts";
import type { Exported } from "../../src/telemetry/otlp/exported.ts";
import type { EndedSpan } from "../../src/telemetry/otlp/spans.ts";
import { OtlpTracer } from "../../src/telemetry/otlp/tracer.ts";
import { createMetrics } from "../../src/telemetry/metrics.ts";
import { silentLogger } from "../../src/telemetry/logger.ts";
import { traceparentIn } from "../../src/schemas/traceparent.ts";
import { TestClock } from "../support/test-clock.ts";

function tracing({ ratio = 1, random = Math.random } = {}) {
  const clock = new TestClock();
  const spans: EndedSpan[] = [];
  const take = (span: EndedSpan) => void spans.push(span);
  const tracer = new OtlpTracer({ clock, random, ratio, attributes: { feed: "eu" }, take });
  return { clock, spans, tracer };
}

describe("a tracer", () => {
  it("puts spans into one trace, with their times as the clock on the wall has them", () => {
    const { clock, spans, tracer } = tracing();
    const poll = tracer.begin("poll", { beganAtMs: clock.elapsed() - 40, attributes: { resource: "jobs" } });
    poll
      ?.child("read", { beganAtMs: clock.elapsed() - 40, kind: "client" })
      .end({ atMs: clock.elapsed() - 10 });
    clock.pass(20);
    poll?.end({ error: { code: "FENCED", message: "another has it" } });
    const [read, root] = spans;
    expect(read?.context.traceId).toMatch(/^[0-9a-f]{32}$/);
    expect(read?.parent).toEqual(root?.context);
    expect(root).toMatchObject({
      parent: undefined,
      attributes: { feed: "eu", resource: "jobs" },
      beganAtMs: clock.now() - 60,
      endedAtMs: clock.now(),
      error: { code: "FENCED" },
    });
    expect([read?.beganAtMs, read?.endedAtMs]).toEqual([clock.now() - 60, clock.now() - 30]);
  });

  it("records the share of traces that it is told to, and what follows from those", () => {
    const draws = [0.3, 0.1];
    const { tracer, spans } = tracing({ ratio: 0.25, random: () => draws.shift() ?? 0.5 });
    expect(tracer.begin("poll")).toBeUndefined();
    expect(tracer.begin("poll")).toBeDefined();
    expect(tracer.follow("send", [])).toBeUndefined();
    expect(
      tracer.follow("send", ["00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00"]),
    ).toBeUndefined();
    tracer.follow("send", ["00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"])?.end();
    expect(spans[0]).toMatchObject({
      context: { traceId: "0af7651916cd43dd8448eb211c80319c" },
      parent: { spanId: "b7ad6b7169203331" },
      links: [],
    });
  });

  it("follows several traces in one of its own, with a link to each", () => {
    const { tracer, spans } = tracing();
    const of = (digit: string) => `00-${digit.repeat(32)}-${digit.repeat(16)}-01`;
    tracer.follow("send", [of("a"), of("b"), of("a")])?.end();
    expect(spans[0]?.parent).toBeUndefined();
    expect(spans[0]?.links.map(({ traceId }) => traceId[0])).toEqual(["a", "b"]);
    expect(spans[0]?.context.traceId).not.toMatch(/^(a|b)+$/);
  });
});

it("an event's traceparent is that of its envelope, whatever its data holds", () => {
  const context = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
  expect(traceparentIn(`{"id":"1","traceparent":"${context}","sequence":"1","data":{}}`)).toBe(context);
  expect(traceparentIn(`{"id":"1","data":{"after":{"traceparent":"${context}"}}}`)).toBeUndefined();
  expect(traceparentIn(`{"id":"1","data":{}}`)).toBeUndefined();
});

describe("the export of spans", () => {
  const SPAN: EndedSpan = {
    name: "poll",
    kind: "internal",
    context: { traceId: "a".repeat(32), spanId: "b".repeat(16) },
    parent: undefined,
    links: [],
    beganAtMs: 0,
    endedAtMs: 1,
    attributes: {},
    error: undefined,
  };

  function exporting(answer: () => Promise<Exported>) {
    const [clock, metrics] = [new TestClock(), createMetrics()];
    const sent: number[] = [];
    const exporter = new SpanExport({
      clock,
      metrics,
      random: () => 0.5,
      logger: silentLogger(),
      send: async (spans) => {
        sent.push(spans.length);
        return answer();
      },
    });
    const counted = async () => {
      const { values } = await metrics.otlpSpans.get();
      return Object.fromEntries(values.map(({ labels, value }) => [labels.outcome, value]));
    };
    const take = (count: number) => {
      for (let n = 0; n < count; n += 1) exporter.take(SPAN);
    };
    return { clock, exporter, sent, counted, take };
  }

  it("waits for more, but not for long, and not where a request is full", async () => {
    const { clock, sent, take, counted } = exporting(async () => ({ outcome: "ok" }));
    take(2);
    await clock.advance(4_999);
    expect(sent).toEqual([]);
    await clock.advance(1);
    expect(sent).toEqual([2]);
    take(600);
    await clock.advance(0);
    expect(sent).toEqual([2, 512]);
    await clock.advance(5_000);
    expect(sent).toEqual([2, 512, 88]);
    expect(await counted()).toEqual({ sent: 602 });
  });

  it("keeps 2048 while the receiver is away, and has them sent when it comes back", async () => {
    let isAway = true;
    const away: Exported = { outcome: "retry", reason: "connection refused" };
    const { clock, sent, take, counted } = exporting(async () => (isAway ? away : { outcome: "ok" }));
    take(3_000);
    await clock.advance(120_000);
    expect(sent.length).toBeGreaterThan(4);
    expect(sent.length).toBeLessThan(30);
    expect(await counted()).toEqual({ dropped: 952 });
    isAway = false;
    await clock.advance(60_000);
    expect(await counted()).toEqual({ dropped: 952, sent: 2048 });
  });

  it("does not repeat what was refused", async () => {
    const { clock, sent, take, counted } = exporting(async () => ({
      outcome: "refused",
      reason: "it answered 400",
    }));
    take(3);
    await clock.advance(60_000);
    expect(sent).toEqual([3]);
    expect(await counted()).toEqual({ dropped: 3 });
  });

  it("sends what is left at the end, once, and counts what did not go", async () => {
    const { exporter, sent, take, counted } = exporting(async () => ({ outcome: "retry", reason: "away" }));
    take(5);
    await exporter[Symbol.asyncDispose]();
    expect(sent).toEqual([5]);
    expect(await counted()).toEqual({ dropped: 5 });
  });
});
