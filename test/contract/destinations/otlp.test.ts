import { gunzipSync } from "node:zlib";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { Destination, SendResult } from "../../../src/publishers/delivery/destination.ts";
import { openDestination } from "../../../src/publishers/destinations.ts";
import { otlpSettingsSchema } from "../../../src/schemas/destinations/otlp.ts";
import { logRecordsOf, type LogRecord } from "../../support/otlp-logs.ts";
import { encoded } from "../../support/otlp-proto.ts";
import { outgoing } from "../../support/outgoing.ts";
import { status, WebhookSink, type Answer, type Received } from "../../support/webhook-sink.ts";
import { destinationContract, type Counterpart } from "./register-destination.ts";
import { destinationDeps } from "../../support/destination-deps.ts";

const TOKEN = "Bearer 0b31a77e-not-for-your-eyes";

for (const settings of [{}, { encoding: "json", compression: "none" }]) {
  destinationContract(`OTLP ${JSON.stringify(settings)}`, () => start(settings));
}

async function start(more: object): Promise<Counterpart> {
  const sink = await WebhookSink.start();
  const held: (() => void)[] = [];
  const refuse =
    (code: number, body = "") =>
    async () => {
      sink.answer = repeating(code, body);
    };
  sink.answer = repeating(200);
  return {
    open: (deps) => openOtlp(sink, deps, more),
    received: async () =>
      recordsIn(sink).map(({ attributes, body }) => ({
        id: String(attributes["log.record.uid"]),
        json: String(body),
      })),
    refusals: [
      { name: "400", arrange: refuse(400), outcome: "refused", why: "poison" },
      {
        name: "Loki's 400",
        arrange: refuse(400, "entry has timestamp too old"),
        outcome: "refused",
        why: "too-old",
      },
      {
        name: "the collector's 400",
        arrange: refuse(400, "http: request body too large"),
        outcome: "refused",
        why: "too-large",
      },
      { name: "401", arrange: refuse(401), outcome: "refused", why: "forbidden" },
      { name: "403", arrange: refuse(403), outcome: "refused", why: "forbidden" },
      { name: "404", arrange: refuse(404), outcome: "refused", why: "config" },
      { name: "410", arrange: refuse(410), outcome: "refused", why: "gone" },
      { name: "413", arrange: refuse(413), outcome: "refused", why: "too-large" },
      { name: "429", arrange: refuse(429), outcome: "retry" },
      { name: "500", arrange: refuse(500), outcome: "refused", why: "config" },
      { name: "502", arrange: refuse(502), outcome: "retry" },
      { name: "503", arrange: refuse(503), outcome: "retry" },
      { name: "504", arrange: refuse(504), outcome: "retry" },
      { name: "301", arrange: refuse(301), outcome: "refused", why: "config" },
    ],
    hang: async () => {
      sink.answer = (response) => void held.push(() => response.writeHead(503).end());
    },
    goAway: () => sink.leave(),
    comeBack: async () => {
      sink.answer = repeating(200);
      for (const answer of held.splice(0)) answer();
      await sink.comeBack();
    },
    secrets: [TOKEN, "0b31a77e-not-for-your-eyes"],
    connections: async () => sink.open(),
    [Symbol.asyncDispose]: () => sink[Symbol.asyncDispose](),
  };
}

/** As a server that repeats what it was sent. */
function repeating(code: number, body = ""): Answer {
  return (response, request) => {
    const isRefusal = code >= 300;
    response.writeHead(code).end(isRefusal ? `${body} ${request.headers.authorization}` : "");
  };
}

describe("a log record of OpenTelemetry", () => {
  let sink: WebhookSink;
  beforeEach(async () => {
    sink = await WebhookSink.start();
  });
  afterEach(() => sink[Symbol.asyncDispose]());

  test("has the event's times, severity and attributes by their standard names, and the event as its body", async () => {
    await using destination = await openOtlp(sink);
    const event = outgoing(7, { severity: "WARN", signals: ["job.stopped", "job.dead"], node: "n1" });
    expect(await send(destination, [event])).toMatchObject({ outcome: "ok" });
    expect(sink.taken[0]).toMatchObject({
      path: "/v1/logs",
      headers: { "content-type": "application/x-protobuf", "content-encoding": "gzip", authorization: TOKEN },
    });
    expect(recordsIn(sink)).toEqual([
      expect.objectContaining({
        timeUnixNano: "1795446898362705000",
        severityNumber: 13,
        severityText: "WARN",
        eventName: "nomad.job.updated",
        body: event.json,
        attributes: {
          "log.record.uid": event.id,
          "cloudevents.event_id": event.id,
          "cloudevents.event_source": "nomad://prod/global",
          "cloudevents.event_spec_version": "1.0",
          "cloudevents.event_type": "nomad.job.updated",
          "cloudevents.event_subject": "jobs/default/web",
          "nomad.resource": "jobs",
          "nomad.key": "web",
          "nomad.op": "update",
          "nomad.aspect": "status",
          "nomad.signals": ["job.stopped", "job.dead"],
          "nomad.job": "web",
          "nomad.node": "n1",
          "changefeed.cursor": "reg100-7",
        },
        resource: {
          "service.name": "nomad",
          "nomad.cluster": "prod",
          "nomad.region": "global",
          "nomad.namespace": "default",
        },
      }),
    ]);
  });

  test.each(["protobuf", "json"])(
    "refused among others is told of and not sent again (%s)",
    async (encoding) => {
      const partialSuccess = { rejectedLogRecords: "300", errorMessage: "line too long" };
      const body =
        encoding === "json"
          ? JSON.stringify({ partialSuccess })
          : encoded("ExportLogsServiceResponse", { partialSuccess });
      sink.answer = (response) => void response.writeHead(200).end(body);
      await using destination = await openOtlp(sink, destinationDeps(), { encoding });
      expect(await send(destination, [outgoing(1), outgoing(2)])).toMatchObject({
        outcome: "refused",
        which: [],
        reason: "it did not take 300 of them, and does not say which: line too long",
      });
    },
  );

  test("is tried again when the answer says, and its words are shown", async () => {
    const message = encoded("Status", {
      code: 14,
      message: "the sending queue is full, and nobody empties it",
    });
    sink.answer = (response) => void response.writeHead(503, { "retry-after": "7" }).end(message);
    await using destination = await openOtlp(sink);
    const result = await send(destination, [outgoing(1)]);
    expect(result).toMatchObject({ outcome: "retry", afterMs: 7000 });
    expect(result).toHaveProperty(
      "reason",
      "it answered 503: the sending queue is full, and nobody empties it",
    );
    expect(result.exchange?.answer).toBe("the sending queue is full, and nobody empties it");
    expect(result.exchange?.request).toContain(outgoing(1).json.slice(0, 100));
    expect(sink.taken).toEqual([]);
    sink.answer = status(200);
    expect(await send(destination, [outgoing(1)])).toMatchObject({ outcome: "ok" });
  });
});

function openOtlp(sink: WebhookSink, deps = destinationDeps(), more: object = {}): Promise<Destination> {
  const headers = { Authorization: "env:TOKEN" };
  const settings = otlpSettingsSchema.parse({
    type: "otlp",
    endpoint: `${sink.url}/v1/logs`,
    headers,
    ...more,
  });
  return openDestination(settings, { ...deps, readSecret: () => TOKEN });
}

function send(destination: Destination, batch: Parameters<Destination["send"]>[0]): Promise<SendResult> {
  return destination.send(batch, new AbortController().signal);
}

function recordsIn(sink: WebhookSink): LogRecord[] {
  return sink.taken.flatMap(({ body, headers }: Received) => {
    const plain = headers["content-encoding"] === "gzip" ? gunzipSync(body) : body;
    return logRecordsOf(plain, String(headers["content-type"]));
  });
}
