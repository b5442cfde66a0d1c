import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { simulatedNomad } from "../support/simulated-nomad.ts";
import { createJobVersionsReader, type JobVersionsReader } from "../../src/nomad/job-versions.ts";
import { resolveNomadOptions } from "../../src/nomad/options.ts";
import { changesOf } from "../../src/events/spec/changes.ts";
import type { JsonObject } from "../../src/schemas/json.ts";
import { systemClock } from "../../src/shared/clock.ts";
import { silentLogger } from "../../src/telemetry/logger.ts";
import { findGuardedNomadAgent, type NomadAgent } from "../support/nomad-agent.ts";

const found = await findGuardedNomadAgent(process.env);
const origin = typeof found === "string" ? `skipped: ${found}` : found.origin;

/** A job that needs no node, since its groups have no instance, with what people put secrets into. */
function specOf(round: number): object {
  const task = {
    Name: "main",
    Driver: "docker",
    Config: { image: `web:${round}`, args: ["-v", "--token", `arg-secret-${round}`] },
    Env: { DB_PASSWORD: `env-secret-${round}` },
    Meta: { owner: `meta-secret-${round}` },
    Templates: [{ EmbeddedTmpl: `template-secret-${round}`, DestPath: "local/a.conf" }],
    Artifacts: [
      {
        GetterSource: "https://example.com/a.tgz",
        GetterOptions: { sshkey: `option-secret-${round}` },
        GetterHeaders: { Authorization: `header-secret-${round}` },
      },
    ],
    Resources: { CPU: 20, MemoryMB: 20 + round },
  };
  const group = { Name: "web", Count: 0, Meta: { note: `group-secret-${round}` }, Tasks: [task] };
  const all = { Datacenters: ["dc1", ...(round > 0 ? ["dc2"] : [])], Meta: { note: `job-secret-${round}` } };
  return { ID: "ncf/versions", Name: "web", Type: "service", ...all, TaskGroups: [group] };
}

describe.skipIf(typeof found === "string")(`versions of a job, as a real Nomad has them (${origin})`, () => {
  let agent: NomadAgent & { readonly token: string };
  let reader: JobVersionsReader;
  const wanted = { namespace: "default", job: "ncf/versions" };
  const signal = () => AbortSignal.timeout(20_000);

  const api = async (method: string, path: string, body?: object) => {
    const headers = { "x-nomad-token": agent.token };
    const response = await fetch(agent.address + path, {
      method,
      headers,
      ...(body && { body: JSON.stringify(body) }),
    });
    expect([path, response.status]).toEqual([path, 200]);
    return (await response.json().catch(() => ({}))) as JsonObject;
  };
  const tokenOf = async (capability: string): Promise<string> => {
    const Name = `ncf-${capability}`;
    const Rules = `namespace "default" { capabilities = ["${capability}"] }`;
    await api("POST", `/v1/acl/policy/${Name}`, { Name, Rules });
    return (await api("POST", "/v1/acl/token", { Name, Type: "client", Policies: [Name] }))[
      "SecretID"
    ] as string;
  };

  beforeAll(async () => {
    if (typeof found === "string") return;
    agent = found;
    const options = resolveNomadOptions({ addresses: [agent.address], token: agent.token });
    reader = createJobVersionsReader(options, { logger: silentLogger(), clock: systemClock });
    for (const round of [0, 1, 2]) await api("PUT", "/v1/jobs", { Job: specOf(round) });
  });
  afterAll(async () => {
    await reader?.[Symbol.asyncDispose]();
    await agent?.stop();
  });

  it("are read with what each changed, without a secret", async () => {
    const answer = await reader.read({ ...wanted, as: "feed" }, signal());
    if (answer.kind !== "some") throw new Error(`the answer is ${answer.kind}`);
    expect(answer.found.Versions.map(({ Version }) => Version)).toEqual([2, 1, 0]);
    const [newest, middle] = answer.found.Diffs.map((diff) => changesOf(diff).changes);
    const task = "/TaskGroups/web/Tasks/main";
    expect(newest).toContainEqual({
      path: `${task}/Config/image`,
      kind: "edited",
      old: "web:1",
      new: "web:2",
    });
    expect(newest).toContainEqual({
      path: `${task}/Env/DB_PASSWORD`,
      kind: "edited",
      old: "[redacted]",
      new: "[redacted]",
    });
    expect(middle).toContainEqual({ path: "/Datacenters", kind: "added", new: "dc2" });
    const secrets = newest?.filter(({ old }) => old === "[redacted]").map(({ path }) => path);
    expect(secrets).toEqual([
      "/Meta/note",
      "/TaskGroups/web/Meta/note",
      `${task}/Env/DB_PASSWORD`,
      `${task}/Meta/owner`,
      `${task}/Config/args/2`,
      expect.stringContaining(`${task}/Artifact/`) as string,
      expect.stringContaining(`${task}/Artifact/`) as string,
      `${task}/Template/EmbeddedTmpl`,
    ]);
    expect(JSON.stringify([newest, middle])).not.toContain("-secret-");
  });

  it("are for tokens with read-job, and for others as what is not there", async () => {
    const kindFor = async (token: string | undefined, job = wanted.job) =>
      (await reader.read({ ...wanted, job, as: { token } }, signal())).kind;
    expect(await kindFor(await tokenOf("read-job"))).toBe("some");
    const listing = await tokenOf("list-jobs");
    expect(await kindFor(listing)).toBe("none");
    expect(await kindFor(listing, "nope")).toBe("none");
    expect(await kindFor(undefined)).toBe("none");
    expect(await kindFor("5e9d1c34-aaaa-bbbb-cccc-0123456789ab")).toBe("none");
    expect(await kindFor(agent.token, "nope")).toBe("none");
  });

  it("have in the simulator the members that they have here", async () => {
    await using nomad = await simulatedNomad();
    const { cluster } = nomad.simulator;
    cluster.registerJob({ id: "web" });
    cluster.registerJob({ id: "web", datacenters: ["dc1", "dc2"], priority: 60 });
    cluster.scaleJob("default", "web", "web", 3);
    const simulated = await nomad.ask("/v1/job/web/versions?diffs=true&namespace=default");
    const path = `/v1/job/${encodeURIComponent(wanted.job)}/versions?diffs=true&namespace=default`;
    const real = shapeOf(await api("GET", path));
    const known = shapeOf(JSON.parse(simulated.text));
    expect([...known].filter((member) => !real.has(member))).toEqual([]);
    // Of a specification it knows less than there is.
    const diffs = [...real].filter((member) => member.startsWith("/Diffs/"));
    expect(diffs.filter((member) => !known.has(member))).toEqual([]);
  });
});

/** All members there are, in lists those of all items; values of maps that people name are left out. */
function shapeOf(value: unknown, path = "", members = new Set<string>()): Set<string> {
  if (Array.isArray(value)) for (const item of value) shapeOf(item, path, members);
  else if (typeof value === "object" && value !== null && !/\/(Config|Env|Meta)$/.test(path)) {
    for (const [name, member] of Object.entries(value)) {
      members.add(`${path}/${name}`);
      shapeOf(member, `${path}/${name}`, members);
    }
  }
  return members;
}
