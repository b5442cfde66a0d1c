import { createHash } from "node:crypto";
import { chmod, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { PolicyRules } from "../../packages/nomad-simulator/src/acl/records.ts";
import { FILTER_LANGUAGE } from "../../src/commands/support/filter-language.ts";
import { resolveConfig } from "../../src/config/resolve.ts";
import { createJobVersionsReader } from "../../src/nomad/job-versions.ts";
import { resolveNomadOptions } from "../../src/nomad/options.ts";
import { jobVersionsSchema, type JobVersionList } from "../../src/schemas/job-versions-schema.ts";
import { systemClock } from "../../src/shared/clock.ts";
import { silentLogger } from "../../src/telemetry/logger.ts";
import { simulatedNomad, type SimulatedNomad } from "../support/simulated-nomad.ts";
import { startBridge, type StartedBridge } from "../support/started-bridge.ts";
import { watchCluster, type WatchedCluster } from "../support/watched-cluster.ts";

const ask = (url: string, query: string, token?: string) =>
  fetch(
    `${url}/v1/job-versions?${query}`,
    token === undefined ? {} : { headers: { "x-nomad-token": token } },
  );
const answerOf = async (url: string, query: string, token?: string): Promise<JobVersionList> => {
  const response = await ask(url, query, token);
  if (response.status !== 200) throw new Error(`${response.status} ${await response.text()}`);
  return jobVersionsSchema.parse(await response.json());
};
const problemOf = async (url: string, query: string, token?: string) => {
  const response = await ask(url, query, token);
  return { status: response.status, ...((await response.json()) as { code: string; message: string }) };
};

describe("without authentication", () => {
  let watched: WatchedCluster;
  let url: string;
  beforeAll(async () => {
    watched = await watchCluster({ simulator: { allocations: 0 } });
    ({ url } = watched.bridge);
    const { cluster } = watched.simulator;
    cluster.registerJob({ id: "web", groups: [{ name: "web", count: 2, tasks: ["main"] }] });
    cluster.scaleJob("default", "web", "web", 5);
    cluster.tagJobVersion("default", "web", "golden");
    cluster.registerJob({ id: "web", datacenters: ["dc1", "dc2"] });
    cluster.registerJob({ id: "batch/periodic-1", type: "batch" });
    await watched.settled();
  });
  afterAll(() => watched.close());

  it("says what each version changed, newest first, without any secret", async () => {
    const response = await ask(url, "namespace=default&job=web");
    const text = await response.text();
    expect(text).not.toContain("password-");
    const answer = jobVersionsSchema.parse(JSON.parse(text));
    expect(answer).toMatchObject({ job: "web", namespace: "default" });
    expect(answer.versions.map(({ version, versionTag }) => [version, versionTag?.name])).toEqual([
      [2, undefined],
      [1, "golden"],
      [0, undefined],
    ]);
    const [update, scaling, first] = answer.versions;
    const task = "/TaskGroups/web/Tasks/main";
    const hidden = { kind: "edited", old: "[redacted]", new: "[redacted]" };
    expect(update?.diff?.changes).toEqual([
      { path: "/Datacenters", kind: "added", new: "dc2" },
      { path: `${task}/Env/DATABASE_PASSWORD`, ...hidden },
      { path: `${task}/Env/RELEASE`, ...hidden },
      {
        path: `${task}/Config/image`,
        kind: "edited",
        old: "registry.example/main:1.0",
        new: "registry.example/main:1.2",
      },
    ]);
    expect(scaling?.diff).toEqual({
      changes: [{ path: "/TaskGroups/web/Count", kind: "edited", old: "2", new: "5" }],
      omitted: 0,
    });
    expect(first?.diff).toBeNull();
    expect(Date.parse(update?.submittedAt ?? "")).toBeGreaterThan(Date.parse(scaling?.submittedAt ?? "") - 1);
  });

  it("takes an id with a slash, and needs both of its parameters", async () => {
    expect((await answerOf(url, "namespace=default&job=batch%2Fperiodic-1")).versions).toHaveLength(1);
    expect(await problemOf(url, "job=web")).toMatchObject({ status: 400, field: "namespace" });
    expect(await problemOf(url, "namespace=default")).toMatchObject({ status: 400, field: "job" });
    expect(await problemOf(url, "namespace=*&job=web")).toMatchObject({ status: 400, field: "namespace" });
    expect(await problemOf(url, "namespace=default&job=web&diff=1")).toMatchObject({
      status: 400,
      field: "diff",
    });
  });

  it("is 404 for a job that is not there, and 503 where Nomad is not", async () => {
    expect(await problemOf(url, "namespace=default&job=nope")).toMatchObject({ status: 404, code: "NO_JOB" });
    watched.simulator.cluster.registerJob({ id: "later" });
    await watched.settled();
    watched.simulator.faults.add({ kind: "500", resource: "job" });
    const away = await ask(url, "namespace=default&job=later");
    expect([away.status, away.headers.get("retry-after")]).toEqual([503, "5"]);
    expect(await away.json()).toMatchObject({ code: "UPSTREAM_UNAVAILABLE" });
  });
});

const OWN = "own-static-token-7f3a9c51d2";
const NODES = "nodes-static-token-0b64c8e7aa";

describe("with tokens", () => {
  let directory: string;
  let nomad: SimulatedNomad;
  let bridge: StartedBridge;
  let url: string;
  let policies = 0;
  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), "ncf-versions-"));
    nomad = await simulatedNomad({ acl: true });
    const { cluster } = nomad.simulator;
    cluster.createNamespace("hidden");
    cluster.createNamespace("unwatched");
    for (const namespace of ["default", "hidden", "unwatched"]) {
      for (const count of [1, 2])
        cluster.registerJob({ id: "web", namespace, groups: [{ name: "g", count, tasks: ["main"] }] });
    }
    bridge = await start();
    ({ url } = bridge);
  });
  afterAll(async () => {
    await bridge.stop();
    await nomad[Symbol.asyncDispose]();
    await rm(directory, { recursive: true, force: true });
  });

  async function start(): Promise<StartedBridge> {
    const sha256 = (token: string) => createHash("sha256").update(token).digest("hex");
    const tokens = join(directory, "tokens.yaml");
    const config = join(directory, "config.yaml");
    await writeFile(
      tokens,
      `tokens:
  - { name: own, sha256: ${sha256(OWN)}, namespaces: [default, unwatched], resources: [jobs] }
  - { name: nodes, sha256: ${sha256(NODES)}, namespaces: [default], resources: [nodes] }
`,
    );
    await chmod(tokens, 0o600);
    await writeFile(
      config,
      `redaction:
  - { paths: [/TaskGroups/*/Count], namespaces: [hidden] }
  - { patterns: ["registry[.]example"] }
`,
    );
    const { config: resolved } = resolveConfig({
      flags: {
        nomadAddr: nomad.url,
        nomadToken: nomad.simulator.managementToken?.secretId ?? "",
        feed: `sqlite:${join(directory, "feed.db")}`,
        listen: "127.0.0.1:0",
        auth: "tokens,nomad",
        authTokensFile: tokens,
        namespaces: "default,hidden",
        wait: "1s",
        config,
      },
      env: {},
      language: FILTER_LANGUAGE,
    });
    const started = await startBridge(resolved, { logger: silentLogger() });
    await started.ready();
    return started;
  }

  function nomadToken(namespaces: NonNullable<PolicyRules["namespaces"]>): string {
    const { acl } = nomad.simulator;
    policies += 1;
    const name = `policy-${policies}`;
    acl.setPolicy(name, { namespaces });
    return acl.createToken({ policies: [name] }).secretId;
  }

  it("answers a static token of what it may see, and only of what the feed has", async () => {
    expect((await answerOf(url, "namespace=default&job=web", OWN)).versions).toHaveLength(2);
    const absent = await problemOf(url, "namespace=default&job=nope", OWN);
    for (const [query, token] of [
      ["namespace=hidden&job=web", OWN],
      ["namespace=unwatched&job=web", OWN],
      ["namespace=default&job=web", NODES],
    ] as const) {
      const refused = await problemOf(url, query, token);
      expect({ ...refused, message: "" }).toEqual({ ...absent, message: "" });
      expect(refused.message).toMatch(/^There is no job "web" in namespace "/);
    }
    expect((await ask(url, "namespace=default&job=web")).status).toBe(401);
  });

  it("lets Nomad decide about its own tokens: they need read-job", async () => {
    const reads = nomadToken({ hidden: "read" });
    expect((await answerOf(url, "namespace=hidden&job=web", reads)).versions).toHaveLength(2);
    expect(await problemOf(url, "namespace=default&job=web", reads)).toMatchObject({
      status: 404,
      code: "NO_JOB",
    });
    expect(await problemOf(url, "namespace=hidden&job=nope", reads)).toMatchObject({
      status: 404,
      code: "NO_JOB",
    });
    const lists = nomadToken({ default: ["list-jobs"] });
    expect(await problemOf(url, "namespace=default&job=web", lists)).toMatchObject({
      status: 404,
      code: "NO_JOB",
    });
  });

  it("takes out what the configuration redacts, by path and by pattern", async () => {
    const reads = nomadToken({ hidden: "read", default: "read" });
    const changes = async (namespace: string) => {
      const { versions } = await answerOf(url, `namespace=${namespace}&job=web`, reads);
      return versions[0]?.diff?.changes.filter(({ path }) => /Count|image/.test(path));
    };
    const hidden = { kind: "edited", old: "[redacted]", new: "[redacted]" };
    const count = { path: "/TaskGroups/g/Count" };
    const image = { path: "/TaskGroups/g/Tasks/main/Config/image", ...hidden };
    expect(await changes("hidden")).toEqual([{ ...count, ...hidden }, image]);
    expect(await changes("default")).toEqual([{ ...count, kind: "edited", old: "1", new: "2" }, image]);
  });
});

it("an answer that is larger than what is read of one is told apart from none", async () => {
  await using nomad = await simulatedNomad();
  nomad.simulator.cluster.registerJob({ id: "web" });
  const options = resolveNomadOptions({ addresses: [nomad.url], maxBodyBytes: 500 });
  await using reader = createJobVersionsReader(options, { logger: silentLogger(), clock: systemClock });
  const kindOf = async (job: string) =>
    (await reader.read({ namespace: "default", job, as: "feed" }, AbortSignal.timeout(20_000))).kind;
  expect([await kindOf("web"), await kindOf("nope")]).toEqual(["too-large", "none"]);
});
