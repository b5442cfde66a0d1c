import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { resolveNomadOptions } from "../../src/nomad/options.ts";
import { createSubscriberRights } from "../../src/nomad/subscriber-rights.ts";
import type { ResourceType } from "../../src/schemas/resources.ts";
import { systemClock } from "../../src/shared/clock.ts";
import { silentLogger } from "../../src/telemetry/logger.ts";
import { findGuardedNomadAgent, type NomadAgent } from "../support/nomad-agent.ts";
import { until } from "../support/until.ts";

const found = await findGuardedNomadAgent(process.env);
const origin = typeof found === "string" ? `skipped: ${found}` : found.origin;

const NAMESPACES = ["a", "ab", "aab", "abab", "default", "dev-a", "dev-ab"];
const GLOBS = ["*", "a*", "*b", "a*b", "*a*", "d*", "dev-*", "**", "ab*"];
const RULES = [
  'capabilities = ["list-jobs"]',
  'capabilities = ["read-job"]',
  'capabilities = ["submit-job"]',
  'capabilities = ["deny"]',
  'policy = "read"',
  'policy = "write"',
  'policy = "scale"',
  'policy = "deny"',
  'capabilities = ["csi-list-volume"]',
  'capabilities = ["csi-mount-volume"]',
  'capabilities = ["host-volume-read"]',
  'capabilities = ["list-scaling-policies"]',
  'capabilities = ["list-jobs", "read-job"]',
];
const LEVELS = ["read", "write", "deny"];
const PATHS = ["app", "app/db", "nomad/jobs/web"];
const PATH_GLOBS = ["*", "app*", "app/db", "nomad/*"];
const PATH_CAPABILITIES = ['["list"]', '["read"]', '["write"]', '["deny"]'];
const NEVER = "00000000-0000-0000-0000-000000000000";
const QUESTIONS: readonly (readonly [ResourceType, string])[] = [
  ["jobs", "/v1/jobs?prefix=~none~"],
  ["allocations", `/v1/allocations?prefix=${NEVER}`],
  ["deployments", `/v1/deployments?prefix=${NEVER}`],
  ["evaluations", `/v1/evaluations?prefix=${NEVER}`],
  ["services", "/v1/services?prefix=~none~"],
  ["scaling-policies", `/v1/scaling/policies?prefix=${NEVER}`],
  ["csi-volumes", "/v1/volumes?type=csi&prefix=~none~"],
  // Nomad refuses no list of host volumes, and leaves them out by the right that it refuses claims by.
  ["host-volumes", `/v1/volumes/claims?prefix=${NEVER}`],
  ["host-volume-claims", `/v1/volumes/claims?prefix=${NEVER}`],
];
const WIDE_QUESTIONS: readonly (readonly [ResourceType, string])[] = [
  ["nodes", "/v1/nodes"],
  ["servers", "/v1/agent/members"],
  ["csi-plugins", "/v1/plugins?type=csi"],
  ["autopilot", "/v1/operator/autopilot/health"],
  ["scheduler", "/v1/operator/scheduler/configuration"],
  ["acl-tokens", "/v1/acl/tokens"],
];

describe.skipIf(typeof found === "string")(`rights, as a real Nomad decides them (${origin})`, () => {
  let agent: NomadAgent & { readonly token: string };
  let rights: ReturnType<typeof createSubscriberRights>;
  // Dynamic host volumes, and the capability to read them, came with 1.10.
  let rules = RULES;
  let questions = QUESTIONS;
  const signal = () => AbortSignal.timeout(20_000);

  const api = async (method: string, path: string, body?: object, token = agent.token) => {
    const response = await fetch(agent.address + path, {
      method,
      headers: { "x-nomad-token": token },
      ...(body && { body: JSON.stringify(body) }),
    });
    return { status: response.status, text: await response.text() };
  };

  beforeAll(async () => {
    if (typeof found === "string") return;
    agent = found;
    rights = createSubscriberRights(resolveNomadOptions({ addresses: [agent.address] }), {
      logger: silentLogger(),
      clock: systemClock,
    });
    const known = await Promise.all(
      RULES.map(async (rule) => {
        const policy = { Name: "probe", Rules: `namespace "probe" {\n  ${rule}\n}` };
        return (await api("POST", "/v1/acl/policy/probe", policy)).status === 200;
      }),
    );
    rules = RULES.filter((_, at) => known[at]);
    const paths = await Promise.all(
      QUESTIONS.map(async ([, path]) => (await api("GET", path)).status !== 404),
    );
    questions = QUESTIONS.filter((_, at) => paths[at]);
    for (const Name of NAMESPACES) {
      await api("POST", `/v1/namespace/${Name}`, { Name });
      await api("POST", "/v1/node/pools", { Name });
      for (const Path of PATHS) {
        const variable = { Namespace: Name, Path, Items: { key: "value" } };
        // A young agent has no key yet to write variables with.
        await until("the variable", async () => {
          const { status } = await api("PUT", `/v1/var/${Path}?namespace=${Name}`, variable);
          return status === 200;
        });
      }
    }
  });
  afterAll(async () => {
    await rights?.[Symbol.asyncDispose]();
    await agent?.stop();
  });

  const tokenWith = async (policies: readonly string[], name: string): Promise<string> => {
    const Policies: string[] = [];
    for (const [position, Rules] of policies.entries()) {
      const Name = `${name}-${position}`;
      expect(await api("POST", `/v1/acl/policy/${Name}`, { Name, Rules })).toMatchObject({ status: 200 });
      Policies.push(Name);
    }
    const created = await api("POST", "/v1/acl/token", { Name: name, Type: "client", Policies });
    return (JSON.parse(created.text) as { SecretID: string }).SecretID;
  };

  it("are the same for random policies, in every namespace and for every resource", async () => {
    const random = seeded(7);
    const isOld = rules.length < RULES.length;
    expect([rules.length, questions.length]).toEqual([
      RULES.length - (isOld ? 1 : 0),
      QUESTIONS.length - (isOld ? 2 : 0),
    ]);
    for (let round = 0; round < 40; round += 1) {
      const policies = Array.from({ length: 1 + random(3) }, () => randomPolicy(random, rules));
      const token = await tokenWith(policies, `random-${round}`);
      const ours = await rights.rightsOf(token, signal());
      if (ours.kind !== "known") throw new Error(`the token is ${ours.kind}`);
      const [decided, nomads]: [string[], string[]] = [[], []];
      for (const namespace of NAMESPACES) {
        for (const [resource, path] of questions) {
          const { status } = await api("GET", `${path}&namespace=${namespace}`, undefined, token);
          if (status === 200) nomads.push(`${resource}/${namespace}`);
          if (ours.rights.mayList(resource, namespace)) decided.push(`${resource}/${namespace}`);
        }
        if (ours.rights.mayKnow(namespace)) decided.push(namespace);
        for (const key of PATHS)
          if (ours.rights.mayRead({ resource: "variables", namespace, key }))
            decided.push(`variables/${namespace}/${key}`);
        const variables = JSON.parse(
          (await api("GET", `/v1/vars?namespace=${namespace}`, undefined, token)).text,
        ) as { Path: string }[];
        nomads.push(...variables.map(({ Path }) => `variables/${namespace}/${Path}`));
      }
      for (const key of NAMESPACES)
        if (ours.rights.mayRead({ resource: "node-pools", namespace: "-", key })) decided.push(`pool ${key}`);
      const pools = await api("GET", "/v1/node/pools", undefined, token);
      const visible = (JSON.parse(pools.text) as { Name: string }[]).map(({ Name }) => Name);
      nomads.push(...visible.filter((name) => NAMESPACES.includes(name)).map((name) => `pool ${name}`));
      const listed = await api("GET", "/v1/namespaces", undefined, token);
      nomads.push(...(JSON.parse(listed.text) as { Name: string }[]).map(({ Name }) => Name));
      for (const [resource, path] of WIDE_QUESTIONS) {
        if ((await api("GET", path, undefined, token)).status === 200) nomads.push(resource);
        if (ours.rights.mayList(resource, "-")) decided.push(resource);
      }
      expect({ policies, allowed: decided.toSorted() }).toEqual({ policies, allowed: nomads.toSorted() });
    }
  }, 180_000);

  it("are none of a token that is deleted, garbage, or no task's identity", async () => {
    const token = await tokenWith(['namespace "default" { policy = "read" }'], "doomed");
    expect(await rights.rightsOf(token, signal())).toMatchObject({ kind: "known" });
    const { text } = await api("GET", "/v1/acl/token/self", undefined, token);
    await api("DELETE", `/v1/acl/token/${(JSON.parse(text) as { AccessorID: string }).AccessorID}`);
    const header = Buffer.from('{"alg":"RS256","kid":"x"}').toString("base64url");
    for (const bad of [token, "garbage", "a.b.c", `${header}.e30.c2ln`, NEVER]) {
      expect(await rights.rightsOf(bad, signal())).toEqual({ kind: "unknown" });
    }
  });

  it("are those of the anonymous policy without a token, and everything for management", async () => {
    expect(await rights.rightsOf(undefined, signal())).toEqual({ kind: "unknown" });
    const Rules = 'namespace "default" { policy = "read" }';
    await api("POST", "/v1/acl/policy/anonymous", { Name: "anonymous", Rules });
    const anonymous = await rights.rightsOf(undefined, signal());
    await api("DELETE", "/v1/acl/policy/anonymous");
    if (anonymous.kind !== "known") throw new Error(`anonymous is ${anonymous.kind}`);
    expect(anonymous.rights.mayList("jobs", "default")).toBe(true);
    expect(anonymous.rights.mayList("jobs", "a")).toBe(false);
    const management = await rights.rightsOf(agent.token, signal());
    expect(management.kind === "known" && management.rights.mayListEverywhere("nodes")).toBe(true);
  });
});

function seeded(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (state * 1_103_515_245 + 12_345) % 2_147_483_648;
    return Math.floor((state / 2_147_483_648) * below);
  };
}

function randomPolicy(random: (below: number) => number, allowed: readonly string[]): string {
  const names = random(3) === 0 ? NAMESPACES : GLOBS;
  const chosen = new Set(Array.from({ length: 1 + random(4) }, () => names[random(names.length)] ?? "*"));
  const rules = [...chosen].map(
    (name) => `namespace "${name}" {\n  ${allowed[random(allowed.length)]}\n${variablesRule(random)}}`,
  );
  for (const kind of ["node", "operator"])
    if (random(3) === 0) rules.push(`${kind} { policy = "${LEVELS[random(3)]}" }`);
  if (random(3) === 0) rules.push(`plugin { policy = "${["read", "list", "deny"][random(3)]}" }`);
  if (random(2) === 0)
    rules.push(`node_pool "${GLOBS[random(GLOBS.length)]}" { policy = "${LEVELS[random(3)]}" }`);
  return rules.join("\n");
}

function variablesRule(random: (below: number) => number): string {
  if (random(2) === 0) return "";
  const path = PATH_GLOBS[random(PATH_GLOBS.length)];
  const capabilities = PATH_CAPABILITIES[random(PATH_CAPABILITIES.length)];
  return `  variables { path "${path}" { capabilities = ${capabilities} } }\n`;
}
