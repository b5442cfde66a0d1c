import { once } from "node:events";
import { connect } from "node:net";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { HISTORY_PARAMETERS } from "../../src/schemas/read-queries.ts";
import { PARAMETERS } from "../../src/schemas/subscription-schema.ts";
import { TestFeed } from "../support/http-feed.ts";
import { WebSocketClient } from "../support/websocket-client.ts";

/** Some of the members that every plain object has, whatever was put into it. */
const NAMES = ["constructor", "__proto__", "toString", "hasOwnProperty"];
let feed: TestFeed;
let url: string;

beforeAll(async () => {
  feed = await TestFeed.open();
  await feed.commitMany("a", 3);
  ({ url } = await feed.serve());
});
afterAll(() => feed[Symbol.asyncDispose]());

async function defects(): Promise<number> {
  const { values } = await feed.metrics.refusals.get();
  return values.find(({ labels }) => labels.code === "INTERNAL")?.value ?? 0;
}

/** Answered, and not by a defect. */
async function assertSound(path: string, init: RequestInit = {}): Promise<Response> {
  const response = await fetch(`${url}${path}`, { signal: AbortSignal.timeout(20_000), ...init });
  expect({ path, status: response.status }).not.toEqual({ path, status: 500 });
  expect(await defects()).toBe(0);
  return response;
}

describe.each(NAMES)("%s, a member of every object,", (name) => {
  it("is a value of any parameter like any other that does not exist", async () => {
    for (const parameter of PARAMETERS) {
      const value = encodeURIComponent(parameter === "filter" ? `op == ${name}` : name);
      await (await assertSound(`/v1/events?${parameter}=${value}`)).text();
      if (parameter !== "lastEventId") await (await assertSound(`/v1/state?${parameter}=${value}`)).text();
    }
    for (const parameter of HISTORY_PARAMETERS)
      await (await assertSound(`/v1/history?${parameter}=${name}`)).text();
  });

  it("is no parameter, no route, no event and no consumer", async () => {
    for (const path of ["/v1/events", "/v1/state", "/v1/history"])
      expect((await assertSound(`${path}?${name}=1`)).status).toBe(400);
    for (const path of [`/${name}`, `/v1/${name}`, `/v1/data/${name}`, `/v1/consumers/${name}`])
      expect([400, 404]).toContain((await assertSound(path)).status);
  });

  it("has no meaning in any header", async () => {
    const response = await assertSound("/v1/events", { headers: { accept: name } });
    expect(response.headers.get("content-type")).toContain("application/cloudevents-batch+json");
    for (const header of ["authorization", "x-nomad-token", "last-event-id", "if-none-match", "content-type"])
      await (await assertSound("/v1/events", { headers: { [header]: name } })).text();
  });

  it("is an ordinary word in a filter", async () => {
    for (const filter of [
      `${name} == 1`,
      `After.${name} is empty`,
      `resource.${name} == 1`,
      `Meta contains ${name}`,
      `ID matches \`[[:${name}:]]\``,
      `ID matches \`\\p{${name}}\``,
      `any Meta as ${name} { ${name} == 1 }`,
    ]) {
      const response = await assertSound(`/v1/events?filter=${encodeURIComponent(filter)}`);
      expect([200, 400]).toContain(response.status);
      await response.text();
    }
  });

  it("is no message of a client", async () => {
    for (const message of [
      `{"${name}":1}`,
      `{"ping":"${name}"}`,
      `{"ack":"${name}"}`,
      JSON.stringify(name),
    ]) {
      const client = await WebSocketClient.connect(`${url}/v1/events`);
      client.socket.send(message);
      expect(await client.closed()).toMatchObject({ code: 4400 });
    }
  });
});

it.each([
  "*:99999/v1/events",
  "*",
  "http://[/v1/events",
  "//",
  "/%zz",
  "/\\",
  "constructor",
  "http://127.0.0.1/v1/events",
])("a request for %s is answered, and is no defect", async (target) => {
  const { hostname, port } = new URL(url);
  for (const more of ["", "Upgrade: websocket\r\nConnection: Upgrade\r\n"]) {
    const socket = connect(Number(port), hostname);
    await once(socket, "connect");
    socket.end(`GET ${target} HTTP/1.1\r\nHost: 127.0.0.1\r\n${more}Connection: close\r\n\r\n`);
    const answer = Buffer.concat(await socket.toArray()).toString();
    expect(answer).toMatch(/^HTTP\/1\.1 (200|40\d)/);
    expect(await defects()).toBe(0);
  }
});
