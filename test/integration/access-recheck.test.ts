import { once } from "node:events";
import { createServer } from "node:http";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { TestClock } from "../support/test-clock.ts";
import { NomadTokens, type AskNomad } from "../../src/http/access/nomad-tokens.ts";
import { resolveNomadOptions } from "../../src/nomad/options.ts";
import { createSubscriberRights } from "../../src/nomad/subscriber-rights.ts";
import { systemClock } from "../../src/shared/clock.ts";
import { silentLogger } from "../../src/telemetry/logger.ts";
import { AccessFeed, bearer, END, everyKind, openReader } from "../support/access-feed.ts";
import { controlDraft, draft } from "../support/drafts.ts";
import { HttpStream } from "../support/http-stream.ts";
import { until } from "../support/until.ts";
import { WebSocketClient } from "../support/websocket-client.ts";

const RECHECK = { recheckIntervalMs: 40, keepWhileRefusedMs: 80 };

let access: AccessFeed;
beforeEach(async () => {
  access = await AccessFeed.open();
});
afterEach(() => access[Symbol.asyncDispose]());

const job = (id: string, namespace: string) =>
  draft({ id, namespace, resource: "jobs", type: "nomad.job.updated" });
const toAll = (id: string) => controlDraft(id, "nomad.feed.epoch", { resource: null, namespace: null });

function connect(url: string, token: string): Promise<WebSocketClient> {
  return WebSocketClient.connect(`${url}/v1/events`, [], { headers: bearer(token) });
}

async function ending(client: WebSocketClient): Promise<unknown> {
  const events = await client.until(() => false);
  return { code: events.at(-1)?.data["code"], closed: await client.closed() };
}

/** Commits until a round in which the stream shows, or hides, what is in `namespace`. */
async function untilShown(client: WebSocketClient, namespace: string, shown: boolean): Promise<void> {
  let round = 0;
  await until(`${namespace} ${shown ? "shown" : "hidden"}`, async () => {
    round += 1;
    await access.feed.commit(job(`probe-${round}`, namespace), toAll(`all-${round}`));
    const ids = (await client.until(({ id }) => id === `all-${round}`)).map(({ id }) => id);
    return ids.includes(`probe-${round}`) === shown;
  });
}

describe("an open stream", () => {
  it("is narrowed and widened as its token's rights are", async () => {
    const { url } = await access.serve(RECHECK);
    const token = access.nomadToken({ namespaces: { default: "read", "qa-1": "read" } });
    const client = await connect(url, token);
    await untilShown(client, "qa-1", true);
    access.nomad.simulator.faults.narrowToken(token, { namespaces: { default: "read" } });
    await untilShown(client, "qa-1", false);
    await untilShown(client, "default", true);
    access.nomad.simulator.faults.narrowToken(token, { namespaces: { "*": "read" } });
    await untilShown(client, "secret", true);
    await client.close();
    expect(await client.closed()).toMatchObject({ code: 1005 });
  });

  it("hides on replay what was lost, too", async () => {
    const { url } = await access.serve(RECHECK);
    await access.feed.commit(job("there", "default"), job("hidden", "qa-1"), toAll(END));
    const token = access.nomadToken({ namespaces: { default: "read", "qa-1": "read" } });
    const replay = async () => {
      await using reader = await openReader("ndjson", url, token, "earliest");
      return await reader.idsUntil(END);
    };
    expect(await replay()).toEqual(["there", "hidden", END]);
    access.nomad.simulator.faults.narrowToken(token, { namespaces: { default: "read" } });
    await until("the narrowed replay", async () => !(await replay()).includes("hidden"));
    expect(await replay()).toEqual(["there", END]);
  });

  it.each([
    ["deleted", 4401, "UNAUTHORIZED"],
    ["left without rights", 4403, "FORBIDDEN"],
  ])("ends where its token is %s", async (what, code, reason) => {
    const { url } = await access.serve(RECHECK);
    const token = access.nomadToken({ namespaces: { default: "read" } });
    const client = await connect(url, token);
    await using stream = await HttpStream.open(`${url}/v1/events`, "application/x-ndjson", bearer(token));
    const { faults } = access.nomad.simulator;
    if (what === "deleted") faults.revokeToken(token);
    else faults.narrowToken(token, {});
    expect(await ending(client)).toEqual({ code: reason, closed: { code, reason } });
    const items = await stream.until(() => false);
    expect(items.at(-1)?.event.data).toMatchObject({ code: reason, closeCode: code });
    await expect(connect(url, token)).rejects.toMatchObject({ body: { code: reason } });
  });

  it("goes on where Nomad refused its token only once, as a server that starts does", async () => {
    const said: string[] = [];
    let refuses = false;
    const ask: AskNomad = async (token, signal) => {
      const answer = refuses ? ({ kind: "unknown" } as const) : await access.rightsOf(token, signal);
      refuses = false;
      said.push(answer.kind);
      return answer;
    };
    const clock = new TestClock();
    const authenticators = [new NomadTokens(ask, { logger: silentLogger(), clock, openWithoutAcls: false })];
    const { url } = await access.serve({ pingIntervalMs: 3_600_000 }, { clock, authenticators });
    const client = await connect(url, access.nomadToken({ namespaces: { default: "read" } }));
    refuses = true;
    await until("it is asked about again", async () => {
      await clock.advance(1000);
      return said.length === 3;
    });
    expect(said).toEqual(["known", "unknown", "known"]);
    await clock.advance(15_000);
    await untilShown(client, "default", true);
    await client.close();
    expect(await client.closed()).toMatchObject({ code: 1005 });
  });

  it("ends when its token expires, not at the next check", async () => {
    const { url } = await access.serve({ recheckIntervalMs: 3_600_000 });
    const expiresAt = Date.now() + 400;
    const client = await connect(url, access.nomadToken({ namespaces: { default: "read" } }, expiresAt));
    expect(await ending(client)).toMatchObject({ closed: { code: 4401 } });
    expect(Date.now()).toBeGreaterThanOrEqual(expiresAt);
  });

  it("ends where its static token leaves the file, and follows its namespaces", async () => {
    const token = "a-static-token-that-changes-1";
    const write = (namespaces: string[]) =>
      access.writeTokens([{ name: "s", token, namespaces, resources: ["*"] }]);
    write(["default", "qa-*"]);
    const { url } = await access.serve(RECHECK);
    const client = await connect(url, token);
    await untilShown(client, "qa-1", true);
    write(["default"]);
    await untilShown(client, "qa-1", false);
    access.writeTokens([]);
    expect(await ending(client)).toMatchObject({ closed: { code: 4401 } });
  });
});

describe("while Nomad is away", () => {
  it("the last decision counts for a bounded time, and new tokens have to wait", async () => {
    const clock = new TestClock();
    const { url } = await access.serve({ keepWhileAwayMs: 300_000, pingIntervalMs: 3_600_000 }, { clock });
    const token = access.nomadToken({ namespaces: { default: "read" } });
    const other = access.nomadToken({ namespaces: { default: "read" } });
    const client = await connect(url, token);
    const leftAtMs = clock.elapsed();
    access.nomad.simulator.faults.add({ kind: "500", resource: "acl" });
    const refused = await fetch(`${url}/v1/events`, { headers: bearer(other) });
    expect(refused.headers.get("retry-after")).toBe("5");
    expect(await refused.json()).toMatchObject({ code: "AUTH_UNAVAILABLE" });
    expect(refused.status).toBe(503);
    expect((await fetch(`${url}/v1/events`, { headers: bearer(token) })).status).toBe(200);
    await untilShown(client, "default", true);
    const ended = ending(client);
    let isOver = false;
    void ended.then(() => (isOver = true));
    await until("the stream has ended", async () => {
      if (!isOver) await clock.advance(60_000);
      return isOver;
    });
    expect(await ended).toMatchObject({ code: "AUTH_UNAVAILABLE", closed: { code: 1013 } });
    expect(clock.elapsed() - leftAtMs).toBeGreaterThanOrEqual(300_000);
    expect((await fetch(`${url}/v1/events`, { headers: bearer(token) })).status).toBe(503);
    access.nomad.simulator.faults.clear();
    expect((await fetch(`${url}/v1/events`, { headers: bearer(token) })).status).toBe(200);
  });

  it("static tokens are good as ever", async () => {
    const token = "a-static-token-without-nomad-1";
    access.writeTokens([{ name: "s", token, namespaces: ["*"], resources: ["*"] }]);
    const { url } = await access.serve();
    access.nomad.simulator.faults.add({ kind: "500" });
    expect((await fetch(`${url}/v1/events`, { headers: bearer(token) })).status).toBe(200);
  });
});

it("where policies cannot be read, Nomad is asked for each namespace", async () => {
  const token = access.nomadToken({ namespaces: { default: "read", "qa*": ["list-jobs"] }, node: "read" });
  await using gateway = await withoutPolicies(access.nomad.url);
  const logger = silentLogger();
  const rights = createSubscriberRights(resolveNomadOptions({ addresses: [gateway.url] }), {
    logger,
    clock: systemClock,
  });
  const ask: AskNomad = (text, signal) => rights.rightsOf(text, signal);
  const authenticators = [new NomadTokens(ask, { logger, clock: systemClock, openWithoutAcls: false })];
  const { url } = await access.serve({}, { authenticators });
  await access.feed.commit(...everyKind(""));
  await using reader = await openReader("page", url, token, "earliest");
  expect(await reader.idsUntil(END)).toEqual([
    ...["jobs", "allocations", "deployments", "evaluations"].map((resource) => `${resource}/default`),
    "jobs/qa-1",
    "namespaces/default",
    "namespaces/qa-1",
    "nodes",
    "baseline jobs/default",
    "baseline jobs/qa-1",
    "baseline nodes",
    END,
  ]);
  await rights[Symbol.asyncDispose]();
});

it("where policies cannot be read, a server that has just started does not take rights away", async () => {
  const token = access.nomadToken({ namespaces: { default: "read" } });
  await using gateway = await withoutPolicies(access.nomad.url, { refusesStale: true });
  await using rights = createSubscriberRights(resolveNomadOptions({ addresses: [gateway.url] }), {
    logger: silentLogger(),
    clock: systemClock,
  });
  await expect(rights.rightsOf(token, new AbortController().signal)).rejects.toMatchObject({
    code: "NOMAD_FORBIDDEN",
  });
});

/**
 * Nomad behind something that lets nobody read policies. `refusesStale`: the server answers itself only what may be
 * stale, and knows no token yet.
 */
async function withoutPolicies(
  nomad: string,
  { refusesStale = false } = {},
): Promise<{ url: string } & AsyncDisposable> {
  const server = createServer((request, response) => {
    void (async () => {
      const path = request.url ?? "/";
      const headers = { "x-nomad-token": String(request.headers["x-nomad-token"] ?? "") };
      const hidden = path.startsWith("/v1/acl/polic") || (refusesStale && /[?&]stale(=|&|$)/.test(path));
      const answer = hidden ? undefined : await fetch(nomad + path, { headers });
      response.writeHead(answer?.status ?? 403, { "content-type": "application/json", "x-nomad-index": "1" });
      response.end(answer === undefined ? "Permission denied" : await answer.text());
    })();
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("no port");
  return {
    url: `http://127.0.0.1:${address.port}`,
    [Symbol.asyncDispose]: async () => {
      server.close();
      server.closeAllConnections();
    },
  };
}

describe("where Nomad runs without ACLs", () => {
  it("every token sees everything, and no token is one only where that is asked for by name", async () => {
    await using open = await AccessFeed.open({ acl: false });
    await open.feed.commit(...everyKind(""));
    const { url } = await open.serve();
    const page = await fetch(`${url}/v1/events?limit=1000`, { headers: bearer("whatever") });
    expect(await page.json()).toHaveLength(everyKind("").length);
    expect((await fetch(`${url}/v1/events`)).status).toBe(401);
    const asked = await open.serve({}, { authenticators: open.authenticators({ openWithoutAcls: true }) });
    expect((await fetch(`${asked.url}/v1/events`)).status).toBe(200);
  });
});
