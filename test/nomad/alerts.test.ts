import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { alertListSchema, type AlertJson, type AlertList } from "../../src/schemas/alert-schema.ts";
import { Alertmanager, alertmanagerMissing, type SeenAlert } from "../support/alertmanager.ts";
import { startBridgeProcess, type BridgeProcess } from "../support/bridge-process.ts";
import { NomadCluster, type NomadServer } from "../support/nomad-cluster.ts";
import type { NomadNode } from "../support/nomad-node.ts";
import { NomadWriter, type JobSpec } from "../support/nomad-writer.ts";
import { until } from "../support/until.ts";

const { NOMAD_BIN: binary = "" } = process.env;
const missing = binary === "" ? "no Nomad to run alerts about: set NOMAD_BIN" : alertmanagerMissing();
if (missing !== undefined) process.stderr.write(`${missing}\n`);

/** What other rules would say beside the right one, they say so soon that a test sees it. */
const SOON = "{ for: 2s, keepFiringFor: 2s }";
const SOON_MS = 2000;
const config = (url: string) => `cluster: real
destinations:
  am: { type: alertmanager, urls: [${url}], resend: 1s }
alerts:
  rules:
${["JobFailing", "JobExhausted", "PlacementBlocked", "NodeDown", "NodeDisconnected", "DriverUnhealthy"]
  .map((rule) => `    ${rule}: ${SOON}`)
  .join("\n")}
`;

const COUNT = 50;
const WEB: JobSpec = {
  id: "web",
  namespace: "default",
  count: COUNT,
  maxParallel: COUNT,
  // However slow the machine is, what fails has not been healthy before.
  minHealthyMs: 3000,
  command: "exec sleep 600",
};
const FAILING: JobSpec = { ...WEB, command: "exit 3" };
const MENDED: JobSpec = { ...WEB, command: "exec sleep 601" };

const DEPLOYMENT_FAILED = {
  alertname: "DeploymentFailed",
  severity: "critical",
  cluster: "real",
  region: "global",
  namespace: "default",
  job: "web",
};

describe.skipIf(missing !== undefined)("alerts about real Nomad nodes, as Alertmanager has them", () => {
  let directory: string;
  let cluster: NomadCluster;
  let nodes: NomadNode[];
  let server: NomadServer;
  let nomad: NomadWriter;
  let alertmanager: Alertmanager;
  let bridge: BridgeProcess;
  /** Each alert that Alertmanager ever had in this test, by its labels and its beginning. */
  const told = new Map<string, SeenAlert>();

  beforeAll(async () => {
    cluster = await NomadCluster.start(binary, { size: 1 });
    server = await cluster.led();
    nodes = [await cluster.startNode(), await cluster.startNode()];
    nomad = new NomadWriter(server.address);
  });
  afterAll(() => cluster[Symbol.asyncDispose]());

  beforeEach(async () => {
    told.clear();
    directory = await mkdtemp(join(tmpdir(), "ncf-nomad-alerts-"));
    alertmanager = await Alertmanager.start();
    await until("all nodes are ready", async () => {
      const ready = (await list<{ Status: string }>("/v1/nodes")).filter(({ Status }) => Status === "ready");
      return ready.length === nodes.length;
    });
    await nomad.registerJob(WEB);
    await deployed(0);
    const file = join(directory, "feed.yaml");
    await writeFile(file, config(alertmanager.url));
    bridge = startBridgeProcess({
      nomadAddr: server.address,
      feed: `sqlite:${join(directory, "feed.db")}`,
      flags: ["--config", file],
    });
    await bridge.ready();
    await until("somebody looks", async () => (await alerts()).asOf !== null);
  });
  afterEach(async () => {
    await bridge.stop();
    await alertmanager[Symbol.asyncDispose]();
    await rm(directory, { recursive: true, force: true });
    // What runs on a node that was killed ends when the node is back.
    for (const node of nodes) node.start();
    await nomad.stopJob(WEB.id, "default", { purge: true });
    await until("nothing runs", async () => (await on(nodes)) === 0);
  });

  const list = async <Stub>(path: string): Promise<Stub[]> =>
    (await fetch(`${server.address}${path}`)).json() as Promise<Stub[]>;
  /** Allocations that these nodes hold; undefined while one does not say. */
  const on = async (which: readonly NomadNode[]): Promise<number | undefined> => {
    const counts = await Promise.all(which.map((node) => node.allocations()));
    return counts.some((count) => count === undefined)
      ? undefined
      : counts.reduce<number>((sum, count = 0) => sum + count, 0);
  };
  const all = (status: string) =>
    until(`all are ${status}`, async () => {
      const allocations = await list<{ ClientStatus: string; DesiredStatus: string }>("/v1/allocations");
      const wanted = allocations.filter(({ DesiredStatus }) => DesiredStatus === "run");
      return wanted.length === COUNT && wanted.every(({ ClientStatus }) => ClientStatus === status);
    });
  const deployed = (version: number) =>
    until(`version ${version} is deployed`, async () => {
      const known = await list<{ Status: string; JobVersion: number }>("/v1/deployments");
      return known.some(({ Status, JobVersion }) => Status === "successful" && JobVersion === version);
    });
  /** How many of those that are to run are on a node. */
  const wantedOn = async (node: string | undefined): Promise<number> => {
    const allocations = await list<{ NodeID: string; DesiredStatus: string }>("/v1/allocations");
    return allocations.filter(({ NodeID, DesiredStatus }) => NodeID === node && DesiredStatus === "run")
      .length;
  };
  const alerts = async (): Promise<AlertList> =>
    alertListSchema.parse(await (await fetch(`${await bridge.url()}/v1/alerts`)).json());
  /** What fires in Alertmanager, beside the sign that somebody looks. */
  const firing = (): SeenAlert[] => {
    const now = alertmanager
      .alerts()
      .filter(({ labels }) => labels["alertname"] !== "NomadChangefeedWatchdog");
    for (const alert of now) told.set(JSON.stringify([alert.labels, alert.startsAt]), alert);
    return now;
  };
  /** Resolves once all rules have had the time to say something since then. */
  const looked = (since: string | null | undefined) =>
    until("the rules were asked for long enough", async () => {
      firing();
      return Date.parse((await alerts()).asOf ?? "") > Date.parse(since ?? "") + 3 * SOON_MS;
    });
  const ended = () =>
    until("it has ended", async () => {
      const { ended: those } = await alerts();
      return firing().length === 0 && those.length > 0 && (those as [AlertJson, ...AlertJson[]]);
    });

  it(`a rollout of ${COUNT} allocations that fails is one, until it is mended`, async () => {
    await nomad.registerJob(FAILING);
    const [first] = await until("it is told", () => firing().length > 0 && firing());
    expect(first?.labels).toEqual(DEPLOYMENT_FAILED);
    await all("failed");
    await looked(new Date().toISOString());
    const [later, ...others] = firing();
    expect(others).toEqual([]);
    expect(later).toMatchObject({ labels: DEPLOYMENT_FAILED, startsAt: first?.startsAt });
    expect(later?.annotations).toMatchObject({
      summary: `The deployment of web version ${later?.annotations["version"]} failed: ${COUNT} × exit code 3`,
      count: String(COUNT),
    });
    await nomad.registerJob(MENDED);
    const [end] = await ended();
    expect(end).toMatchObject({ rule: "DeploymentFailed", reason: "recovered" });
    await looked(end.endsAt);
    expect(await alerts()).toMatchObject({ alerts: [], ended: { length: 1 } });
    expect([...told.values()].map(({ labels }) => labels)).toEqual([DEPLOYMENT_FAILED]);
  });

  it("a rollout that fails and goes back by itself is one, until it is back", async () => {
    await nomad.registerJob({ ...MENDED, autoRevert: true });
    await deployed(1);
    await nomad.registerJob({ ...FAILING, autoRevert: true });
    const [end] = await ended();
    expect(end).toMatchObject({ rule: "DeploymentFailed", reason: "recovered" });
    await all("running");
    await looked(end.endsAt);
    expect(await alerts()).toMatchObject({ alerts: [], ended: { length: 1 } });
    expect([...told.values()].map(({ labels }) => labels)).toEqual([DEPLOYMENT_FAILED]);
  });

  it("a node without word that its allocations may outlast is one, until it is back", async () => {
    await nomad.registerJob({ ...MENDED, lostAfterMs: 3_600_000 });
    await deployed(1);
    const [silent] = nodes as [NomadNode];
    const node = await silent.id();
    const unknown = await wantedOn(node);
    await silent.end("SIGKILL");
    const GONE = {
      alertname: "NodeDisconnected",
      severity: "critical",
      cluster: "real",
      region: "global",
      node,
    };
    await until("it is told", () => firing().length > 0);
    await looked(new Date().toISOString());
    expect(firing()).toMatchObject([{ annotations: { count: String(unknown) } }]);
    silent.start();
    const [end] = await ended();
    expect(end).toMatchObject({ rule: "NodeDisconnected", reason: "recovered" });
    await looked(end.endsAt);
    expect(await alerts()).toMatchObject({ alerts: [], ended: { length: 1 } });
    expect([...told.values()].map(({ labels }) => labels)).toEqual([GONE]);
  });

  it("a node that dies is one, with the allocations lost with it, until it is back", async () => {
    const [dying] = nodes as [NomadNode];
    const node = await dying.id();
    const lost = await wantedOn(node);
    expect(lost).toBeGreaterThan(0);
    await dying.end("SIGKILL");
    const NODE_DOWN = {
      alertname: "NodeDown",
      severity: "critical",
      cluster: "real",
      region: "global",
      node,
    };
    await until("it is told", () => firing().length > 0);
    await all("running");
    await looked(new Date().toISOString());
    expect(firing()).toMatchObject([{ annotations: { count: String(lost) } }]);
    dying.start();
    const [end] = await ended();
    expect(end).toMatchObject({ rule: "NodeDown", reason: "recovered" });
    await looked(end.endsAt);
    expect(await alerts()).toMatchObject({ alerts: [], ended: { length: 1 } });
    expect([...told.values()].map(({ labels }) => labels)).toEqual([NODE_DOWN]);
  });
});
