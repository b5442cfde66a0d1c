import { once } from "node:events";
import { readFileSync } from "node:fs";
import { request as httpRequest, type IncomingMessage } from "node:http";
import { connect } from "node:net";
import * as fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { WebSocket } from "ws";
import { PARAMETERS } from "../../src/schemas/subscription-schema.ts";
import { TestFeed } from "../support/http-feed.ts";
import { recordingLogger } from "../support/recording-logger.ts";
import { until } from "../support/until.ts";
import { WebSocketClient } from "../support/websocket-client.ts";

const SEED = 20_260_822;
/** Every code there is, from the page that is made of the sources. */
const CODES = new Set(
  [...readFileSync(new URL("../../docs/errors.md", import.meta.url), "utf8").matchAll(/^## (\w+)$/gm)].map(
    ([, code]) => code,
  ),
);
/** How PROTOCOL.md section 7 lets the server end a WebSocket whose client sends what it should not. */
const CLOSE_CODES = [1002, 1003, 1007, 1009, 4400];

const path = fc.oneof(
  fc.constantFrom("/", "/v1/events", "/v1/state", "/v1/history", "/v1/data/x-1", "/v1/consumers/a", "/v1/x"),
  fc.webPath(),
);
const value = fc.oneof(
  fc.string({ unit: "binary", maxLength: 80 }),
  fc.constantFrom(
    "jobs",
    "true",
    "-1",
    "1e9",
    "a-1",
    "earliest",
    "10m",
    'op == "update"',
    "((((",
    "after.X matches /(a*)*$/",
  ),
);
const query = fc.array(
  fc.tuple(fc.oneof(fc.constantFrom(...PARAMETERS), fc.string({ maxLength: 20 })), value),
  {
    maxLength: 5,
  },
);
const headerText = fc.stringMatching(/^[\x20-\x7e]{0,60}$/);
const headers = fc.dictionary(
  fc.constantFrom("accept", "last-event-id", "authorization", "origin", "x-nomad-token", "range", "cookie"),
  fc.oneof(headerText, fc.constantFrom("text/event-stream", "application/x-ndjson", "Bearer x", "null")),
  { maxKeys: 3 },
);
const method = fc.constantFrom("GET", "GET", "GET", "POST", "DELETE", "HEAD", "PUT", "OPTIONS");

function samples<T>(arbitrary: fc.Arbitrary<T>, count: number): T[] {
  return fc.sample(arbitrary, { numRuns: count, seed: SEED });
}

interface Answer {
  readonly status: number;
  readonly contentType: string;
  readonly body: string;
}

/** What the server says first; a stream is left as soon as it has begun. */
function ask(url: string, target: string, options: { method: string; headers: object }): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const sent = httpRequest(
      url,
      { ...options, headers: { ...options.headers }, path: target },
      (response) => {
        const status = response.statusCode ?? 0;
        const contentType = response.headers["content-type"] ?? "";
        const parts: Buffer[] = [];
        const settle = () => resolve({ status, contentType, body: Buffer.concat(parts).toString() });
        if (/event-stream|x-ndjson/.test(contentType)) {
          response.destroy();
          settle();
        } else response.on("data", (part: Buffer) => parts.push(part)).on("close", settle);
      },
    );
    sent.on("error", reject).end();
  });
}

/** An answer, or an error with a name that is documented. */
function isNamed({ status, contentType, body }: Answer, verb: string): boolean {
  if (status < 200 || status === 500) return false;
  if (status < 400 || verb === "HEAD") return true;
  if (!contentType.startsWith("application/problem+json")) return false;
  const { code } = JSON.parse(body) as { code: string };
  return CODES.has(code);
}

describe("whatever a client sends", () => {
  let feed: TestFeed;
  let url: string;
  const { logger, lines } = recordingLogger();
  const subscribers = async () =>
    (await feed.metrics.subscribers.get()).values.reduce((sum, { value: open }) => sum + open, 0);

  beforeAll(async () => {
    feed = await TestFeed.open();
    ({ url } = await feed.serve({}, { logger }));
    await feed.commitMany("a", 20);
  });
  afterAll(() => feed[Symbol.asyncDispose]());

  /** The server lives, has let go of everybody, and calls nothing a defect of its own. */
  const expectUnharmed = async () => {
    await until("nobody is subscribed any more", async () => (await subscribers()) === 0);
    const client = await WebSocketClient.connect(`${url}/v1/events`);
    expect(await client.next()).toMatchObject({ type: "nomad.feed.hello" });
    client.socket.close();
    await until("it is gone again", async () => (await subscribers()) === 0);
    expect(lines.filter((line) => /failed|defect/i.test(line))).toEqual([]);
  };

  it("as a request gets an answer, or an error with a name", async () => {
    const requests = samples(fc.record({ path, query, headers, method }), 1500);
    const wrong: string[] = [];
    for (const one of requests) {
      const text = new URLSearchParams(
        one.query.map(([name, given]): [string, string] => [name, given.toWellFormed()]),
      );
      const target = `${encodeURI(one.path) || "/"}?${text.toString()}`;
      const answer = await ask(url, target, one);
      if (!isNamed(answer, one.method)) wrong.push(`${one.method} ${target}: ${JSON.stringify(answer)}`);
    }
    expect(wrong).toEqual([]);
    await expectUnharmed();
  });

  it("as bytes on the line is answered or cut off", async () => {
    const noise = fc.oneof(
      fc.uint8Array({ minLength: 1, maxLength: 600 }),
      fc
        .tuple(method, path, fc.uint8Array({ maxLength: 200 }))
        .map(([verb, at, rest]) =>
          Buffer.concat([Buffer.from(`${verb} ${encodeURI(at)} HTTP/1.1\r\nhost: localhost\r\n`), rest]),
        ),
    );
    const wrong: string[] = [];
    for (const bytes of samples(noise, 300)) {
      const socket = connect(Number(new URL(url).port), "127.0.0.1");
      socket.on("error", () => undefined);
      let answer = "";
      socket.on("data", (part) => (answer += part.toString("latin1")));
      socket.end(Buffer.concat([bytes, Buffer.from("\r\n\r\n")]));
      await once(socket, "close");
      if (answer !== "" && !/^HTTP\/1\.1 [1-5]\d\d /.test(answer)) wrong.push(answer);
    }
    expect(wrong).toEqual([]);
    await expectUnharmed();
  });

  it("as a message of a WebSocket is refused by a close code, or ignored by the rules", async () => {
    const message = fc.oneof(
      fc.string({ unit: "binary", maxLength: 300 }),
      fc.json(),
      fc.record({ ping: fc.oneof(fc.integer(), fc.double(), fc.string()) }).map((one) => JSON.stringify(one)),
      fc.record({ ack: fc.string() }).map((one) => JSON.stringify(one)),
      fc.uint8Array({ maxLength: 5000 }).map((bytes) => Buffer.from(bytes)),
    );
    const wrong: string[] = [];
    for (const sent of samples(message, 300)) {
      const socket = new WebSocket(`${url}/v1/events`.replace("http", "ws"));
      await once(socket, "open");
      const closed = once(socket, "close") as Promise<[number]>;
      const pong = new Promise<"pong">((resolve) => {
        socket.on("message", (data: Buffer) => data.includes("nomad.feed.pong") && resolve("pong"));
      });
      socket.send(sent);
      const outcome = await Promise.race([closed.then(([code]) => code), pong]);
      if (outcome !== "pong" && !CLOSE_CODES.includes(outcome)) wrong.push(`${sent.toString()}: ${outcome}`);
      socket.terminate();
    }
    expect(wrong).toEqual([]);
    await expectUnharmed();
  });

  it("as broken frames ends the connection", async () => {
    for (const bytes of samples(fc.uint8Array({ minLength: 2, maxLength: 400 }), 200)) {
      const socket = new WebSocket(`${url}/v1/events`.replace("http", "ws"));
      const [response] = (await once(socket, "upgrade")) as [IncomingMessage];
      socket.on("error", () => undefined);
      response.socket.write(bytes);
      response.socket.end();
      await once(socket, "close");
    }
    await expectUnharmed();
  });
});
