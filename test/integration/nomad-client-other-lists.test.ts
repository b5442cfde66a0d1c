import { describe, expect, test } from "vitest";
import { lackOf } from "../../src/nomad/unsupported.ts";
import type { ResourceType } from "../../src/schemas/resources.ts";
import { clientOf, failureOf } from "../support/nomad-clients.ts";
import { LIST_HEADERS, serveHttp } from "../support/nomad-servers.ts";

const signal = new AbortController().signal;

/** What the feed sees of an answer of Nomad's, by the path that was asked for. */
async function seen(
  resource: ResourceType,
  answers: Readonly<Record<string, unknown>>,
  namespace = "-",
): Promise<unknown> {
  await using agent = await serveHttp((request, response) => {
    const { pathname } = new URL(request.url ?? "", "http://x");
    response.writeHead(200, LIST_HEADERS).end(JSON.stringify(answers[pathname]));
  });
  const { body } = await clientOf({ addresses: [agent.url] }).list({ resource, namespace, signal });
  return JSON.parse(body.toString());
}

describe("what is made of lists that are not plain", () => {
  test("services stand alone, their tags in order", async () => {
    const answer = [
      { Namespace: "default", Services: [{ ServiceName: "web", Tags: ["b", "a"] }] },
      { Namespace: "qa", Services: [{ ServiceName: "web", Tags: null }] },
    ];
    expect(await seen("services", { "/v1/services": answer }, "*")).toEqual([
      { Namespace: "default", ServiceName: "web", Tags: ["a", "b"] },
      { Namespace: "qa", ServiceName: "web", Tags: [] },
    ]);
  });

  test("a scaling policy names its namespace, job and group", async () => {
    const Target = { Namespace: "qa", Job: "web", Group: "g" };
    const answer = [{ ID: "p", Enabled: true, Target, CreateIndex: 1, ModifyIndex: 2 }];
    expect(await seen("scaling-policies", { "/v1/scaling/policies": answer }, "qa")).toEqual([
      { ...answer[0], Namespace: "qa", Job: "web", Group: "g" },
    ]);
  });

  test.each([
    ["acl-tokens", "/v1/acl/tokens", "AccessorID", { SecretID: "s3cret" }],
    ["acl-policies", "/v1/acl/policies", "Name", { Rules: "s3cret" }],
    ["acl-auth-methods", "/v1/acl/auth-methods", "Name", { Config: { OIDCClientSecret: "s3cret" } }],
    ["variables", "/v1/vars", "Path", { Items: { key: "s3cret" }, Lock: { ID: "s3cret" } }],
  ] as const)("of %s nothing is taken that has no name here", async (resource, path, key, secret) => {
    const answer = [{ [key]: "x", Namespace: "default", ModifyIndex: 7, ...secret }];
    const list = await seen(resource, { [path]: answer }, "default");
    expect(list).toMatchObject([{ [key]: "x", ModifyIndex: 7 }]);
    expect(JSON.stringify(list)).not.toContain("s3cret");
  });

  test("servers are those of the region, and one leads, also by an address of version 6", async () => {
    const member = (Name: string, Addr: string, region: string) => ({
      Name,
      Addr,
      Tags: { region, port: "4647" },
    });
    const Members = [
      member("a.eu", "10.0.0.1", "eu"),
      member("b.eu", "2001:db8::2", "eu"),
      member("c.us", "10.1.0.1", "us"),
    ];
    const answers = {
      "/v1/agent/members": { ServerName: "a", ServerRegion: "eu", Members },
      "/v1/status/leader": "[2001:db8::2]:4647",
    };
    expect(await seen("servers", answers)).toMatchObject([
      { Name: "a.eu", Leader: false },
      { Name: "b.eu", Leader: true },
    ]);
  });

  test("ill health is an answer, though its status says too many requests", async () => {
    const health = {
      Healthy: false,
      FailureTolerance: 0,
      Servers: [{ Name: "a", LastIndex: 9, Healthy: false }],
    };
    await using agent = await serveHttp((_request, response) => {
      response.writeHead(429, { "Content-Type": "text/plain; charset=utf-8" }).end(JSON.stringify(health));
    });
    const client = clientOf({ addresses: [agent.url] });
    const { body, index } = await client.list({ resource: "autopilot", namespace: "-", signal });
    expect(index).toBe("0");
    expect(JSON.parse(body.toString())).toEqual([
      { Name: "health", Healthy: false, FailureTolerance: 0, Servers: { a: { Name: "a", Healthy: false } } },
    ]);
  });
});

describe("what Nomad lacks", () => {
  const OLD = "this version of Nomad does not have it";
  const ENTERPRISE = "only Nomad Enterprise has it";
  test.each<readonly [ResourceType, number, string, string | null]>([
    ["variables", 404, "", OLD],
    ["node-pools", 500, "node lookup failed: index error: UUID must be 36 characters", OLD],
    ["host-volumes", 200, "", OLD],
    ["quotas", 501, "Nomad Enterprise only endpoint", ENTERPRISE],
    ["license", 204, "", ENTERPRISE],
    ["acl-tokens", 400, "ACL support disabled", "this cluster runs without ACLs"],
    ["acl-tokens", 403, "Permission denied", null],
    ["variables", 500, "No cluster leader", null],
    ["jobs", 404, "", null],
  ])("%s, asked for and answered %i %s", async (resource, status, text, lack) => {
    await using agent = await serveHttp((_request, response) => {
      response.writeHead(status, { "Content-Type": "text/plain; charset=utf-8" }).end(text);
    });
    const client = clientOf({ addresses: [agent.url] });
    const failure = await failureOf(client.list({ resource, namespace: "default", signal }));
    expect(lackOf(resource, failure)).toBe(lack);
  });
});
