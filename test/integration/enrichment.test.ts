import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { createSimulator } from "../../packages/nomad-simulator/src/index.ts";
import { until } from "../support/until.ts";
import { watchCluster, watchSimulator, type WatchedCluster } from "../support/watched-cluster.ts";

interface JobEvent {
  readonly id: string;
  readonly type: string;
  readonly data: {
    readonly version?: number;
    readonly actor?: unknown;
    readonly after?: { readonly ID: string; readonly Stop?: boolean };
    readonly spec?: {
      readonly version?: number;
      readonly diff?: { readonly changes: readonly object[] } | null;
      readonly redacted?: readonly string[];
      readonly unavailable?: string;
    };
  };
}

/** Events of jobs, once the feed has told all that the cluster has. */
async function eventsOf(watched: WatchedCluster, query: string): Promise<JobEvent[]> {
  await watched.settled();
  const response = await fetch(`${watched.bridge.url}/v1/events?cursor=earliest&limit=1000&${query}`);
  if (!response.ok) throw new Error(await response.text());
  return ((await response.json()) as JobEvent[]).filter(({ type }) => type.startsWith("nomad.job."));
}

describe("with --enrich actor", () => {
  let watched: WatchedCluster;
  beforeEach(async () => {
    const simulator = createSimulator({ acl: true, allocations: 0 });
    const nomadToken = simulator.managementToken?.secretId ?? "";
    watched = await watchSimulator(simulator, { nomadToken, enrich: "actor" });
  });
  afterEach(() => watched.close());

  it("says who registered a version of a job, by name, and of nothing else that changes it", async () => {
    const { acl, cluster } = watched.simulator;
    const { accessorId } = acl.createToken({ name: "deploy-ci" });
    cluster.registerJob({ id: "web", submitter: accessorId });
    await watched.settled();
    cluster.scaleJob("default", "web", "web", 3);
    await watched.settled();
    cluster.stopJob("default", "web");
    const specs = (await eventsOf(watched, "types=jobs&filter=resource.id%20==%20web")).filter(
      ({ data }) => data.actor !== undefined,
    );
    expect(specs.map(({ type, data }) => [type, data.actor])).toEqual([
      ["nomad.job.created", { kind: "token", id: accessorId, name: "deploy-ci", basis: "job-register" }],
    ]);
  });

  it("finds by whom, and lets a subscriber choose", async () => {
    const { cluster } = watched.simulator;
    cluster.registerJob({ id: "web", submitter: "accessor-a" });
    cluster.registerJob({ id: "db", submitter: "accessor-b" });
    cluster.registerJob({ id: "free" });
    const found = async (filter: string) =>
      (await eventsOf(watched, `types=jobs&filter=${encodeURIComponent(filter)}`)).length;
    expect(await found('actor.id == "accessor-a"')).toBe(1);
    expect(await found('actor is not nil and actor.basis == "job-register"')).toBe(2);
    const wrong = await fetch(`${watched.bridge.url}/v1/events?filter=actor.accessor%20==%20x`);
    expect(wrong.status).toBe(400);
    expect(await wrong.text()).toContain("actor has no member");
  });
});

describe("a submission that was overtaken before a poll saw it", () => {
  let watched: WatchedCluster;
  afterEach(() => watched.close());

  it.each(["actor", "spec,actor"])("is found by who made it, with --enrich %s", async (enrich) => {
    const simulator = createSimulator({ acl: true, allocations: 0 });
    watched = await watchSimulator(simulator, {
      nomadToken: simulator.managementToken?.secretId ?? "",
      enrich,
    });
    const { acl, cluster } = simulator;
    const { accessorId } = acl.createToken({ name: "deploy-ci" });
    cluster.registerJob({ id: "web", submitter: "accessor-a" });
    await watched.settled();
    cluster.registerJob({ id: "web", submitter: accessorId });
    cluster.scaleJob("default", "web", "web", 7);
    cluster.registerJob({ id: "web", submitter: "accessor-c" });
    const filter = encodeURIComponent('ID == "web" and actor is not nil');
    const told = await eventsOf(watched, `types=jobs&filter=${filter}`);
    expect(told.map(({ type, data }) => [type, data.version, data.actor])).toEqual([
      ["nomad.job.created", undefined, by("accessor-a")],
      ["nomad.job.version", 1, { ...by(accessorId), name: "deploy-ci" }],
      ["nomad.job.updated", undefined, by("accessor-c")],
    ]);
    const all = await eventsOf(watched, "ops=version");
    expect(all.map(({ data }) => [data.version, data.actor !== undefined, data.spec !== undefined])).toEqual([
      [1, true, enrich !== "actor"],
      [2, false, enrich !== "actor"],
    ]);
  });

  const by = (id: string) => ({ kind: "token", id, basis: "job-register" });
});

describe("with --enrich spec", () => {
  const JOBS = "types=jobs&filter=op%20!=%20snapshot";
  let watched: WatchedCluster;
  afterEach(() => watched.close());

  const watch = async (flags: Readonly<Record<string, string>> = {}) => {
    watched = await watchCluster({ simulator: { allocations: 0 }, flags: { enrich: "spec", ...flags } });
    return watched.simulator.cluster;
  };
  const specsOf = async () => {
    const events = await eventsOf(watched, JOBS);
    return events.flatMap(({ data }) => (data.spec === undefined ? [] : [data.spec]));
  };

  it("says what a version changed, without any secret, and nothing where only a summary moved", async () => {
    const cluster = await watch();
    cluster.registerJob({ id: "web", groups: [{ name: "web", count: 2, tasks: ["main"] }] });
    await watched.settled();
    cluster.registerJob({ id: "web", datacenters: ["dc1", "dc2"] });
    await watched.settled();
    cluster.stopJob("default", "web");
    const specs = await specsOf();
    expect(specs.map(({ version }) => version)).toEqual([0, 1, 2]);
    const [first, update, stop] = specs;
    expect(first).toMatchObject({ diff: null, redacted: [] });
    const env = "/TaskGroups/web/Tasks/main/Env";
    expect(update?.diff?.changes).toContainEqual({ path: "/Datacenters", kind: "added", new: "dc2" });
    expect(update?.redacted).toContain(`${env}/RELEASE`);
    expect(stop?.diff?.changes).toEqual([{ path: "/Stop", kind: "edited", old: "false", new: "true" }]);
    expect(JSON.stringify(await watched.events())).not.toContain("password-");
  });

  it("tells each version that no poll saw before the one that it saw", async () => {
    const cluster = await watch();
    cluster.registerJob({ id: "web", groups: [{ name: "web", count: 3, tasks: ["main"] }] });
    await watched.settled();
    // All in one turn of the event loop: no poll is answered in between.
    for (const count of [4, 5, 6]) cluster.scaleJob("default", "web", "web", count);
    const told = (await eventsOf(watched, JOBS)).filter(({ data }) => data.spec !== undefined);
    expect(told.map(({ type, data }) => [type, data.version, data.spec?.version])).toEqual([
      ["nomad.job.created", undefined, 0],
      ["nomad.job.version", 1, 1],
      ["nomad.job.version", 2, 2],
      ["nomad.job.updated", undefined, 3],
    ]);
    const path = "/TaskGroups/web/Count";
    expect(told.map(({ data }) => data.spec?.diff?.changes)).toEqual([
      undefined,
      ...[3, 4, 5].map((count) => [{ path, kind: "edited", old: String(count), new: String(count + 1) }]),
    ]);
  });

  it("lets the events of many registrations go without, and says so, rather than have them wait", async () => {
    const cluster = await watch();
    for (let at = 0; at < 300; at += 1) cluster.registerJob({ id: `job-${at}` });
    const created = (await eventsOf(watched, JOBS)).filter(({ type }) => type === "nomad.job.created");
    expect(created).toHaveLength(300);
    expect(created.every(({ data }) => data.spec !== undefined)).toBe(true);
    const without = created.filter(({ data }) => data.spec?.unavailable !== undefined);
    expect(without.length).toBeGreaterThan(0);
    expect(without.length).toBeLessThanOrEqual(200);
    const metrics = await (await fetch(`${watched.bridge.url}/metrics`)).text();
    expect(metrics).toContain(
      `nomad_changefeed_enrichments_total{what="spec",outcome="skipped"} ${without.length}`,
    );
  });

  it("says that the feed's token may not read it", async () => {
    const simulator = createSimulator({ acl: true, allocations: 0, seed: 1 });
    simulator.acl.setPolicy("lists", { namespaces: { "*": ["list-jobs"] } });
    const nomadToken = simulator.acl.createToken({ policies: ["lists"] }).secretId;
    watched = await watchSimulator(simulator, { nomadToken, enrich: "spec", resources: "jobs" });
    simulator.cluster.registerJob({ id: "web" });
    const told = await until("it is told", async () => {
      const response = await fetch(`${watched.bridge.url}/v1/events?cursor=earliest&${JOBS}`);
      return ((await response.json()) as JobEvent[]).find(({ type }) => type === "nomad.job.created");
    });
    expect(told.data.spec).toEqual({ unavailable: "The feed's token may not read it" });
  });
});

describe("with --enrich logs", () => {
  interface Failed {
    readonly data: {
      readonly signals: readonly string[];
      readonly redacted?: readonly string[];
      readonly log?: { readonly lines?: readonly string[]; readonly unavailable?: string };
    };
  }
  let watched: WatchedCluster;
  afterEach(() => watched.close());

  const failedOnes = async (): Promise<Failed[]> => {
    const query = "cursor=earliest&types=allocations&signals=allocation.failed";
    const response = await fetch(`${watched.bridge.url}/v1/events?${query}`);
    return ((await response.json()) as Failed[]).filter(({ data }) => data.signals !== undefined);
  };
  const failOne = async (): Promise<Failed> => {
    const { cluster } = watched.simulator;
    const before = (await failedOnes()).length;
    const [id = ""] = cluster.runJob({ id: `job-${before}` });
    await watched.seen("it runs", ({ subject }) => subject === `allocations/default/${id}`);
    cluster.failAllocation(id, { exitCode: 137, signal: 9 });
    return until("the failure is told", async () => (await failedOnes())[before]);
  };

  it("says what the task wrote last, and how it ended", async () => {
    watched = await watchCluster({ simulator: { allocations: 0 }, flags: { enrich: "logs" } });
    const { log } = (await failOne()).data;
    expect(log).toMatchObject({ stream: "stderr", exitCode: 137, signal: 9 });
    expect(log?.lines).toHaveLength(20);
    expect(log?.lines?.at(-1)).toBe("fatal: connect with token=simulated-secret: refused");
  });

  it("says where the token may not read logs, and does not ask again for a while", async () => {
    const simulator = createSimulator({ acl: true, allocations: 0, seed: 1 });
    simulator.acl.setPolicy("reads", { namespaces: { "*": "read" } });
    const nomadToken = simulator.acl.createToken({ policies: ["reads"] }).secretId;
    watched = await watchSimulator(simulator, { nomadToken, enrich: "logs", resources: "jobs,allocations" });
    const refused = { unavailable: "The feed's token may not read it" };
    expect((await failOne()).data.log).toEqual(refused);
    simulator.acl.setPolicy("reads", { namespaces: { "*": ["list-jobs", "read-job", "read-logs"] } });
    expect((await failOne()).data.log).toEqual(refused);
  });
});

describe("with --enrich node", () => {
  interface NodeTold {
    readonly type: string;
    readonly data: { readonly node?: { readonly events?: readonly { readonly message: string }[] } };
  }
  let watched: WatchedCluster;
  afterEach(() => watched.close());

  it("says each of a node's own events once, also one that came without a change of the node", async () => {
    watched = await watchCluster({ simulator: { allocations: 0 }, flags: { enrich: "node" } });
    const { cluster } = watched.simulator;
    const id = cluster.registerNode();
    await watched.settled();
    cluster.setNodeEligibility(id, false);
    await watched.settled();
    cluster.addNodeEvent(id, "Driver fingerprinted");
    cluster.setNodeStatus(id, "down");
    await watched.settled();
    const response = await fetch(`${watched.bridge.url}/v1/events?cursor=earliest&types=nodes`);
    const events = ((await response.json()) as NodeTold[]).filter(({ type }) =>
      type.startsWith("nomad.node."),
    );
    expect(events.map(({ data }) => data.node?.events?.map(({ message }) => message))).toEqual([
      ["Node registered"],
      ["Node marked as ineligible for scheduling"],
      ["Driver fingerprinted", "Node heartbeat missed"],
    ]);
  });
});
