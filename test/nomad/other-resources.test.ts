import { generateKeyPairSync } from "node:crypto";
import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startBridgeProcess, type BridgeProcess } from "../support/bridge-process.ts";
import { readLog, type SeenEvent } from "../support/feed-check.ts";
import { buildGoProgram, goProgram } from "../support/go-program.ts";
import { findGuardedNomadAgent } from "../support/nomad-agent.ts";
import { skippedBecause } from "../support/skipped.ts";
import { until } from "../support/until.ts";

const found = await findGuardedNomadAgent(process.env);
const origin = typeof found === "string" ? `skipped: ${found}` : found.origin;
if (typeof found === "string") process.stderr.write(`${found}\n`);

const csiPluginLacks = typeof found === "string" ? undefined : buildGoProgram("csi-plugin").lacks;

/** Names nobody else on a shared cluster uses. */
const tag = `ncf-${process.pid}`;
const SECRET_VALUE = "kept-in-a-variable-alone";

describe.skipIf(typeof found === "string")(`what a real Nomad has besides jobs (${origin})`, () => {
  const agent = found as Exclude<typeof found, string>;
  let directory: string;
  let file: string;
  let bridge: BridgeProcess;
  const secrets: string[] = [];

  const call = async (method: string, path: string, body?: object): Promise<Record<string, unknown>> => {
    const response = await fetch(agent.address + path, {
      method,
      headers: { "X-Nomad-Token": agent.token },
      ...(body && { body: JSON.stringify(body) }),
    });
    const text = await response.text();
    if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${text}`);
    return text === "" || text === "null" ? {} : (JSON.parse(text) as Record<string, unknown>);
  };
  const events = (): Promise<SeenEvent[]> => readLog(file);
  /** Dynamic host volumes came with 1.10. */
  const hasHostVolumes = async (): Promise<boolean> => {
    const headers = { "X-Nomad-Token": agent.token };
    return (await fetch(`${agent.address}/v1/volumes/claims`, { headers })).status !== 404;
  };
  const signal = (name: string, subject: string): Promise<SeenEvent> =>
    until(
      `${name} of ${subject}`,
      async () =>
        (await events()).find((event) => event.signals.includes(name) && event.subject.startsWith(subject)),
      60_000,
    );

  beforeAll(async () => {
    secrets.push(agent.token, SECRET_VALUE);
    directory = await mkdtemp(join(tmpdir(), "ncf-real-others-"));
    file = join(directory, "feed.db");
    bridge = startBridgeProcess({
      nomadAddr: agent.address,
      feed: `sqlite:${file}`,
      flags: ["--resources", "all", "--poll-every", "1s"],
      env: { NOMAD_TOKEN: agent.token },
    });
    await bridge.ready();
  }, 120_000);
  afterAll(async () => {
    await bridge?.stop();
    if (directory !== undefined) await rm(directory, { recursive: true });
    await agent.stop();
  }, 60_000);

  it("tells of node pools", async () => {
    const pool = { Name: `${tag}-pool`, Description: "of a test" };
    await call("PUT", "/v1/node/pools", pool);
    await signal("node_pool.created", `node-pools/-/${pool.Name}`);
    await call("PUT", "/v1/node/pools", { ...pool, Description: "changed" });
    const changed = await signal("node_pool.changed", `node-pools/-/${pool.Name}`);
    expect(changed).toMatchObject({ op: "update", data: { aspect: "spec" } });
    await call("DELETE", `/v1/node/pool/${pool.Name}`);
    await signal("node_pool.deleted", `node-pools/-/${pool.Name}`);
  });

  it("tells of variables, and never what they hold", async () => {
    const path = `${tag}/app`;
    const write = (value: string) =>
      call("PUT", `/v1/var/${path}`, { Namespace: "default", Path: path, Items: { password: value } });
    await write(SECRET_VALUE);
    await signal("variable.created", `variables/default/${path}`);
    await write(`${SECRET_VALUE}-2`);
    const { after } = await signal("variable.changed", `variables/default/${path}`);
    expect(Object.keys(after ?? {}).toSorted()).toEqual([
      "CreateIndex",
      "CreateTime",
      "ModifyIndex",
      "ModifyTime",
      "Namespace",
      "Path",
    ]);
    await call("DELETE", `/v1/var/${path}`);
    await signal("variable.deleted", `variables/default/${path}`);
  });

  const createVolume = async (): Promise<string> => {
    const created = await call("PUT", "/v1/volume/host/create", {
      Volume: {
        Name: `${tag}-cache`,
        Namespace: "default",
        PluginID: "mkdir",
        RequestedCapabilities: [{ AccessMode: "single-node-writer", AttachmentMode: "file-system" }],
      },
    });
    const volumeId = (created["Volume"] as { ID: string }).ID;
    await signal("host_volume.created", `host-volumes/default/${volumeId}`);
    await signal("host_volume.ready", `host-volumes/default/${volumeId}`);
    return volumeId;
  };
  const deleteVolume = async (volumeId: string): Promise<void> => {
    await until(
      "the volume to be free",
      () =>
        call("DELETE", `/v1/volume/host/${volumeId}/delete`).then(
          () => true,
          () => false,
        ),
      60_000,
    );
    await signal("host_volume.deleted", `host-volumes/default/${volumeId}`);
  };

  it("tells of services and scaling policies of a job, and of the claims on host volumes", async () => {
    const id = `${tag}-web`;
    const volumeId = (await hasHostVolumes()) ? await createVolume() : undefined;
    const job = {
      ID: id,
      Name: id,
      Type: "service",
      Datacenters: ["*"],
      TaskGroups: [
        {
          Name: "g",
          Count: 1,
          Scaling: { Enabled: true, Min: 1, Max: 3, Policy: { note: "of a test" } },
          ...(volumeId !== undefined && {
            Volumes: {
              cache: {
                Name: "cache",
                Type: "host",
                Source: `${tag}-cache`,
                Sticky: true,
                AccessMode: "single-node-writer",
                AttachmentMode: "file-system",
              },
            },
          }),
          Services: [
            { Name: id, Provider: "nomad", Tags: ["b", "a"], PortLabel: "8080", AddressMode: "auto" },
          ],
          Tasks: [
            {
              Name: "t",
              Driver: "raw_exec",
              Config: { command: "/bin/sleep", args: ["3600"] },
              Resources: { CPU: 20, MemoryMB: 20 },
            },
          ],
        },
      ],
    };
    await call("PUT", "/v1/jobs", { Job: job });
    await signal("scaling_policy.created", "scaling-policies/default/");
    const service = await signal("service.registered", `services/default/${id}`);
    expect(service.after).toEqual({ Namespace: "default", ServiceName: id, Tags: ["a", "b"] });
    if (volumeId !== undefined) await signal("host_volume_claim.created", "host-volume-claims/default/");
    await call("DELETE", `/v1/job/${id}?purge=true`);
    await signal("service.gone", `services/default/${id}`);
    await signal("scaling_policy.deleted", "scaling-policies/default/");
    if (volumeId === undefined) return;
    await signal("host_volume_claim.released", "host-volume-claims/default/");
    await deleteVolume(volumeId);
  });

  it.skipIf(csiPluginLacks !== undefined)(
    `tells of a CSI plugin that comes, is well and goes, and of a volume of it${skippedBecause(csiPluginLacks)}`,
    async () => {
      const id = `${tag}-csi`;
      const task = {
        Name: "plugin",
        Driver: "raw_exec",
        Config: { command: goProgram("csi-plugin") },
        CSIPluginConfig: { ID: id, Type: "node", MountDir: "/csi" },
        Resources: { CPU: 20, MemoryMB: 50 },
      };
      const groups = [{ Name: "g", Count: 1, Tasks: [task] }];
      const job = { ID: id, Name: id, Type: "service", Datacenters: ["*"], TaskGroups: groups };
      await call("PUT", "/v1/jobs", { Job: job });
      await signal("csi_plugin.registered", `csi-plugins/-/${id}`);
      const healthy = await signal("csi_plugin.healthy", `csi-plugins/-/${id}`);
      expect(healthy.after).toMatchObject({ Provider: "changefeed.test", NodesHealthy: 1 });
      const volume = {
        ID: id,
        Name: id,
        Namespace: "default",
        PluginID: id,
        ExternalID: "anything",
        RequestedCapabilities: [{ AccessMode: "single-node-writer", AttachmentMode: "file-system" }],
      };
      await call("PUT", `/v1/volume/csi/${id}`, { Volumes: [volume] });
      const registered = await signal("csi_volume.registered", `csi-volumes/default/${id}`);
      expect(registered.after).toMatchObject({ PluginID: id, Schedulable: true });
      await call("DELETE", `/v1/volume/csi/${id}?force=true`);
      await signal("csi_volume.gone", `csi-volumes/default/${id}`);
      await call("DELETE", `/v1/job/${id}?purge=true`);
      await signal("csi_plugin.gone", `csi-plugins/-/${id}`);
    },
  );

  it("tells of policies, roles, tokens, auth methods and binding rules, and never a secret", async () => {
    const name = `${tag}-acl`;
    await call("PUT", `/v1/acl/policy/${name}`, { Name: name, Rules: 'node { policy = "read" }' });
    await signal("acl_policy.created", `acl-policies/-/${name}`);
    await call("PUT", `/v1/acl/policy/${name}`, { Name: name, Rules: 'agent { policy = "read" }' });
    const policy = await signal("acl_policy.changed", `acl-policies/-/${name}`);
    expect(policy.data["aspect"]).toBe("spec");
    const role = (await call("PUT", "/v1/acl/role", { Name: name, Policies: [{ Name: name }] }))[
      "ID"
    ] as string;
    await signal("acl_role.created", `acl-roles/-/${role}`);
    const token = await call("PUT", "/v1/acl/token", { Name: name, Type: "management" });
    secrets.push(token["SecretID"] as string);
    const made = await signal(
      "acl_token.management_created",
      `acl-tokens/-/${token["AccessorID"] as string}`,
    );
    expect(made.severity).toBe("WARN");
    const { publicKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
    await call("PUT", "/v1/acl/auth-method", {
      Name: name,
      Type: "JWT",
      TokenLocality: "local",
      MaxTokenTTL: "1h0m0s",
      Default: false,
      Config: {
        JWTValidationPubKeys: [publicKey.export({ type: "spki", format: "pem" })],
        BoundAudiences: ["test"],
      },
    });
    await signal("acl_auth_method.created", `acl-auth-methods/-/${name}`);
    const rule = await call("PUT", "/v1/acl/binding-rule", {
      AuthMethod: name,
      BindType: "policy",
      BindName: name,
      Selector: "",
    });
    await signal("acl_binding_rule.created", `acl-binding-rules/-/${rule["ID"] as string}`);
    await call("DELETE", `/v1/acl/binding-rule/${rule["ID"] as string}`);
    await signal("acl_binding_rule.deleted", `acl-binding-rules/-/${rule["ID"] as string}`);
    await call("DELETE", `/v1/acl/auth-method/${name}`);
    await signal("acl_auth_method.deleted", `acl-auth-methods/-/${name}`);
    await call("DELETE", `/v1/acl/token/${token["AccessorID"] as string}`);
    await signal("acl_token.deleted", "acl-tokens/-/");
    await call("DELETE", `/v1/acl/role/${role}`);
    await signal("acl_role.deleted", "acl-roles/-/");
    await call("DELETE", `/v1/acl/policy/${name}`);
    await signal("acl_policy.deleted", "acl-policies/-/");
  });

  it("tells how the scheduler is configured", async () => {
    const path = "/v1/operator/scheduler/configuration";
    const before = (await call("GET", path))["SchedulerConfig"] as object;
    await call("PUT", path, { ...before, SchedulerAlgorithm: "spread", RejectJobRegistration: true });
    const changed = await signal("scheduler.rejects_jobs", "scheduler/-/configuration");
    expect(changed).toMatchObject({ op: "update", severity: "WARN", data: { aspect: "spec" } });
    expect(changed.id).toMatch(/^0\/scheduler\/-\/configuration@\d+$/);
    await call("PUT", path, before);
    await signal("scheduler.accepts_jobs", "scheduler/-/configuration");
  });

  it("knows the servers and their health, and says what this Nomad lacks", async () => {
    const url = await bridge.url();
    const objects = (await (await fetch(`${url}/v1/state?types=servers,autopilot,license,quotas`)).text())
      .split("\n")
      .filter((line) => line.includes("subject"));
    expect(objects.join("\n")).toContain('"Leader":true');
    expect(objects.join("\n")).toContain("autopilot/-/health");
    const { assignments } = (await (await fetch(`${url}/v1/assignments`)).json()) as {
      assignments: { assignment: string; condition: string; reason: string }[];
    };
    const lacking = assignments.filter(({ condition }) => condition === "unsupported");
    expect(lacking.map(({ assignment }) => assignment).toSorted()).toEqual([
      ...((await hasHostVolumes()) ? [] : ["host-volume-claims/default", "host-volumes/default"]),
      "license/-",
      "quotas/-",
      "recommendations/default",
      "sentinel-policies/-",
    ]);
    expect(bridge.log()).toContain("quotas not watched: only Nomad Enterprise has it");
  });

  it("keeps no secret anywhere", async () => {
    const url = await bridge.url();
    const answers = await Promise.all(
      ["/metrics", "/v1/state", "/v1/events", "/v1/assignments"].map(async (path) =>
        (await fetch(url + path)).text(),
      ),
    );
    const files = await Promise.all(
      (await readdir(directory)).map(async (name) =>
        (await readFile(join(directory, name))).toString("latin1"),
      ),
    );
    const texts = [...answers, ...files, bridge.log(), JSON.stringify(await events())];
    expect(secrets).toHaveLength(3);
    for (const secret of secrets) expect(texts.filter((text) => text.includes(secret))).toEqual([]);
    expect(texts.filter((text) => text.includes("SecretID"))).toEqual([]);
  });
});
