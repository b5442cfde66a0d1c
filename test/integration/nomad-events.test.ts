import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { createServer, request } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { SimulatorOptions } from "../../packages/nomad-simulator/src/index.ts";
import { RawEventStream } from "../support/raw-event-stream.ts";
import { simulatedNomad, type SimulatedNomad } from "../support/simulated-nomad.ts";
import { startStandIn, type StandIn } from "../support/stand-in.ts";
import { until } from "../support/until.ts";

let folder: string;
let nomad: SimulatedNomad;
let standIn: StandIn | undefined;
let streams: RawEventStream[];
const closers: (() => Promise<void>)[] = [];

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "ncf-compat-"));
  streams = [];
});
afterEach(async () => {
  for (const stream of streams) stream[Symbol.dispose]();
  await standIn?.stop();
  standIn = undefined;
  for (const close of closers.splice(0)) await close();
  await rm(folder, { recursive: true });
});

async function simulate(options: SimulatorOptions = {}): Promise<void> {
  nomad = await simulatedNomad(options);
  closers.push(async () => nomad[Symbol.asyncDispose]());
}

/** Answers where Nomad's clients connect, once frames are recorded. */
async function start(flags: Record<string, string> = {}): Promise<string> {
  const { managementToken } = nomad.simulator;
  const token = managementToken === undefined ? {} : { nomadToken: managementToken.secretId };
  standIn = await startStandIn({ nomadAddr: nomad.url, folder, flags: { ...token, ...flags } });
  return standIn.address;
}

describe("the address of the stand-in", () => {
  it("is named by its own option where it is taken", async () => {
    await simulate();
    await expect(start({ compatListen: new URL(nomad.url).host })).rejects.toMatchObject({
      code: "LISTEN_FAILED",
      hint: expect.stringMatching(/another port with --compat-listen$/) as string,
    });
  });
});

/** Nomad behind something that denies the stream to `token` as often as it is told to, and is then away for it, or not. */
async function startDenying(token: string): Promise<{ url: string; denials: number; isAway: boolean }> {
  const gateway = { url: "", denials: 0, isAway: false };
  const server = createServer((message, response) => {
    const { url = "/", headers } = message;
    const isAsked = url.startsWith("/v1/event/stream") && headers["x-nomad-token"] === token;
    if (isAsked && gateway.denials > 0) {
      gateway.denials -= 1;
      response.writeHead(403).end("Permission denied");
      return;
    }
    if (isAsked && gateway.isAway) {
      response.destroy();
      return;
    }
    const passed = request(nomad.url + url, { headers }, (answer) => {
      response.writeHead(answer.statusCode ?? 500, answer.headers);
      response.flushHeaders();
      answer.pipe(response).once("close", () => answer.destroy());
    });
    passed.once("error", () => response.destroy()).end();
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  gateway.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  closers.unshift(async () => {
    server.close();
    server.closeAllConnections();
  });
  return gateway;
}

async function open(address: string, query: string, token?: string): Promise<RawEventStream> {
  const stream = await RawEventStream.open(
    address,
    query,
    token === undefined ? {} : { "x-nomad-token": token },
  );
  streams.push(stream);
  return stream;
}

const parsed = (line: string): unknown => JSON.parse(line);

describe("the stand-in for Nomad's event stream", () => {
  it("says word for word what Nomad says, for whatever is asked", async () => {
    await simulate({ seed: 3, allocations: 30, namespaces: 3 });
    const address = await start();
    const queries = [
      "namespace=*",
      "",
      "namespace=*&topic=Job&topic=Node",
      "namespace=*&topic=Allocation:web&topic=Evaluation",
    ];
    const pairs = await Promise.all(
      queries.map(async (query) => [await open(nomad.url, query), await open(address, query)] as const),
    );
    for (let round = 0; round < 20; round += 1) {
      nomad.simulator.churn(5);
      await new Promise((resolve) => setImmediate(resolve));
    }
    const last = (await open(nomad.url, "namespace=*&index=9007199254740991")).reaches(1);
    const newest = (await last).indexes.at(-1) ?? 0;
    await pairs[0]?.[1].reaches(newest);
    for (const [theirs, ours] of pairs) {
      await until("both have the same number", () => ours.frames.length === theirs.frames.length);
      // Nomad writes maps in another order for each who listens.
      expect(ours.lines.map(parsed)).toEqual(theirs.lines.map(parsed));
      expect(ours.status).toBe(200);
      expect(ours.headers).toEqual({ ...theirs.headers });
    }
  });

  it("keeps over a restart what Nomad's buffer has long dropped", async () => {
    await simulate({ seed: 4, allocations: 30, eventBufferSize: 10 });
    let address = await start();
    const before = await open(address, "namespace=*");
    await before.reaches(1);
    const [first = 0] = before.indexes;
    for (let round = 0; round < 30; round += 1) {
      nomad.simulator.churn(1);
      await new Promise((resolve) => setImmediate(resolve));
    }
    const { index } = nomad.simulator;
    await until("all is recorded", async () => (await before.reaches(index - 3)).frames.length > 20);
    const told = before.frames.length;
    await standIn?.stop();
    address = await start();
    const again = await open(address, `namespace=*&index=${first}`);
    await until("all comes again", () => again.frames.length >= told);
    expect(again.frames.slice(0, told)).toEqual(before.frames.slice(0, told));
    expect((await open(nomad.url, `namespace=*&index=${first}`)).indexes).not.toContain(first);
  });

  it("says what a client misses that was lost while it was away", async () => {
    await simulate({ seed: 5, allocations: 30, eventBufferSize: 5 });
    await start();
    nomad.simulator.churn(3);
    await until("something is recorded", async () => ((await standIn?.recorded()) ?? 0) > 0);
    await standIn?.stop();
    nomad.simulator.churn(60);
    const address = await start();
    await until("what is left of it is recorded", async () => ((await standIn?.recorded()) ?? 0) >= 5);
    const stream = await open(address, "namespace=*&index=1");
    await stream.reaches(nomad.simulator.index - 3);
    expect(stream.headers["x-changefeed-gap"]).toMatch(/^1-\d+, \d+-\d+$/);
  });

  it("hears of namespaces that come later, which Nomad's own stream never does", async () => {
    await simulate({ seed: 6 });
    const address = await start();
    const ours = await open(address, "namespace=*&topic=Job");
    const theirs = await open(nomad.url, "namespace=*&topic=Job");
    nomad.simulator.cluster.createNamespace("later");
    await until("it is begun anew", () => nomad.simulator.subscriptions >= 2);
    const heard = async () => {
      nomad.simulator.cluster.registerJob({ id: "x", namespace: "later" });
      return ours.frames.some((line) => line.includes('"Namespace":"later"'));
    };
    await until("a job of it is heard", heard);
    expect(theirs.frames.filter((line) => line.includes('"Namespace":"later"'))).toEqual([]);
  });

  it("passes everything else on, with the caller's token and the caller's words", async () => {
    await simulate({ acl: true, allocations: 10 });
    const address = await start();
    const { managementToken } = nomad.simulator;
    const headers = { "x-nomad-token": managementToken?.secretId ?? "" };
    const theirs = await fetch(`${nomad.url}/v1/jobs`, { headers });
    const ours = await fetch(`${address}/v1/jobs`, { headers });
    expect(await ours.text()).toBe(await theirs.text());
    expect(ours.headers.get("x-nomad-index")).toBe(theirs.headers.get("x-nomad-index"));
    expect((await fetch(`${address}/v1/jobs`)).status).toBe((await fetch(`${nomad.url}/v1/jobs`)).status);
    expect((await fetch(`${address}/v1/event/stream?topic=a:b:c`)).status).toBe(400);
    expect((await fetch(`${address}/v1/event/stream?index=x`)).status).toBe(400);
  });

  const PLAIN = "text/plain; charset=utf-8";
  const JSON_TYPE = "application/json";
  // As real ones of 2.0.5, 1.9.7 and 1.7.7 were seen to, whatever the one that is asked does.
  it.each([
    [undefined, true, { stranger: 200, other: 200 }, JSON_TYPE],
    ["2.0.5", false, { stranger: 200, other: 200 }, JSON_TYPE],
    ["1.9.7", true, { stranger: 403, other: 403 }, PLAIN],
    ["1.7.7", true, { stranger: 403, other: 500 }, JSON_TYPE],
    [undefined, false, { stranger: 403, other: 403 }, PLAIN],
  ])("denies as Nomad %s does (%s, %o)", async (version, hijacks, expected, type) => {
    await simulate({ acl: true, hijacks });
    const address = await start(version === undefined ? {} : { compatVersion: version });
    const { acl } = nomad.simulator;
    acl.setPolicy("none", { namespaces: { other: "read" } });
    const tokens = {
      stranger: "00000000-0000-0000-0000-000000000000",
      other: acl.createToken({ policies: ["none"] }).secretId,
    };
    for (const who of ["stranger", "other"] as const) {
      const denied = await open(address, "topic=Job", tokens[who]);
      await until("it ends", () => denied.hasEnded);
      expect(denied.status).toBe(expected[who]);
      expect(denied.headers["content-type"]).toBe(type);
      expect(denied.lines).toEqual(denied.status === 200 ? [] : ["Permission denied"]);
      if (version === undefined) continue;
      expect(denied.headers).toMatchObject({ "cache-control": "no-cache", vary: "Accept-Encoding" });
      expect(denied.headers["content-length"]).toBe(denied.status === 200 ? undefined : "17");
    }
  });

  it("leaves to Nomad the topics that its own token may not hear", async () => {
    await simulate({ acl: true });
    const { acl, cluster, managementToken } = nomad.simulator;
    acl.setPolicy("bridge", { namespaces: { "*": "read" }, node: "read" });
    const address = await start({ nomadToken: acl.createToken({ policies: ["bridge"] }).secretId });
    const secret = managementToken?.secretId;
    await until("only the record listens", () => nomad.simulator.subscriptions === 1);
    const nodes = await open(address, "namespace=*&topic=Job&index=1", secret);
    const tokens = await open(address, "namespace=*&topic=ACLToken&index=1", secret);
    acl.createToken({ policies: ["bridge"] });
    cluster.registerJob({ id: "web" });
    await until("both are told", () => tokens.frames.length >= 3 && nodes.frames.length > 0);
    await until("one of the two is told by Nomad itself", () => nomad.simulator.subscriptions === 2);
  });

  it("says what a client may miss of the time in which its own token could not hear all topics, over restarts too", async () => {
    await simulate({ acl: true });
    const { acl, cluster, managementToken } = nomad.simulator;
    const secret = managementToken?.secretId;
    acl.setPolicy("bridge", { namespaces: { "*": "read" }, node: "read" });
    const narrow = { nomadToken: acl.createToken({ policies: ["bridge"] }).secretId };
    let address = "";
    const recordJob = async (id: string, flags = {}) => {
      await standIn?.stop();
      address = await start(flags);
      const jobs = await open(address, "namespace=*&topic=Job", secret);
      cluster.registerJob({ id });
      await until("it is recorded", () => jobs.lines.some((line) => line.includes(`"${id}"`)));
    };
    await recordJob("one");
    const from = nomad.simulator.index;
    await recordJob("two", narrow);
    acl.createToken({ policies: ["bridge"] });
    await recordJob("three", narrow);
    const gapOf = async (topic: string) =>
      (await open(address, `namespace=*&topic=${topic}&index=${from}`, secret)).headers["x-changefeed-gap"];
    const gap = new RegExp(`^${from}-\\d+$`);
    await standIn?.stop();
    address = await start();
    expect([await gapOf("ACLToken"), await gapOf("Job")]).toEqual([expect.stringMatching(gap), undefined]);
    await recordJob("four");
    expect(await gapOf("ACLToken")).toMatch(gap);
  });

  it("ends the stream of a token that is deleted", async () => {
    await simulate({ acl: true });
    const address = await start();
    const { acl, cluster } = nomad.simulator;
    acl.setPolicy("reader", { namespaces: { default: "read" } });
    const token = acl.createToken({ policies: ["reader"] });
    const stream = await open(address, "topic=Job", token.secretId);
    cluster.registerJob({ id: "one" });
    await until("it hears", () => stream.frames.length > 0);
    acl.deleteToken(token.secretId);
    await until("it ends", () => stream.hasEnded);
  });

  it("ends where Nomad denied it and cannot be asked again, and nobody has it by an older word", async () => {
    await simulate({ acl: true });
    const { acl, cluster } = nomad.simulator;
    acl.setPolicy("reader", { namespaces: { default: "read" } });
    const token = acl.createToken({ policies: ["reader"] }).secretId;
    const gateway = await startDenying(token);
    const address = await start({ nomadAddr: gateway.url });
    const stream = await open(address, "topic=Job", token);
    cluster.registerJob({ id: "one" });
    await until("it hears", () => stream.frames.length > 0);
    gateway.denials = 1;
    gateway.isAway = true;
    acl.createToken({ policies: ["reader"] });
    await until("it ends", () => stream.hasEnded);
    expect((await open(address, "topic=Job", token)).status).toBeGreaterThanOrEqual(500);
  });

  it("goes on where Nomad denied it only once, as a server that starts does", async () => {
    await simulate({ acl: true });
    const { acl, cluster } = nomad.simulator;
    acl.setPolicy("reader", { namespaces: { default: "read" } });
    const token = acl.createToken({ policies: ["reader"] }).secretId;
    const gateway = await startDenying(token);
    const stream = await open(await start({ nomadAddr: gateway.url }), "topic=Job", token);
    cluster.registerJob({ id: "one" });
    await until("it hears", () => stream.frames.length > 0);
    gateway.denials = 1;
    // What may change rights has Nomad asked.
    acl.createToken({ policies: ["reader"] });
    await until("it is denied", () => gateway.denials === 0);
    cluster.registerJob({ id: "two" });
    await until("it hears more", () => stream.frames.some((frame) => frame.includes('"two"')));
    expect(stream.hasEnded).toBe(false);
  });

  it("goes on for whoever had it while Nomad is away", async () => {
    await simulate({ allocations: 10 });
    const address = await start();
    const first = await open(address, "namespace=*");
    nomad.simulator.churn(5);
    await until("it hears", () => first.frames.length > 0);
    await nomad.simulator.close();
    const again = await open(address, "namespace=*");
    await until("it has all that was told", () => again.frames.length === first.frames.length);
    expect(again.frames).toEqual(first.frames);
    const stranger = await open(address, "namespace=*&topic=Node");
    expect(stranger.status).toBe(502);
  });
});
