import { assert, constantFrom, property, string } from "fast-check";
import { describe, expect, it } from "vitest";
import { expandCapabilities } from "../../packages/nomad-simulator/src/acl/capabilities.ts";
import { rightsOfPolicies, rulesOf, type PolicyRules } from "../../src/nomad/acl-rules.ts";
import { CORE_TYPES, RESOURCE_TYPES, RESOURCES } from "../../src/schemas/resources.ts";
import { globMatches } from "../../src/schemas/rights.ts";

type Rule = Parameters<typeof expandCapabilities>[0];

/** A policy as Nomad answers it: what a namespace's shorthand stands for is written out. */
function policy(namespaces: Record<string, Rule>, node?: string): PolicyRules {
  const rules = rulesOf({
    RulesJSON: {
      Namespaces: Object.entries(namespaces).map(([Name, rule]) => ({
        Name,
        Policy: typeof rule === "string" ? rule : "",
        Capabilities: [...expandCapabilities(rule)],
      })),
      Node: node === undefined ? null : { Policy: node },
    },
  });
  if (rules === undefined) throw new Error("no rules");
  return rules;
}

const LIST = ["list-jobs"] as const;
const READ = ["read-job"] as const;

describe("what policies add up to", () => {
  it.each([
    [
      "a capability is for its resources only",
      [policy({ a: LIST })],
      "a",
      { jobs: true, allocations: false },
    ],
    ["read-job is for the others", [policy({ a: READ })], "a", { jobs: false, evaluations: true }],
    ["read is both", [policy({ a: "read" })], "a", { jobs: true, deployments: true }],
    ["write is both", [policy({ a: "write" })], "a", { jobs: true, allocations: true }],
    ["deny is neither", [policy({ a: "deny" })], "a", { jobs: false, allocations: false }],
    ["another namespace has nothing", [policy({ a: "read" })], "b", { jobs: false, allocations: false }],
    [
      "an exact name wins over a glob",
      [policy({ a: LIST, "*": "read" })],
      "a",
      { jobs: true, allocations: false },
    ],
    ["also where it denies", [policy({ a: "deny", "*": "read" })], "a", { jobs: false, allocations: false }],
    [
      "and where the glob denies",
      [policy({ a: "read", "*": "deny" })],
      "a",
      { jobs: true, allocations: true },
    ],
    [
      "the closest glob wins",
      [policy({ "*": "read", "dev-*": LIST })],
      "dev-x",
      { jobs: true, allocations: false },
    ],
    [
      "whatever the order",
      [policy({ "dev-*": LIST, "*": "read" })],
      "dev-x",
      { jobs: true, allocations: false },
    ],
    [
      "a star within counts as none",
      [policy({ "d*-x": READ, "*": LIST })],
      "dev-x",
      { jobs: false, allocations: true },
    ],
    [
      "of two as close the last by name",
      [policy({ "a*": LIST, "*b": READ })],
      "ab",
      { jobs: true, allocations: false },
    ],
    [
      "rules of one name add up",
      [policy({ a: LIST }), policy({ a: READ })],
      "a",
      { jobs: true, allocations: true },
    ],
    [
      "rules of one glob too",
      [policy({ "a*": LIST }), policy({ "a*": READ })],
      "ab",
      { jobs: true, allocations: true },
    ],
    [
      "rules of two names do not",
      [policy({ "*": LIST }), policy({ a: READ })],
      "a",
      { jobs: false, allocations: true },
    ],
    ["a deny clears the name's rules", [policy({ a: "read" }), policy({ a: "deny" })], "a", { jobs: false }],
    ["in whichever order", [policy({ a: ["deny"] }), policy({ a: "read" })], "a", { jobs: false }],
  ] as const)("%s", (_what, policies, namespace, expected) => {
    const rights = rightsOfPolicies(policies);
    for (const [resource, allowed] of Object.entries(expected)) {
      expect([resource, rights.mayList(resource as "jobs", namespace)]).toEqual([resource, allowed]);
    }
  });

  it.each([
    [["read"], true],
    [["write"], true],
    [["read", "deny"], false],
    [["deny", "write"], false],
    [[undefined], false],
  ])("nodes: %j", (levels, allowed) => {
    const rights = rightsOfPolicies(levels.map((level) => policy({}, level)));
    expect(rights.mayList("nodes", "-")).toBe(allowed);
    expect(rights.none).toBe(!allowed);
  });

  it("a namespace is known by any capability but deny", () => {
    const rights = rightsOfPolicies([policy({ a: ["submit-job"], b: "deny", c: [], "d*": LIST })]);
    expect(["a", "b", "c", "dx", "e"].filter((name) => rights.mayKnow(name))).toEqual(["a", "dx"]);
  });

  it.each([
    ["all namespaces", [policy({ "*": "read" })], true, true],
    ["all but a denied one", [policy({ "*": "read", a: "deny" })], false, false],
    ["all, one of them less", [policy({ "*": "read", "a*": READ })], false, true],
    ["only a glob", [policy({ "a*": "read" })], false, false],
    ["all by two policies", [policy({ "*": LIST }), policy({ "*": READ })], true, true],
    ["nothing", [], false, false],
  ] as const)("of everywhere: %s", (_what, policies, jobs, namespaces) => {
    const rights = rightsOfPolicies(policies);
    expect(rights.mayListEverywhere("jobs")).toBe(jobs);
    expect(rights.mayListEverywhere("namespaces")).toBe(namespaces);
  });

  it("a policy without rules as JSON is none that can be judged", () => {
    expect(rulesOf({ Name: "old", Rules: 'namespace "a" { policy = "read" }' })).toBeUndefined();
  });
});

it("globs match as a regular expression of the same meaning", () => {
  const text = string({ unit: constantFrom("a", "b", "-", "."), maxLength: 8 });
  const glob = string({ unit: constantFrom("a", "b", "-", ".", "*"), maxLength: 8 });
  assert(
    property(glob, text, (pattern, name) => {
      const escaped = pattern.split("*").map((part) => part.replaceAll(/[-.]/g, "\\$&"));
      expect(globMatches(pattern, name)).toBe(new RegExp(`^${escaped.join(".*")}$`).test(name));
    }),
    { numRuns: 2000 },
  );
});

it.each([
  ["1.9.7", ["list-scaling-policies", "read-scaling-policy", "read-job-scaling", "scale-job"], false],
  [
    "2.0.5",
    ["list-scaling-policies", "read-scaling-policy", "read-job-scaling", "scale-job", "read-job"],
    true,
  ],
])("scale is what the Nomad that answers makes of it: %s", (_version, Capabilities, reads) => {
  const rules = rulesOf({ RulesJSON: { Namespaces: [{ Name: "a", Policy: "scale", Capabilities }] } });
  if (rules === undefined) throw new Error("no rules");
  expect(rightsOfPolicies([rules]).mayList("allocations", "a")).toBe(reads);
});

describe("what is not of jobs and nodes", () => {
  const rightsOf = (RulesJSON: Record<string, object[] | object>) => {
    const rules = rulesOf({ RulesJSON } as Parameters<typeof rulesOf>[0]);
    if (rules === undefined) throw new Error("no rules");
    return rightsOfPolicies([rules]);
  };
  const namespace = (Name: string, more: object) => ({ Namespaces: [{ Name, Policy: "", ...more }] });

  it.each([
    [["list-scaling-policies"], ["scaling-policies"]],
    [["list-jobs"], ["csi-volumes"]],
    [["read-job"], ["services", "recommendations"]],
    [
      ["list-jobs", "read-job"],
      ["services", "scaling-policies", "csi-volumes", "recommendations"],
    ],
    [["host-volume-read"], ["host-volumes", "host-volume-claims"]],
  ] as const)("with %s one sees %s", (Capabilities, kinds) => {
    const rights = rightsOf(namespace("a", { Capabilities }));
    const others = RESOURCE_TYPES.filter((type) => !(CORE_TYPES as readonly string[]).includes(type));
    expect(others.filter((type) => rights.mayList(type, RESOURCES[type].namespaced ? "a" : "-"))).toEqual(
      kinds,
    );
  });

  it("goes by the operator's, the plugins' and the quotas' own rules, and a plugin's write is no read", () => {
    const rights = rightsOf({
      Operator: { Policy: "write" },
      Quota: { Policy: "read" },
      Plugin: { Policy: "write" },
    });
    const wide = ["servers", "autopilot", "scheduler", "license", "quotas", "csi-plugins"] as const;
    expect(wide.filter((type) => rights.mayListEverywhere(type))).toEqual(wide.slice(1, 5));
    expect(rightsOf({ Plugin: { Policy: "list" } }).mayList("csi-plugins", "-")).toBe(true);
  });

  it("decides node pools by name and variables by path, the closest rule alone", () => {
    const pools = rightsOf({
      NodePools: [
        { Name: "*", Policy: "read", Capabilities: ["read"] },
        { Name: "gpu*", Policy: "deny", Capabilities: ["deny"] },
      ],
    });
    const pool = (key: string) => pools.mayRead({ resource: "node-pools", namespace: "-", key });
    expect([pool("cpu"), pool("gpu-1"), pools.mayListEverywhere("node-pools")]).toEqual([true, false, false]);
    const Paths = [
      { PathSpec: "app/*", Capabilities: ["read"] },
      { PathSpec: "app/keys", Capabilities: ["write"] },
    ];
    const paths = rightsOf(namespace("a", { Capabilities: [], Variables: { Paths } }));
    const path = (key: string, of = "a") => paths.mayRead({ resource: "variables", namespace: of, key });
    expect([path("app/db"), path("app/keys"), path("other"), path("app/db", "b")]).toEqual([
      true,
      false,
      false,
      false,
    ]);
    expect(paths.none).toBe(false);
  });

  it("shows nobody but management who may do what", () => {
    const rights = rightsOf({
      Namespaces: [{ Name: "*", Policy: "write", Capabilities: [] }],
      Operator: { Policy: "write" },
      Node: { Policy: "write" },
    });
    const kinds = RESOURCE_TYPES.filter((type) => type.startsWith("acl-"));
    expect(kinds).toHaveLength(5);
    expect(kinds.filter((type) => rights.mayListEverywhere(type) || rights.mayList(type, "-"))).toEqual([]);
  });
});
