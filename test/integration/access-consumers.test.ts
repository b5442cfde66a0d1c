import { get } from "node:http";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { AccessFeed, bearer } from "../support/access-feed.ts";
import { HttpStream } from "../support/http-stream.ts";
import { WebSocketClient } from "../support/websocket-client.ts";

const ANN = "static-token-of-ann-0000000001";
const BOB = "static-token-of-bob-0000000001";
const BOSS = "static-token-of-the-boss-00001";

let access: AccessFeed;
let url: string;
beforeEach(async () => {
  access = await AccessFeed.open();
  const sees = { namespaces: ["*"], resources: ["*"] };
  access.writeTokens([
    { name: "ann", token: ANN, ...sees },
    { name: "bob", token: BOB, ...sees },
    { name: "boss", token: BOSS, namespaces: ["nothing"], resources: ["jobs"], management: "true" },
  ]);
  ({ url } = await access.serve());
  await access.feed.commitMany("a", 5);
});
afterEach(() => access[Symbol.asyncDispose]());

const cursor = async (sequence: number) => `${(await access.feed.log.head()).epoch}-${sequence}`;

async function ask(
  token: string,
  method: string,
  path: string,
): Promise<{ status: number; body: Record<string, unknown> }> {
  const response = await fetch(`${url}/v1/consumers${path}`, { method, headers: bearer(token) });
  const text = await response.text();
  return { status: response.status, body: (text === "" ? {} : JSON.parse(text)) as Record<string, unknown> };
}

const ack = async (token: string, name: string, sequence: number) =>
  ask(token, "POST", `/${name}?ack=${await cursor(sequence)}`);
const namesOf = async (token: string) =>
  ((await ask(token, "GET", "")).body["consumers"] as { name: string }[]).map(({ name }) => name);
const stored = async (name: string) => (await access.feed.log.consumers.get(name))?.cursor.sequence;
const taken = {
  status: 403,
  body: { code: "CONSUMER_TAKEN", message: 'The consumer "pager" is not this token\'s' },
};

describe("the consumer of a token", () => {
  beforeEach(async () => {
    await ack(ANN, "pager", 1);
  });

  it("is refused to another token, whatever it wants of it, and nothing is told of it", async () => {
    for (const refused of [
      await ask(BOB, "GET", "/pager"),
      await ack(BOB, "pager", 4),
      await ask(BOB, "DELETE", "/pager"),
    ]) {
      expect(refused).toMatchObject(taken);
      expect(JSON.stringify(refused)).not.toContain("ann");
    }
    expect(await namesOf(BOB)).toEqual([]);
    expect(await namesOf(ANN)).toEqual(["pager"]);
    expect(await ask(ANN, "GET", "/pager")).toMatchObject({ status: 200, body: { owner: "token ann" } });
    expect(await stored("pager")).toBe(1);
  });

  it("is refused to the streams and pages of another token", async () => {
    const address = `${url}/v1/events?consumer=pager`;
    for (const accept of ["text/event-stream", "application/x-ndjson", "application/json"]) {
      const response = await fetch(address, { headers: { ...bearer(BOB), accept } });
      expect({ status: response.status, body: await response.json() }).toMatchObject(taken);
    }
    const refused = WebSocketClient.connect(address, [], { headers: bearer(BOB) });
    await expect(refused).rejects.toMatchObject({ status: 403, body: { code: "CONSUMER_TAKEN" } });
  });

  it("is in the hands of management, whatever that token may see", async () => {
    expect(await namesOf(BOSS)).toEqual(["pager"]);
    expect(await ack(BOSS, "pager", 3)).toMatchObject({ status: 200, body: { owner: "token ann" } });
    expect(await ack(ANN, "pager", 4)).toMatchObject({ status: 200 });
    expect(await ask(BOSS, "DELETE", "/pager")).toMatchObject({ status: 204 });
  });

  it("ends the stream of who had the name before, at its next ack", async () => {
    const options = { headers: bearer(ANN) };
    const client = await WebSocketClient.connect(`${url}/v1/events?consumer=pager`, [], options);
    await client.until(({ id }) => id === "a5");
    await ask(ANN, "DELETE", "/pager");
    await ack(BOB, "pager", 1);
    client.socket.send(JSON.stringify({ ack: await cursor(5) }));
    await client.until(() => false);
    expect(await client.closed()).toEqual({ code: 4403, reason: "CONSUMER_TAKEN" });
    expect(await stored("pager")).toBe(1);
  });
});

it("consumers of Nomad's tokens belong to the accessor; a management token acts for all", async () => {
  const rules = { namespaces: { default: "read" } } as const;
  const [one, other] = [access.nomadToken(rules), access.nomadToken(rules)];
  const { accessorId, secretId } = access.nomad.simulator.acl.createToken({ name: "m", type: "management" });
  expect(await ack(one, "mine", 1)).toMatchObject({
    body: { owner: expect.stringMatching(/^nomad token [0-9a-f-]{36}$/) },
  });
  expect(await ack(other, "mine", 2)).toMatchObject({ status: 403 });
  expect(await ack(secretId, "mine", 3)).toMatchObject({ status: 200 });
  expect(await ack(secretId, "its-own", 3)).toMatchObject({ body: { owner: `nomad token ${accessorId}` } });
});

describe("a consumer that nobody owns, as those of before", () => {
  beforeEach(async () => {
    await access.feed.log.consumers.put("pager", {
      epoch: (await access.feed.log.head()).epoch,
      sequence: 2,
    });
  });

  it("becomes that of the first who streams with it, from where it was", async () => {
    await using stream = await HttpStream.open(
      `${url}/v1/events?consumer=pager&limit=1`,
      "application/x-ndjson",
      bearer(ANN),
    );
    const items = await stream.until(() => false);
    expect(items.map(({ event }) => event.id)).toContain("a3");
    expect(await ask(BOB, "GET", "/pager")).toMatchObject(taken);
    expect(await ask(ANN, "GET", "/pager")).toMatchObject({
      body: { cursor: await cursor(2), owner: "token ann" },
    });
  });

  it("is read without being taken, and removed by management alone", async () => {
    expect(await ask(BOB, "GET", "/pager")).toMatchObject({ status: 200, body: { owner: null } });
    await fetch(`${url}/v1/events?consumer=pager`, { headers: bearer(BOB) });
    expect(await ask(BOB, "DELETE", "/pager")).toMatchObject(taken);
    expect(await ack(ANN, "pager", 3)).toMatchObject({ body: { owner: "token ann" } });
  });

  it("is anybody's where nobody is asked who they are, and stays so", async () => {
    ({ url } = await access.feed.serve());
    expect(await ack("", "pager", 3)).toMatchObject({ status: 200, body: { owner: null } });
    expect(await ask("", "DELETE", "/pager")).toMatchObject({ status: 204 });
    expect(await ack("", "another", 3)).toMatchObject({ status: 200, body: { owner: null } });
  });
});

it("names have bounds, of a token and in all; those that there are go on", async () => {
  ({ url } = await access.serve({ consumerLimits: { perToken: 1, total: 2 } }));
  expect(await ack(ANN, "a", 1)).toMatchObject({ status: 200 });
  expect(await ack(ANN, "b", 1)).toMatchObject({ status: 429, body: { code: "CONSUMERS_FULL" } });
  const stream = { headers: { ...bearer(ANN), accept: "application/x-ndjson" } };
  const refused = await fetch(`${url}/v1/events?consumer=b`, stream);
  expect(refused.status).toBe(429);
  expect(await ack(BOB, "b", 1)).toMatchObject({ status: 200 });
  expect(await ack(BOSS, "c", 1)).toMatchObject({ body: { message: "There are 2 consumers already" } });
  expect(await ack(ANN, "a", 2)).toMatchObject({ status: 200 });
});

describe("a page of another site, where nobody is asked who they are", () => {
  beforeEach(async () => {
    ({ url } = await access.feed.serve());
  });
  /** As a browser asks; Node's fetch has headers of its own. */
  const browse = (path: string, site: string, more: Record<string, string> = {}) =>
    new Promise<number | undefined>((resolve, reject) => {
      const headers = {
        "sec-fetch-site": site,
        "sec-fetch-mode": "no-cors",
        "sec-fetch-dest": "empty",
        ...more,
      };
      get(url + path, { headers, agent: false }, (response) => {
        response.resume().once("end", () => resolve(response.statusCode));
      }).once("error", reject);
    });
  const link = { "sec-fetch-mode": "navigate", "sec-fetch-dest": "document" };

  it.each(["cross-site", "same-site"])("gets nothing done by a GET without Origin (%s)", async (site) => {
    for (const path of ["/v1/state", "/v1/events", "/v1/history", "/v1/events?consumer=new", "/metrics"]) {
      expect(await browse(path, site)).toBe(403);
    }
    expect(await browse("/v1/state", site, { ...link, "sec-fetch-dest": "iframe" })).toBe(403);
    expect(await stored("new")).toBeUndefined();
  });

  it.each(["same-origin", "none"])("is not what the server's own page or a person is (%s)", async (site) => {
    expect(await browse("/v1/state", site)).toBe(200);
    const accept = "text/event-stream";
    expect(await browse("/v1/events?consumer=own&limit=1&cursor=earliest", site, { accept })).toBe(200);
    expect(await stored("own")).toBe(0);
  });

  it("may link here, but not to what makes a consumer", async () => {
    expect(await browse("/v1/history", "cross-site", link)).toBe(200);
    const making = { ...link, accept: "application/x-ndjson" };
    expect(await browse("/v1/events?consumer=linked", "cross-site", making)).toBe(403);
    expect(await stored("linked")).toBeUndefined();
  });

  it("may ask where every origin may", async () => {
    ({ url } = await access.feed.serve({ allowOrigins: ["*"] }));
    expect(await browse("/v1/state", "cross-site")).toBe(200);
  });

  it("cannot post either, as a form would", async () => {
    const headers = { origin: "http://evil.example", "sec-fetch-site": "cross-site" };
    for (const path of ["/v1/tickets", `/v1/consumers/new?ack=${await cursor(1)}`]) {
      expect((await fetch(url + path, { method: "POST", headers })).status).toBe(403);
    }
  });
});
