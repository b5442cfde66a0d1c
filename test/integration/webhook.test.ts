import { readFileSync } from "node:fs";
import { afterAll, afterEach, beforeEach, describe, expect, test } from "vitest";
import { Webhook } from "standardwebhooks";
import type { Destination, SendResult } from "../../src/publishers/delivery/destination.ts";
import { openWebhook } from "../../src/publishers/webhook/webhook.ts";
import type { Resolve } from "../../src/publishers/http-client/addresses.ts";
import { webhookSettingsSchema } from "../../src/schemas/destinations/webhook.ts";
import { destinationDeps } from "../support/destination-deps.ts";
import { outgoing } from "../support/outgoing.ts";
import { recordingLogger } from "../support/recording-logger.ts";
import { TestClock } from "../support/test-clock.ts";
import { createTestAuthority } from "../support/tls-certificates.ts";
import { status, WebhookSink } from "../support/webhook-sink.ts";

const OLD = `whsec_${Buffer.alloc(24, "old").toString("base64")}`;
const NEW = `whsec_${Buffer.alloc(32, "new").toString("base64")}`;
const BEHIND: Readonly<Record<string, string>> = { "env:OLD": OLD, "env:NEW": NEW };

let sink: WebhookSink;
const opened: Destination[] = [];
beforeEach(async () => {
  sink = await WebhookSink.start();
});
afterEach(async () => {
  await Promise.all(opened.splice(0).map((destination) => destination[Symbol.asyncDispose]()));
  await sink[Symbol.asyncDispose]();
});

interface Given {
  readonly deps?: Parameters<typeof destinationDeps>[0];
  readonly resolve?: Resolve;
}

async function open(settings: object = {}, { deps, resolve }: Given = {}): Promise<Destination> {
  const parsed = webhookSettingsSchema.parse({
    type: "webhook",
    url: `${sink.url}/hook?a=b`,
    allowPrivate: true,
    ...settings,
  });
  const readSecret = (reference: string) => BEHIND[reference] ?? "";
  const destination = await openWebhook(parsed, destinationDeps({ readSecret, ...deps }), resolve);
  opened.push(destination);
  return destination;
}

function send(destination: Destination, ...batch: ReturnType<typeof outgoing>[]): Promise<SendResult> {
  return destination.send(batch, AbortSignal.timeout(60_000));
}

describe("what is sent", () => {
  test("the request: method, path, headers, and the signature that both secrets make", async () => {
    const destination = await open({
      method: "PUT",
      headers: { "X-Team": "ops" },
      secrets: ["env:OLD", "env:NEW"],
    });
    await send(destination, outgoing(1));
    const [request] = sink.taken;
    expect(request).toMatchObject({
      method: "PUT",
      path: "/hook?a=b",
      headers: { "x-team": "ops", "content-type": "application/cloudevents+json; charset=utf-8" },
    });
    const headers = request?.headers as Record<string, string>;
    for (const secret of [OLD, NEW]) {
      expect(new Webhook(secret).verify(request?.body ?? "", headers)).toMatchObject({ id: outgoing(1).id });
    }
  });

  test("the id is the same over attempts, the timestamp is of the attempt; another event or feed has another", async () => {
    const clock = new TestClock();
    const [one, other] = [
      await open({}, { deps: { clock } }),
      await open({}, { deps: { clock, source: "nomad://other/global" } }),
    ];
    await send(one, outgoing(1));
    clock.pass(61_000);
    await send(one, outgoing(1));
    await send(one, outgoing(2));
    await send(other, outgoing(1));
    const [first, again, second, another] = sink.taken.map(({ headers }) => headers);
    expect(again?.["webhook-id"]).toBe(first?.["webhook-id"]);
    expect(Number(again?.["webhook-timestamp"])).toBe(Number(first?.["webhook-timestamp"]) + 61);
    expect(new Set([first, second, another].map((headers) => headers?.["webhook-id"])).size).toBe(3);
    expect(first?.["webhook-id"]).not.toContain(".");
  });

  test("binary: attributes in headers, percent-encoded, and the data's own bytes", async () => {
    const destination = await open({ format: "binary" });
    await send(destination, outgoing(1, { job: 'größe "1" 100%', data: { text: "ü" } }));
    expect(sink.taken[0]?.headers).toMatchObject({
      "content-type": "application/json",
      "ce-specversion": "1.0",
      "ce-type": "nomad.job.updated",
      "ce-subject": "jobs/default/gr%C3%B6%C3%9Fe%20%221%22%20100%25",
      "ce-severitynumber": "9",
    });
    expect(sink.taken[0]?.headers).not.toHaveProperty("ce-data");
    expect(sink.taken[0]?.headers).not.toHaveProperty("ce-datacontenttype");
    expect(sink.taken[0]?.body.toString()).toBe('{"text":"ü"}');
  });

  test("by template, with its content type", async () => {
    const template = "{{ event.type }}: {{ event.data.number }}";
    const destination = await open({ template, contentType: "text/plain" });
    await send(destination, outgoing(7));
    expect(sink.taken[0]).toMatchObject({ headers: { "content-type": "text/plain" } });
    expect(sink.taken[0]?.body.toString()).toBe("nomad.job.updated: 7");
  });

  test.each(["env:TEMPLATE", "file:template.liquid"])("by the template behind %s", async (template) => {
    const readSecret = (reference: string) => (reference === template ? '"{{ event.type }}"' : "");
    const destination = await open({ template }, { deps: { readSecret } });
    await send(destination, outgoing(7));
    expect(sink.taken[0]?.body.toString()).toBe('"nomad.job.updated"');
  });

  test("a template that fails is a matter of the configuration, and nothing is sent", async () => {
    const destination = await open({ template: '{"number": {{ event.data.nothing }}}' });
    expect(await send(destination, outgoing(1))).toMatchObject({
      outcome: "refused",
      why: "config",
      reason: expect.stringContaining("the template fails"),
    });
    expect(sink.taken).toEqual([]);
  });

  test("one after the other over connections that stay", async () => {
    const destination = await open();
    for (let number = 0; number < 20; number += 1) await send(destination, outgoing(number));
    expect(sink.taken).toHaveLength(20);
    expect(sink.open()).toBeLessThanOrEqual(2);
  });
});

describe("where nothing may be sent", () => {
  test.each([
    "http://127.0.0.1",
    "http://[::1]",
    "http://[::ffff:127.0.0.1]",
    "http://0x7f.1",
    "http://169.254.169.254",
  ])("%s is refused before anybody is asked", async (origin) => {
    const url = `${origin}:${new URL(sink.url).port}/`;
    const destination = await open({ url, allowPrivate: false });
    expect(await send(destination, outgoing(1))).toMatchObject({ outcome: "refused", why: "config" });
    expect(sink.open()).toBe(0);
  });

  test("localhost is refused by what it leads to", async () => {
    const url = sink.url.replace("127.0.0.1", "localhost");
    expect(await send(await open({ url, allowPrivate: false }), outgoing(1))).toMatchObject({
      outcome: "refused",
      why: "config",
      reason: expect.stringContaining("localhost leads to"),
    });
  });

  test("a name is refused by what it leads to, each time that it is connected to", async () => {
    const asked: string[] = [];
    const resolve: Resolve = (host, _options, done) => {
      asked.push(host);
      done(null, [{ address: "127.0.0.1", family: 4 }]);
    };
    const url = sink.url.replace("127.0.0.1", "rebinding.example");
    const destination = await open({ url, allowPrivate: false }, { resolve });
    for (const number of [1, 2])
      expect(await send(destination, outgoing(number))).toMatchObject({
        outcome: "refused",
        why: "config",
        reason: expect.stringContaining("rebinding.example leads to 127.0.0.1"),
      });
    expect(asked).toEqual(["rebinding.example", "rebinding.example"]);
    expect(sink.open()).toBe(0);
  });

  test("a redirect is not followed, also not to where one may send", async () => {
    const elsewhere = await WebhookSink.start();
    await using _ = elsewhere;
    for (const code of [301, 302, 303, 307, 308]) {
      sink.answer = status(code, { location: `${elsewhere.url}/stolen` });
      expect(await send(await open(), outgoing(1))).toMatchObject({
        outcome: "refused",
        why: "config",
        reason: `it answered ${code}, a redirect, which is not followed`,
      });
    }
    expect(elsewhere.taken).toEqual([]);
  });
});

describe("what the answer says", () => {
  test.each([
    ["seconds", { "retry-after": "120" }, 120_000],
    [
      "a date, by the answer's own clock",
      { "retry-after": "Sun, 29 Nov 2026 01:02:03 GMT", date: "Sun, 29 Nov 2026 01:00:03 GMT" },
      120_000,
    ],
    ["nothing", {}, undefined],
  ])("Retry-After as %s", async (_what, headers, afterMs) => {
    sink.answer = status(503, headers);
    const result = await send(await open(), outgoing(1));
    expect(result).toMatchObject({ outcome: "retry", reason: "it answered 503" });
    expect("afterMs" in result ? result.afterMs : undefined).toBe(afterMs);
  });

  test("request and answer are kept for people, a KiB of each", async () => {
    sink.answer = status(400, {}, `no: ${"x".repeat(5000)}`);
    const { exchange } = await send(await open({ secrets: "env:OLD" }), outgoing(1));
    expect(exchange?.request).toMatch(/^POST http:\/\/127\.0\.0\.1:\d+\ncontent-type: .*\nwebhook-id: msg_/);
    expect(exchange?.request).toContain(outgoing(1).json.slice(0, 200));
    expect(exchange?.answer).toBe(`no: ${"x".repeat(1020)}`);
    expect(exchange?.status).toBe(400);
  });

  test("a body without an end holds up nobody: the status is the answer", async () => {
    const clock = new TestClock();
    sink.answer = (response) => void response.writeHead(200).write("begun");
    const destination = await open({}, { deps: { clock } });
    const result = await clock.finish(send(destination, outgoing(1)));
    expect(result).toMatchObject({ outcome: "ok", exchange: { answer: "begun" } });
  });

  test("a body of many bytes is not read to its end", async () => {
    let written = 0;
    sink.answer = (response) => {
      const more = () => {
        while (!response.destroyed && response.write(Buffer.alloc(65_536, "x"))) written += 65_536;
      };
      response.writeHead(200).on("drain", more);
      more();
    };
    expect(await send(await open(), outgoing(1))).toMatchObject({ outcome: "ok" });
    expect(written).toBeLessThan(64 * 2 ** 20);
  });

  test("a clock that differs by more than a minute is told of once", async () => {
    const { logger, lines } = recordingLogger();
    const destination = await open({}, { deps: { logger } });
    const at = (secondsAgo: number) => new Date(Date.now() - secondsAgo * 1000).toUTCString();
    for (const [secondsAgo, told] of [
      [30, 0],
      [300, 1],
      [-300, 1],
      [0, 1],
      [600, 2],
    ] as const) {
      sink.answer = status(200, { date: at(secondsAgo) });
      await send(destination, outgoing(1));
      expect(lines).toHaveLength(told);
    }
    expect(lines[0]).toContain("the clocks here and at the receiver differ");
  });
});

describe("TLS", () => {
  const authority = createTestAuthority("Hook CA");
  const server = authority.issue("server", "IP:127.0.0.1");
  const client = authority.issue("client", "DNS:bridge.example");
  afterAll(() => authority[Symbol.dispose]());

  test("the receiver is checked, and asks for our certificate", async () => {
    const [cert, key, ca] = [server.cert, server.key, authority.ca].map((path) => readFileSync(path));
    const secure = await WebhookSink.start({ cert, key, ca, requestCert: true, rejectUnauthorized: true });
    await using _ = secure;
    const { url } = secure;
    const tls = { caCert: authority.ca, clientCert: client.cert, clientKey: client.key };
    expect(await send(await open({ url, tls }), outgoing(1))).toMatchObject({ outcome: "ok" });
    const { caCert } = tls;
    expect(await send(await open({ url, tls: { caCert } }), outgoing(2))).toMatchObject({ outcome: "retry" });
    expect(await send(await open({ url }), outgoing(3))).toMatchObject({
      outcome: "retry",
      reason: expect.stringContaining("certificate"),
    });
    expect(secure.taken).toHaveLength(1);
  });
});
