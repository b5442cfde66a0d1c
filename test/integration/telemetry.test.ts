import { mkdtempDisposable, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { createSimulator, type Simulator } from "../../packages/nomad-simulator/src/index.ts";
import { FILTER_LANGUAGE } from "../../src/commands/support/filter-language.ts";
import { resolveConfig } from "../../src/config/resolve.ts";
import { createLogger, silentLogger } from "../../src/telemetry/logger.ts";
import { startFeeds } from "../support/feeds-process.ts";
import { OtlpReceiver, type ReceivedPoint, type ReceivedSpan } from "../support/otlp-receiver.ts";
import { startBridge, type StartedBridge } from "../support/started-bridge.ts";
import { until } from "../support/until.ts";
import { status, WebhookSink } from "../support/webhook-sink.ts";

let directory: Awaited<ReturnType<typeof mkdtempDisposable>>;
let simulator: Simulator;
let nomadAddr: string;
let hook: WebhookSink;
let receiver: OtlpReceiver;
let bridges: StartedBridge[];

beforeEach(async () => {
  directory = await mkdtempDisposable(join(tmpdir(), "ncf-telemetry-"));
  simulator = createSimulator({ seed: 3, allocations: 0, namespaces: 1 });
  nomadAddr = await simulator.listen();
  [hook, receiver] = await Promise.all([WebhookSink.start(), OtlpReceiver.start()]);
  bridges = [];
});
afterEach(async () => {
  await Promise.all(bridges.map((bridge) => bridge.stop()));
  await Promise.all([simulator.close(), hook[Symbol.asyncDispose](), receiver[Symbol.asyncDispose]()]);
  await directory.remove();
});

const HOOK = () => `destinations:
  hook: { type: webhook, url: "${hook.url}", allowPrivate: true, types: jobs, from: beginning, retry: { first: 10ms, most: 10ms } }
`;

/** A bridge on the one log of the test, all of whose scopes are read. */
async function start(
  { destinations = "", ...flags }: Record<string, string>,
  logger = silentLogger(),
): Promise<StartedBridge> {
  const config = join(directory.path, "feed.yaml");
  await writeFile(config, `cluster: prod\n${destinations}`);
  const feed = `sqlite:${join(directory.path, "feed.db")}`;
  const given = { config, nomadAddr, feed, listen: "127.0.0.1:0", wait: "1s", ...flags };
  const { config: resolved } = resolveConfig({ flags: given, env: {}, language: FILTER_LANGUAGE });
  const bridge = await startBridge(resolved, { logger, readSecret: () => "Bearer 0123456789" });
  bridges.push(bridge);
  await bridge.ready();
  return bridge;
}

/** What of a trace came. */
function traceOf(spans: readonly ReceivedSpan[], traceparent: string | undefined) {
  const [, traceId, spanId] = (traceparent ?? "").split("-");
  const own = spans.filter((span) => span.traceId === traceId);
  const named = (name: string) => own.find((span) => span.name === name);
  return { traceId, spanId, own, named, names: own.map(({ name }) => name).toSorted() };
}

interface Delivered {
  readonly event: { readonly id: string; readonly type: string; readonly traceparent?: string };
  readonly traceparent: string | undefined;
}

/** Waits until the webhook has the job's creation. */
function created(job: string): Promise<Delivered> {
  return until(`the webhook has ${job}`, () => {
    const all = hook.taken.map(({ body, headers }) => ({
      event: JSON.parse(body.toString()) as Delivered["event"],
      traceparent: headers["traceparent"] as string | undefined,
    }));
    return all.find(({ event }) => event.type === "nomad.job.created" && event.id.includes(`/${job}@`));
  });
}

describe("a bridge that sends traces", () => {
  it.each(["http/protobuf", "http/json"])(
    "tells of a change from the poll that found it to the webhook that has it (%s)",
    async (otlpProtocol) => {
      const bridge = await start({
        destinations: HOOK(),
        otlpEndpoint: `${receiver.url}/otlp/`,
        otlpProtocol,
        otlpHeaders: "Authorization=env:TOKEN",
        otlpAttributes: "deployment.environment.name=test",
      });
      simulator.cluster.registerJob({ id: "web" });
      const { event, traceparent } = await created("web");
      await bridge.stop();

      const requests = receiver.sink.taken;
      expect(requests.map(({ path }) => path)).toContain("/otlp/v1/traces");
      for (const { headers } of requests) expect(headers.authorization).toBe("Bearer 0123456789");
      const spans = receiver.spans("/otlp");
      const { traceId, spanId, named, names } = traceOf(spans, event.traceparent);
      expect(names).toEqual(["commit", "diff", "poll jobs", "read", "send hook"]);
      const [poll, commit, send] = [named("poll jobs"), named("commit"), named("send hook")];
      expect(poll).toMatchObject({ parentSpanId: undefined, kind: "INTERNAL", error: undefined });
      for (const name of ["read", "diff", "commit"]) expect(named(name)?.parentSpanId).toBe(poll?.spanId);
      expect(named("read")?.kind).toBe("CLIENT");
      expect(commit?.spanId).toBe(spanId);
      expect(send).toMatchObject({ parentSpanId: spanId, kind: "PRODUCER", links: [] });
      expect(traceparent).toBe(`00-${traceId}-${send?.spanId}-01`);
      expect(poll?.attributes).toMatchObject({
        "nomad.resource": "jobs",
        "nomad.namespace": "default",
        "changefeed.changes": 1,
        "changefeed.reading": "list",
        "cloudevents.event_source": "nomad://prod/global",
      });
      expect(send?.attributes).toMatchObject({
        "messaging.destination.name": "hook",
        "messaging.message.id": event.id,
        "http.response.status_code": 200,
      });
      expect(poll?.resource).toMatchObject({
        "service.name": "nomad-changefeed",
        "nomad.cluster": "prod",
        "deployment.environment.name": "test",
      });
      expect(Object.keys(poll?.resource ?? {})).toEqual(
        expect.arrayContaining(["service.version", "service.instance.id"]),
      );
    },
  );

  it("goes on with the trace in another process, which has nothing but the log", async () => {
    const first = await start({ otlpEndpoint: receiver.url });
    simulator.cluster.registerJob({ id: "web" });
    await until("it is in the log", async () => (await first.log.history(CREATED)).length > 0);
    await first.stop();
    const second = await start({ destinations: HOOK(), otlpEndpoint: receiver.url });
    const { event } = await created("web");
    await second.stop();
    const { named, spanId } = traceOf(receiver.spans(), event.traceparent);
    expect(named("send hook")?.parentSpanId).toBe(spanId);
    const instanceOf = (name: string) => named(name)?.resource["service.instance.id"];
    expect(instanceOf("send hook")).not.toBe(instanceOf("commit"));
  });

  it("tells of a poll and of a send that fail, with the code", async () => {
    let refusals = 0;
    hook.answer = (response, request) => {
      const isRefused = request.body.includes('"nomad.job.created"') && refusals++ === 0;
      status(isRefused ? 503 : 200)(response, request);
    };
    const bridge = await start({ destinations: HOOK(), otlpEndpoint: receiver.url });
    simulator.cluster.registerJob({ id: "web" });
    const { event } = await created("web");
    simulator.faults.add({ kind: "500", resource: "jobs" });
    await until("a poll fails", async () =>
      /polls_total\{resource="jobs",outcome="failed"\} [1-9]/.test(await metricsOf(bridge)),
    );
    await bridge.stop();
    const { own } = traceOf(receiver.spans(), event.traceparent);
    const sends = own.filter(({ name }) => name === "send hook");
    expect(
      sends.map(({ error, attributes }) => [
        error,
        attributes["error.type"],
        attributes["changefeed.attempt"],
      ]),
    ).toEqual([
      ["it answered 503", "retry", 1],
      [undefined, undefined, 2],
    ]);
    const failed = receiver.spans().find(({ name, error }) => name === "poll jobs" && error !== undefined);
    expect(failed?.attributes).toMatchObject({
      "error.type": expect.stringMatching(/^NOMAD_/),
      "nomad.resource": "jobs",
    });
  });
});

const CREATED = { resource: "jobs", op: "create", order: "oldest-first", limit: 1 } as const;

async function metricsOf({ url }: { readonly url: string }): Promise<string> {
  return (await fetch(`${url}/metrics`)).text();
}

describe("events", () => {
  it("are what they are without, where nothing is traced or this poll is not", async () => {
    for (const otlpTraceRatio of [undefined, "0"]) {
      const bridge = await start({ ...(otlpTraceRatio && { otlpEndpoint: receiver.url, otlpTraceRatio }) });
      simulator.cluster.registerJob({ id: `web-${otlpTraceRatio}` });
      const [event] = await until("it is in the log", async () => {
        const found = await bridge.log.history({ ...CREATED, key: `web-${otlpTraceRatio}` });
        return found.length > 0 && found;
      });
      await bridge.stop();
      expect(event?.json).not.toContain("traceparent");
    }
    expect(receiver.spans()).toEqual([]);
  });
});

describe("metrics by OTLP", () => {
  it("are those of /metrics, under their names, with their labels and since when they count", async () => {
    const beganMs = Date.now();
    const bridge = await start({
      otlpEndpoint: receiver.url,
      otlpSignals: "metrics",
      otlpMetricsEvery: "1s",
    });
    simulator.cluster.registerJob({ id: "web" });
    await until("it is in the log", async () => (await bridge.log.history(CREATED)).length > 0);
    const isOfJobs = ({ attributes }: ReceivedPoint) => attributes["resource"] === "jobs";
    await until("the scope's size was sent", () =>
      receiver.points("nomad_changefeed_scope_objects").some((point) => isOfJobs(point) && point.value === 1),
    );
    await bridge.stop();
    const events = receiver
      .points("nomad_changefeed_events_total")
      .findLast(({ attributes }) => attributes["type"] === "nomad.job.created");
    expect(events).toMatchObject({ kind: "sum", isMonotonic: true, temporality: "CUMULATIVE", value: 1 });
    expect(events?.description).toContain("Events committed to the log");
    expect(events?.startMs).toBeGreaterThanOrEqual(beganMs);
    expect(events?.timeMs).toBeGreaterThan(events?.startMs ?? 0);
    const [objects] = receiver.points("nomad_changefeed_scope_objects").filter(isOfJobs);
    expect(objects).toMatchObject({ kind: "gauge", attributes: { resource: "jobs", namespace: "default" } });
    const seconds = receiver.points("nomad_changefeed_commit_seconds").at(-1);
    const { count = 0, counts = [], bounds = [] } = seconds?.histogram ?? {};
    expect(count).toBeGreaterThan(0);
    expect(counts.reduce((sum, one) => sum + one, 0)).toBe(count);
    expect(counts).toHaveLength(bounds.length + 1);
    expect(receiver.points("process_cpu_seconds_total").at(-1)).toMatchObject({
      kind: "sum",
      attributes: {},
    });
    expect(receiver.spans()).toEqual([]);
  });

  it("of several feeds in one process say of which each is, and those of the process come once", async () => {
    const config = join(directory.path, "feeds.yaml");
    await writeFile(
      config,
      `listen: 127.0.0.1:0\notlp-endpoint: ${receiver.url}\nnomad-addr: ${nomadAddr}\nfeeds:\n` +
        ["eu", "us"]
          .map((name) => `  - { name: ${name}, feed: "sqlite:${directory.path}/${name}.db" }\n`)
          .join(""),
    );
    await using feeds = await startFeeds(config);
    await until("both are ready", async () => {
      const answer = (await (await fetch(`${feeds.url}/readyz`)).json()) as {
        feeds?: Record<string, { ready: boolean }>;
      };
      return Object.values(answer.feeds ?? {}).filter(({ ready }) => ready).length === 2;
    });
    simulator.cluster.registerJob({ id: "web" });
    for (const name of ["eu", "us"]) {
      await until("it is in the log", async () =>
        (
          await (await fetch(`${feeds.url}/v1/feeds/${name}/v1/events?cursor=earliest&limit=1000`)).text()
        ).includes("nomad.job.created"),
      );
    }
    await feeds[Symbol.asyncDispose]();
    const events = receiver
      .points("nomad_changefeed_events_total")
      .filter(({ attributes }) => attributes["type"] === "nomad.job.created");
    expect(new Map(events.map(({ attributes, value }) => [attributes["feed"], value]))).toEqual(
      new Map([
        ["eu", 1],
        ["us", 1],
      ]),
    );
    expect(receiver.points("process_cpu_seconds_total").map(({ attributes }) => attributes)).toEqual([{}]);
    const polls = receiver.spans().filter(({ name }) => name === "poll jobs");
    expect(new Set(polls.map(({ attributes }) => attributes["changefeed.feed"]))).toEqual(
      new Set(["eu", "us"]),
    );
  });
});

describe("a receiver", () => {
  const change = async (bridge: StartedBridge) => {
    simulator.cluster.registerJob({ id: "web" });
    await created("web");
    await bridge.stop();
  };

  it("that is away holds nothing up, and is told of once for each signal", async () => {
    const { url } = receiver;
    await receiver.sink.leave();
    const lines: { level: string; msg: string; signal?: string }[] = [];
    const write = (line: string) => void lines.push(JSON.parse(line) as (typeof lines)[number]);
    const logger = createLogger({ level: "warn", format: "json", destination: { write } });
    const given = { destinations: HOOK(), otlpEndpoint: url, otlpMetricsEvery: "1s" };
    const bridge = await start(given, logger);
    await until("metrics were tried twice", async () =>
      /otlp_failed_exports_total\{signal="metrics"\} [2-9]/.test(await metricsOf(bridge)),
    );
    await change(bridge);
    const said = lines.filter(({ msg }) => msg.startsWith("telemetry cannot be sent"));
    expect(said).toHaveLength(2);
    expect(new Set(said.map(({ signal }) => signal))).toEqual(new Set(["metrics", "traces"]));
  });

  it("that takes a request and never answers keeps the process from ending no longer than a second or two", async () => {
    const held: (() => void)[] = [];
    receiver.sink.answer = (response) => void held.push(() => response.writeHead(200).end());
    await change(await start({ destinations: HOOK(), otlpEndpoint: receiver.url }));
    expect(held).toHaveLength(2);
    for (const answer of held) answer();
  });
});
