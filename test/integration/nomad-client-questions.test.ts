import type { RequestListener } from "node:http";
import { afterEach, describe, expect, test } from "vitest";
import { createNomadClient, type NomadClient } from "../../src/nomad/client.ts";
import { NomadError } from "../../src/nomad/errors.ts";
import { resolveNomadOptions, type RawNomadOptions } from "../../src/nomad/options.ts";
import { systemClock } from "../../src/shared/clock.ts";
import { silentLogger } from "../../src/telemetry/logger.ts";
import { sendList, sendText, serveHttp } from "../support/nomad-servers.ts";

const never = new AbortController().signal;
const UUID = "5456bd7a-9fc0-c0dd-6131-cbee77f57577";
const stops: (() => Promise<void>)[] = [];

afterEach(async () => {
  for (const stop of stops.splice(0)) await stop();
});

async function against(listener: RequestListener, raw: RawNomadOptions = {}) {
  const agent = await serveHttp(listener);
  const client = createNomadClient(resolveNomadOptions({ addresses: [agent.url], ...raw }), {
    logger: silentLogger(),
    clock: systemClock,
  });
  stops.push(async () => {
    await client[Symbol.asyncDispose]();
    await agent[Symbol.asyncDispose]();
  });
  return { agent, client };
}

const json =
  (value: unknown): RequestListener =>
  (_request, response) =>
    sendList(response, JSON.stringify(value));
const text =
  (status: number, body: string): RequestListener =>
  (_request, response) =>
    sendText(response, status, body);

async function codeOf(promise: Promise<unknown>): Promise<string | undefined> {
  return promise.then(
    () => undefined,
    (error: unknown) => (error instanceof NomadError ? error.code : "another error"),
  );
}

describe("mayList", () => {
  test("asks with a prefix that nothing has", async () => {
    const { agent, client } = await against(json([]), { consistency: "stale" });
    expect(await client.mayList("jobs", "qa", never)).toBe(true);
    expect(await client.mayList("allocations", "qa", never)).toBe(true);
    expect(await client.mayList("nodes", "-", never)).toBe(true);
    expect(await client.mayList("namespaces", "-", never)).toBe(true);
    expect(agent.requests).toEqual([
      "GET /v1/jobs?namespace=qa&prefix=%7Enone%7E",
      "GET /v1/allocations?namespace=qa&prefix=00000000-0000-0000-0000-000000000000",
      "GET /v1/nodes?prefix=00000000-0000-0000-0000-000000000000",
      "GET /v1/namespaces",
    ]);
  });

  test.each([
    [403, "Permission denied"],
    [403, "ACL token not found"],
    [401, "Unauthorized"],
    [500, "ACL token expired"],
    [500, "acl token lookup failed: index error: UUID must be 36 characters"],
  ])("%i %s: no", async (status, body) => {
    const { client } = await against(text(status, body));
    expect(await client.mayList("jobs", "qa", never)).toBe(false);
  });

  test.each([
    [500, "No cluster leader", "NOMAD_NO_LEADER"],
    [429, "Your IP is issuing too many concurrent connections", "NOMAD_TOO_MANY_CONNECTIONS"],
    [404, "", "NOMAD_NOT_FOUND"],
  ])("%i %s is no answer", async (status, body, code) => {
    const { client } = await against(text(status, body));
    expect(await codeOf(client.mayList("jobs", "qa", never))).toBe(code);
  });
});

describe("namespacePresence", () => {
  test.each<[string, RequestListener, string]>([
    ["200", json({ Name: "qa" }), "present"],
    ["404", text(404, "Namespace not found"), "absent"],
    ["403", text(403, "Permission denied"), "hidden"],
  ])("%s", async (_name, listener, expected) => {
    const { agent, client } = await against(listener);
    expect(await client.namespacePresence("team/a b", never)).toBe(expected);
    expect(agent.requests).toEqual(["GET /v1/namespace/team%2Fa%20b"]);
  });

  test("an endpoint that is not there says nothing about the namespace", async () => {
    const { client } = await against(text(404, ""));
    expect(await client.namespacePresence("qa", never)).toBe("hidden");
  });
});

describe("nodePoolPresence", () => {
  test.each<[string, RequestListener, string]>([
    ["200", json({ Name: "gpu" }), "present"],
    ["404", text(404, "node pool not found"), "absent"],
    ["403", text(403, "Permission denied"), "hidden"],
  ])("%s", async (_name, listener, expected) => {
    const { agent, client } = await against(listener);
    expect(await client.nodePoolPresence("gpu", never)).toBe(expected);
    expect(agent.requests).toEqual(["GET /v1/node/pool/gpu"]);
  });
});

describe("agentSelf", () => {
  const server = {
    config: {
      ACL: { Enabled: true, ReplicationToken: "" },
      Limits: { HTTPMaxConnsPerClient: 100 },
      NodeName: "n1",
      Region: "global",
      Server: { Enabled: true },
      Version: { Revision: "abc", Version: "1.1.2", VersionMetadata: "", VersionPrerelease: "dev" },
    },
    member: { Name: "n1.global", Tags: { build: "1.1.2" } },
    stats: {},
  };

  test("describes the agent", async () => {
    const { client } = await against(json(server));
    expect(await client.agentSelf()).toEqual({
      version: "1.1.2-dev",
      region: "global",
      name: "n1",
      server: true,
      aclEnabled: true,
      maxConnectionsPerClient: 100,
    });
  });

  test.each([[{}], [{ config: null, member: { Tags: null } }], [[]], [null]])(
    "copes with %j",
    async (body) => {
      const { client } = await against(json(body));
      expect(Object.values((await client.agentSelf()) ?? {}).every((value) => value === undefined)).toBe(
        true,
      );
    },
  );

  test("is unknown to a token without agent:read; other refusals are errors", async () => {
    const refused = await against(text(403, "Permission denied"));
    expect(await refused.client.agentSelf()).toBeUndefined();
    const broken = await against(text(500, "no servers"));
    expect(await codeOf(broken.client.agentSelf())).toBe("NOMAD_NO_LEADER");
  });
});

describe("leader and regions", () => {
  test("are read", async () => {
    const { client } = await against((request, response) =>
      sendList(response, request.url === "/v1/status/leader" ? '"10.0.0.1:4647"' : '["eu","us"]'),
    );
    expect(await client.leader()).toBe("10.0.0.1:4647");
    expect(await client.regions()).toEqual(["eu", "us"]);
  });

  test("an empty leader is none", async () => {
    const { client } = await against(json(""));
    expect(await client.leader()).toBeUndefined();
  });

  test("what is no JSON is a bad response", async () => {
    const { client } = await against((_request, response) => sendList(response, "<html>"));
    expect(await codeOf(client.regions())).toBe("NOMAD_BAD_RESPONSE");
  });
});

describe("tokenSelf", () => {
  const self = (client: NomadClient) => client.tokenSelf(never);

  test("describes the token, without its secret", async () => {
    const { client } = await against(
      json({
        AccessorID: UUID,
        SecretID: "hidden-word",
        Name: "feed",
        Type: "client",
        Policies: ["read-all"],
        Roles: [{ ID: "1", Name: "ops" }],
        Global: true,
        ExpirationTime: "2026-11-24T12:00:00Z",
      }),
      { token: UUID },
    );
    const token = await self(client);
    expect(token).toEqual({
      kind: "token",
      accessorId: UUID,
      name: "feed",
      type: "client",
      policies: ["read-all"],
      roles: ["ops"],
      global: true,
      expirationTime: "2026-11-24T12:00:00Z",
    });
    expect(JSON.stringify(token)).not.toContain("hidden-word");
  });

  test.each<[string, RequestListener, RawNomadOptions, string]>([
    ["ACLs off, before 1.10.1", text(400, "ACL support disabled"), {}, "acls-disabled"],
    [
      "ACLs off, since",
      json({ AccessorID: "acls-disabled", Name: "ACLs disabled token" }),
      {},
      "acls-disabled",
    ],
    ["no token, before 1.10.1", text(500, "missing secret id"), {}, "anonymous"],
    ["no token, since", json({ AccessorID: "anonymous", Policies: ["anonymous"] }), {}, "anonymous"],
    [
      "a task's JWT",
      text(404, "ACL token not found"),
      { token: "eyJhbGciOi.eyJzdWIi.c2ln" },
      "workload-identity",
    ],
  ])("%s", async (_name, listener, raw, kind) => {
    const { client } = await against(listener, raw);
    expect(await self(client)).toEqual({ kind });
  });

  test.each([
    [404, "ACL token not found", "NOMAD_UNAUTHORIZED"],
    [403, "ACL token not found", "NOMAD_UNAUTHORIZED"],
    [500, "ACL token expired", "NOMAD_TOKEN_EXPIRED"],
  ])("%i %s is an error for an ACL token", async (status, body, code) => {
    const { client } = await against(text(status, body), { token: UUID });
    expect(await codeOf(self(client))).toBe(code);
  });

  test("a broken description shows no secret", async () => {
    const { client } = await against((_request, response) =>
      sendList(response, '{"SecretID":"hidden-word",'),
    );
    const error = await self(client).catch((reason: unknown) => reason);
    expect(error).toMatchObject({ code: "NOMAD_BAD_RESPONSE" });
    expect(String(error) + String((error as Error).cause)).not.toContain("hidden-word");
  });
});
