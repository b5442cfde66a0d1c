import { mkdtempSync, readFileSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { PlainFields, PlainTable } from "../../packages/nomad-simulator/src/store/plain-tables.ts";
import { startBridgeProcess, type BridgeProcess } from "../support/bridge-process.ts";
import { MORE_SAMPLES } from "../support/more-samples.ts";
import { readLog, type SeenEvent } from "../support/feed-check.ts";
import { simulatedNomad, type SimulatedNomad } from "../support/simulated-nomad.ts";
import { until } from "../support/until.ts";

/** What somebody does to an object of each kind, and what the feed says of it. */
const LIVES: readonly (readonly [PlainTable, PlainFields, readonly string[]])[] = [
  [
    "node-pools",
    { Description: "for models" },
    ["created", "changed", "deleted"].map((what) => `node_pool.${what}`),
  ],
  ["services", { Tags: ["blue"] }, ["service.registered", "", "service.gone"]],
  ["variables", {}, ["created", "changed", "deleted"].map((what) => `variable.${what}`)],
  [
    "scaling-policies",
    { Enabled: false },
    ["scaling_policy.created", "scaling_policy.disabled", "scaling_policy.deleted"],
  ],
  [
    "csi-volumes",
    { Schedulable: false },
    ["csi_volume.registered", "csi_volume.unschedulable", "csi_volume.gone"],
  ],
  ["csi-plugins", { NodesHealthy: 0 }, ["csi_plugin.registered", "csi_plugin.unhealthy", "csi_plugin.gone"]],
  [
    "host-volumes",
    { State: "unavailable" },
    ["host_volume.ready", "host_volume.unavailable", "host_volume.deleted"],
  ],
  [
    "host-volume-claims",
    { AllocID: "other" },
    ["host_volume_claim.created", "", "host_volume_claim.released"],
  ],
  ["acl-roles", { Description: "more" }, ["created", "changed", "deleted"].map((what) => `acl_role.${what}`)],
  [
    "acl-auth-methods",
    { Default: false },
    ["created", "changed", "deleted"].map((what) => `acl_auth_method.${what}`),
  ],
  [
    "acl-binding-rules",
    { Description: "more" },
    ["created", "changed", "deleted"].map((what) => `acl_binding_rule.${what}`),
  ],
];

describe("all that Nomad has besides jobs", () => {
  let nomad: SimulatedNomad;
  let bridge: BridgeProcess;
  let directory: string;
  let file: string;
  let secret: string;

  const events = (): Promise<SeenEvent[]> => readLog(file);
  const about = async (subject: string): Promise<SeenEvent[]> =>
    (await events()).filter((event) => event.subject === subject);
  const seen = (what: string, test: (event: SeenEvent) => boolean): Promise<SeenEvent> =>
    until(what, async () => (await events()).find(test), 30_000);

  beforeAll(async () => {
    nomad = await simulatedNomad({ acl: true });
    secret = nomad.simulator.managementToken?.secretId ?? "";
    directory = mkdtempSync(join(tmpdir(), "ncf-others-"));
    file = join(directory, "feed.db");
    bridge = startBridgeProcess({
      nomadAddr: nomad.url,
      feed: `sqlite:${file}`,
      flags: ["--resources", "core,workloads,volumes,acl,servers,autopilot,scheduler", "--poll-every", "1s"],
      env: { NOMAD_TOKEN: secret },
    });
    await bridge.ready();
  });
  afterAll(async () => {
    await bridge?.stop();
    await nomad?.[Symbol.asyncDispose]();
    if (directory !== undefined) rmSync(directory, { recursive: true });
  });

  it.each(LIVES)("tells the life of one of %s", async (table, change, signals) => {
    const { cluster } = nomad.simulator;
    const sample: PlainFields = MORE_SAMPLES[table];
    const key = sample[KEYS[table] ?? "ID"] as string;
    const subject = `${table}/${(sample["Namespace"] as string | undefined) ?? "-"}/${key}`;
    const ops = ["create", "update", "delete"];
    for (const [step, write] of [
      () => cluster.put(table, sample),
      () => cluster.put(table, { ...sample, ...change }),
      () => cluster.remove(table, sample),
    ].entries()) {
      write();
      const event = await seen(
        `${ops[step]} of ${subject}`,
        (one) => one.subject === subject && one.op === ops[step],
      );
      expect(event.signals.join()).toContain(signals[step] ?? "");
    }
    const told = await about(subject);
    expect(told.map(({ op }) => op)).toEqual(ops);
    expect(new Set(told.map(({ id }) => id)).size).toBe(3);
  });

  it("takes the order of a service's tags for nothing", async () => {
    nomad.simulator.cluster.put("services", { Namespace: "default", ServiceName: "api", Tags: ["b", "a"] });
    const { after } = await seen("the service", ({ subject }) => subject === "services/default/api");
    expect(after).toEqual({ Namespace: "default", ServiceName: "api", Tags: ["a", "b"] });
    for (let write = 0; write < 10; write += 1) {
      nomad.simulator.cluster.put("services", {
        Namespace: "default",
        ServiceName: `other-${write}`,
        Tags: [],
      });
      await seen("another service", ({ subject }) => subject === `services/default/other-${write}`);
    }
    expect(await about("services/default/api")).toHaveLength(1);
  });

  it("tells who leads, who is healthy and how jobs are placed, of which Nomad has no index", async () => {
    const { operator } = nomad.simulator;
    const first = operator.servers[0];
    if (first === undefined) throw new Error("the simulator has no server");
    const other = { ...first, name: "server-2", address: "10.0.0.2" };
    operator.servers = [first, other];
    await seen(
      "a server",
      ({ signals, key }) => signals.includes("server.joined") && key === "server-2.global",
    );
    operator.leader = "server-2";
    const led = await seen("a leader", ({ signals }) => signals.includes("server.leads"));
    expect(led).toMatchObject({ subject: "servers/-/server-2.global", severity: "INFO" });
    await seen("none any more", ({ signals }) => signals.includes("server.deposed"));
    operator.servers = [first, { ...other, healthy: false, status: "failed" }];
    await seen("a failure", ({ signals }) => signals.includes("server.failed"));
    const health = await seen("ill health", ({ signals }) => signals.includes("autopilot.unhealthy"));
    expect(health).toMatchObject({ subject: "autopilot/-/health", severity: "ERROR" });
    expect(health.after).not.toHaveProperty("Servers.server-1.global.LastIndex");
    operator.scheduler = { ...operator.scheduler, PauseEvalBroker: true, ModifyIndex: 77 };
    const paused = await seen("a pause", ({ signals }) => signals.includes("scheduler.paused"));
    expect(paused).toMatchObject({ id: "0/scheduler/-/configuration@77", severity: "WARN" });
  });

  it("lets no secret of a token in, wherever one looks", async () => {
    const { acl } = nomad.simulator;
    const made = acl.createToken({ name: "ci", policies: ["readers"] });
    acl.setPolicy("readers", { node: "read" });
    await seen("the token", ({ subject }) => subject === `acl-tokens/-/${made.accessorId}`);
    await seen("the policy", ({ subject }) => subject === "acl-policies/-/readers");
    acl.updateToken(made.secretId, { policies: ["writers"] });
    await seen("its change", ({ signals }) => signals.includes("acl_token.changed"));
    acl.deleteToken(made.secretId);
    await seen("its end", ({ signals }) => signals.includes("acl_token.deleted"));
    const url = await bridge.url();
    const answers = await Promise.all(
      ["/metrics", "/readyz", "/v1/state", "/v1/assignments", "/v1/events"].map(async (path) =>
        (await fetch(url + path)).text(),
      ),
    );
    const files = readdirSync(directory).map((name) =>
      readFileSync(join(directory, name)).toString("latin1"),
    );
    const texts = [...answers, ...files, bridge.log(), JSON.stringify(await events())];
    for (const hidden of [secret, made.secretId]) {
      expect(texts.filter((text) => text.includes(hidden))).toEqual([]);
    }
    expect(texts.some((text) => text.includes(made.accessorId))).toBe(true);
    expect(texts.filter((text) => text.includes("SecretID"))).toEqual([]);
  });
});

/** Keys that are no ID. */
const KEYS: Partial<Record<PlainTable, string>> = {
  "node-pools": "Name",
  services: "ServiceName",
  variables: "Path",
  "acl-auth-methods": "Name",
};
