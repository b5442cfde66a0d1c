import { describe, expect, it } from "vitest";
import { simulatedNomad } from "../support/simulated-nomad.ts";

const UNKNOWN = "11111111-1111-1111-1111-111111111111";

async function guarded() {
  let nowMs = 1_795_432_399_000;
  const nomad = await simulatedNomad({ acl: true, clock: () => nowMs });
  const { acl, cluster } = nomad.simulator;
  cluster.createNamespace("qa");
  cluster.createNamespace("secret");
  for (const namespace of ["default", "qa", "secret"]) cluster.runJob({ id: `in-${namespace}`, namespace });
  acl.setPolicy("ro", { namespaces: { default: "read", "qa*": ["list-jobs"] }, node: "read" });
  const { secretId } = acl.createToken({ name: "t", policies: ["ro"], expiresAt: nowMs + 60_000 });
  const ask = (path: string, token = secretId) =>
    nomad.ask(path, token === "" ? {} : { "x-nomad-token": token });
  const status = async (path: string, token?: string) => (await ask(path, token)).status;
  return { nomad, acl, cluster, secretId, ask, status, later: (ms: number) => (nowMs += ms) };
}

const DENIED = { status: 403, text: "Permission denied" };

describe("access control", () => {
  it("asks for the capability in the namespace", async () => {
    const { nomad, ask, status } = await guarded();
    await using _ = nomad;
    expect(await status("/v1/jobs")).toBe(200);
    expect(await status("/v1/allocations")).toBe(200);
    expect(await status("/v1/jobs?namespace=qa")).toBe(200);
    expect(await ask("/v1/allocations?namespace=qa")).toMatchObject(DENIED);
    expect(await ask("/v1/jobs?namespace=secret")).toMatchObject(DENIED);
    expect(await ask("/v1/jobs?namespace=unknown")).toMatchObject(DENIED);
    expect(await status("/v1/nodes")).toBe(200);
    expect(await ask("/v1/agent/self")).toMatchObject(DENIED);
    expect(await status("/v1/agent/members")).toBe(200);
    expect(await ask("/v1/namespace/nope")).toMatchObject(DENIED);
    expect((await ask("/v1/jobs?namespace=secret")).headers["x-nomad-index"]).toBeUndefined();
  });

  it("filters * and the namespaces silently", async () => {
    const { nomad, ask } = await guarded();
    await using _ = nomad;
    const namespaces = async (path: string, field: string) =>
      JSON.parse((await ask(path)).text).map((row: Record<string, string>) => row[field]);
    expect(await namespaces("/v1/jobs?namespace=*", "Namespace")).toEqual(["default", "qa"]);
    expect(await namespaces("/v1/allocations?namespace=*", "Namespace")).toEqual(["default"]);
    expect(await namespaces("/v1/namespaces", "Name")).toEqual(["default", "qa"]);
  });

  it("hides from all but management what a deleted namespace left", async () => {
    const { nomad, acl, cluster, ask } = await guarded();
    await using _ = nomad;
    acl.setPolicy("all", { namespaces: { "*": "read" } });
    const { secretId } = acl.createToken({ name: "all", policies: ["all"] });
    cluster.purgeJob("qa", "in-qa");
    const left = async (token: string, query: string) =>
      JSON.parse((await ask(`/v1/evaluations?${query}`, token)).text).length as number;
    const management = nomad.simulator.managementToken?.secretId ?? "";
    const others = `namespace=*&filter=${encodeURIComponent('Namespace != "default" and Namespace != "secret"')}`;
    expect(await left(secretId, others)).toBe(2);
    cluster.deleteNamespace("qa");
    expect(await left(secretId, others)).toBe(0);
    expect(await left(secretId, "namespace=qa")).toBe(0);
    expect(await left(management, others)).toBe(2);
    expect(await left(management, "namespace=qa")).toBe(2);
    cluster.createNamespace("qa");
    expect(await left(secretId, others)).toBe(2);
    expect(await ask(`/v1/jobs?filter=${encodeURIComponent("Priority > 3")}`, management)).toMatchObject({
      status: 400,
    });
  });

  it("knows management, anonymous and unknown tokens", async () => {
    const { nomad, ask, status } = await guarded();
    await using _ = nomad;
    const management = nomad.simulator.managementToken?.secretId ?? "";
    expect(JSON.parse((await ask("/v1/jobs?namespace=*", management)).text)).toHaveLength(3);
    expect(await status("/v1/agent/self", management)).toBe(200);
    expect(await ask("/v1/jobs", "")).toMatchObject(DENIED);
    expect((await ask("/v1/namespaces", "")).text).toBe("[]");
    expect(JSON.parse((await ask("/v1/acl/token/self", "")).text)).toMatchObject({ AccessorID: "anonymous" });
    for (const path of ["/v1/jobs", "/v1/namespaces", "/v1/acl/token/self", "/v1/acl/policies"]) {
      expect(await ask(path, UNKNOWN)).toMatchObject(DENIED);
    }
  });

  it("lets a token read its own policies", async () => {
    const { nomad, secretId, ask } = await guarded();
    await using _ = nomad;
    expect(JSON.parse((await ask("/v1/acl/token/self")).text)).toMatchObject({
      SecretID: secretId,
      Policies: ["ro"],
    });
    expect(JSON.parse((await ask("/v1/acl/policies")).text)).toMatchObject([{ Name: "ro" }]);
    const policy = JSON.parse((await ask("/v1/acl/policy/ro")).text);
    expect(policy.RulesJSON.Namespaces).toEqual([
      {
        Name: "default",
        Policy: "read",
        Capabilities: expect.arrayContaining(["list-jobs", "read-job"]),
        Variables: null,
      },
      { Name: "qa*", Policy: "", Capabilities: ["list-jobs"], Variables: null },
    ]);
    expect(policy.Rules).toContain('namespace "default"');
    expect(await ask("/v1/acl/policy/other")).toMatchObject(DENIED);
  });

  it("takes bearer tokens", async () => {
    const { nomad, secretId } = await guarded();
    await using _ = nomad;
    expect((await nomad.ask("/v1/jobs", { authorization: `Bearer ${secretId}` })).status).toBe(200);
  });

  it("refuses expired tokens", async () => {
    const { nomad, ask, later } = await guarded();
    await using _ = nomad;
    later(60_001);
    expect(await ask("/v1/jobs")).toMatchObject(DENIED);
    expect(await ask("/v1/acl/token/self")).toMatchObject({ status: 500, text: "ACL token expired" });
  });

  it("looks at rights when a query starts, not when it ends", async () => {
    const { nomad, cluster, secretId, ask } = await guarded();
    await using _ = nomad;
    const { index } = await ask("/v1/jobs");
    const { answer } = await nomad.sleep(`/v1/jobs?index=${index}&wait=20s`, { "x-nomad-token": secretId });
    nomad.simulator.faults.revokeToken(secretId);
    cluster.registerJob({ id: "later" });
    expect((await answer).text).toContain('"ID":"later"');
    expect(await ask("/v1/jobs")).toMatchObject(DENIED);
  });

  it("narrowed, sees fewer rows of *, none, or 403", async () => {
    const { nomad, secretId, ask } = await guarded();
    await using _ = nomad;
    nomad.simulator.faults.narrowToken(secretId, { namespaces: { gone: "read" } });
    expect(await ask("/v1/jobs?namespace=*")).toMatchObject({ status: 200, text: "[]" });
    expect((await ask("/v1/jobs?namespace=*")).index).toBeGreaterThan(0);
    expect((await ask("/v1/deployments?namespace=*")).index).toBe(0);
    expect(await ask("/v1/jobs")).toMatchObject(DENIED);
    nomad.simulator.faults.narrowToken(secretId, {});
    expect(await ask("/v1/jobs?namespace=*")).toMatchObject(DENIED);
  });
});
