import { describe, expect, it } from "vitest";
import { expandCapabilities } from "../../packages/nomad-simulator/src/acl/capabilities.ts";
import { rightsOfPolicies, rulesOf } from "../../src/nomad/acl-rules.ts";
import { covers, maySeeSome, seesAll, type Access } from "../../src/publishers/selection/access.ts";
import { CORE_TYPES, type ResourceType } from "../../src/schemas/resources.ts";

function accessOf(RulesJSON: Record<string, object>, kinds?: readonly ResourceType[]): Access {
  const rules = rulesOf({ RulesJSON } as Parameters<typeof rulesOf>[0]);
  const rights = rightsOfPolicies(rules === undefined ? [] : [rules]);
  return {
    name: "somebody",
    maySee: (visible) => covers(rights, visible),
    ...(kinds !== undefined && { kinds }),
  };
}

const Capabilities = [...expandCapabilities("read")];
const READER = { Namespaces: [{ Name: "*", Policy: "read", Capabilities }], Node: { Policy: "read" } };

describe("what a token may see of the feed", () => {
  it("is all of it where that is all the feed watches, and not where it watches who may do what", () => {
    expect(seesAll(accessOf(READER, CORE_TYPES))).toBe(true);
    expect(seesAll(accessOf(READER, [...CORE_TYPES, "services", "servers"]))).toBe(true);
    expect(seesAll(accessOf(READER, [...CORE_TYPES, "acl-tokens"]))).toBe(false);
    expect(seesAll(accessOf(READER))).toBe(false);
  });

  it("is one node pool by its name, and what the feed says of all only to whoever may read all", () => {
    const access = accessOf({ NodePools: [{ Name: "gpu*", Policy: "read", Capabilities: ["read"] }] });
    const pools = { resource: "node-pools", namespace: "-" } as const;
    expect(access.maySee({ ...pools, key: "gpu-1" })).toBe(true);
    expect(access.maySee({ ...pools, key: "cpu" })).toBe(false);
    expect(access.maySee({ ...pools, key: null })).toBe(false);
    const all = accessOf({ NodePools: [{ Name: "*", Policy: "read", Capabilities: ["read"] }] });
    expect(all.maySee({ ...pools, key: null })).toBe(true);
  });

  it("is no variable of a namespace that it may list jobs in alone", () => {
    const access = accessOf({ Namespaces: [{ Name: "a", Policy: "read", Capabilities }] });
    expect(access.maySee({ resource: "variables", namespace: "a", key: "app/db" })).toBe(false);
    expect(access.maySee({ resource: "services", namespace: "a", key: "web" })).toBe(true);
    expect(access.maySee({ resource: "services", namespace: "b", key: "web" })).toBe(false);
  });

  it("lets the log be asked for variables only where the namespace may be known of, and never for tokens", () => {
    const access = accessOf({ Namespaces: [{ Name: "a", Policy: "read", Capabilities }] });
    expect(maySeeSome(access, { resource: "variables", namespace: "a" })).toBe(true);
    expect(maySeeSome(access, { resource: "variables", namespace: "b" })).toBe(false);
    expect(maySeeSome(access, { resource: "acl-tokens", namespace: "-" })).toBe(false);
  });
});
