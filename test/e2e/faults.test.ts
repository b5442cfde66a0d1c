import { afterEach, describe, expect, it } from "vitest";
import { createSimulator, FAULT_KINDS, type Simulator } from "../../packages/nomad-simulator/src/index.ts";
import { until } from "../support/until.ts";
import { watchCluster, watchSimulator, type WatchedCluster } from "../support/watched-cluster.ts";

let cluster: WatchedCluster | undefined;
afterEach(async () => {
  await cluster?.close();
  cluster = undefined;
});

/** What everybody expects whatever went wrong: nothing lost, nothing invented, nothing twice, and it goes on. */
async function expectUnharmed(watched: WatchedCluster): Promise<void> {
  const verdict = await watched.settled();
  expect(verdict).toMatchObject({ lost: [], duplicated: [], outOfOrder: [] });
  watched.simulator.cluster.registerJob({ namespace: "default", id: "after-it-all" });
  await watched.seen("a change after it all", (event) => event.subject === "jobs/default/after-it-all");
}

async function resyncs(watched: WatchedCluster): Promise<number> {
  const events = await watched.events();
  return events.filter((event) => event.type === "nomad.feed.resync" && event.data["phase"] === "begin")
    .length;
}

describe("answers that go wrong", () => {
  it.each(FAULT_KINDS)("%s", async (kind) => {
    cluster = await watchCluster({ flags: { nomadCompression: "gzip" } });
    const { simulator } = cluster;
    const hit = simulator.faults.add({ kind, times: 6 });
    for (let round = 0; round < 6; round += 1) {
      simulator.churn(10);
      await cluster.polls(2);
    }
    await expectUnharmed(cluster);
    expect(hit.hits).toBeGreaterThan(0);
    expect(await cluster.falseDeletes()).toEqual([]);
    expect(await resyncs(cluster)).toBe(0);
  });
});

describe("a cluster in trouble", () => {
  it("has no leader for a while", async () => {
    cluster = await watchCluster();
    const { simulator } = cluster;
    simulator.churn(20);
    simulator.faults.loseLeader();
    simulator.churn(20);
    await until("every sleeping query has failed", () => simulator.sleepers === 0);
    simulator.faults.electLeader();
    await expectUnharmed(cluster);
    expect(await cluster.falseDeletes()).toEqual([]);
  });

  it("changes its leader", async () => {
    cluster = await watchCluster();
    for (let round = 0; round < 4; round += 1) {
      cluster.simulator.churn(10);
      cluster.simulator.faults.changeLeader();
      await cluster.settled();
    }
    await expectUnharmed(cluster);
    expect(await resyncs(cluster)).toBe(0);
  });

  it("answers stale reads from a follower that lags", async () => {
    cluster = await watchCluster({ flags: { nomadConsistency: "stale" } });
    const { simulator } = cluster;
    simulator.churn(20);
    await cluster.settled();
    simulator.faults.lagFollower(15);
    simulator.churn(20);
    await cluster.polls(30);
    simulator.faults.catchUp();
    simulator.churn(5);
    await expectUnharmed(cluster);
    expect(await cluster.falseDeletes()).toEqual([]);
    expect(await resyncs(cluster)).toBe(0);
  });

  it.each([
    ["and the index goes back", false],
    ["behind higher indexes", true],
  ])("was restored from a snapshot %s", async (_how, hidden) => {
    cluster = await watchCluster();
    const { simulator } = cluster;
    simulator.churn(20);
    const snapshot = simulator.snapshot();
    simulator.churn(60);
    await cluster.settled();
    simulator.restore(snapshot, { hidden });
    await expectUnharmed(cluster);
    expect(await resyncs(cluster)).toBeGreaterThan(0);
  });

  it("was restored while the bridge was away", async () => {
    const simulator = createSimulator({ seed: 5, allocations: 60, namespaces: 2 });
    cluster = await watchSimulator(simulator);
    const snapshot = simulator.snapshot();
    simulator.churn(60);
    await cluster.settled();
    await cluster.bridge.stop();
    simulator.restore(snapshot);
    await cluster.startAgain();
    await expectUnharmed(cluster);
    expect(await resyncs(cluster)).toBeGreaterThan(0);
  });
});

describe("a token that changes", () => {
  const reads = { namespaces: { "*": "read" }, node: "read", agent: "read" } as const;

  async function watchWithToken(
    flags: Record<string, string> = {},
  ): Promise<{ simulator: Simulator; secretId: string }> {
    const simulator = createSimulator({ seed: 3, allocations: 60, namespaces: ["qa", "prod"], acl: true });
    simulator.acl.setPolicy("reader", reads);
    const { secretId } = simulator.acl.createToken({ policies: ["reader"] });
    cluster = await watchSimulator(simulator, { nomadToken: secretId, ...flags });
    return { simulator, secretId };
  }

  it("is revoked and given back: the state is kept, and the feed says so", async () => {
    const { simulator, secretId } = await watchWithToken();
    const watched = cluster as WatchedCluster;
    simulator.faults.revokeToken(secretId);
    simulator.churn(10);
    await watched.seen("access-lost", (event) => event.data["state"] === "access-lost");
    simulator.acl.createToken({ policies: ["reader"], secretId });
    await expectUnharmed(watched);
    expect(await watched.falseDeletes()).toEqual([]);
    await watched.seen("access-restored", (event) => event.data["state"] === "access-restored");
  });

  it("may not see what a deleted namespace left: it is told deleted, and created again with the namespace", async () => {
    const { simulator } = await watchWithToken();
    const watched = cluster as WatchedCluster;
    const { cluster: nomad } = simulator;
    nomad.createNamespace("passing");
    nomad.runJob({ id: "build", namespace: "passing", type: "batch" });
    nomad.purgeJob("passing", "build");
    const told = async (op: string): Promise<number> =>
      (await watched.events()).filter(
        (event) => event.op === op && event.subject.startsWith("evaluations/passing/"),
      ).length;
    for (let round = 1; round <= 3; round += 1) {
      await until("the leftovers are told created", async () => (await told("create")) === 2 * round);
      nomad.deleteNamespace("passing");
      await until("the leftovers are told deleted", async () => (await told("delete")) === 2 * round);
      // No evaluation is written meanwhile: their list has the same index all the time.
      nomad.createNamespace("passing");
    }
    await expectUnharmed(watched);
    expect(await resyncs(watched)).toBe(0);
  });

  it("is narrowed to one namespace: what it no longer sees is not deleted", async () => {
    const { simulator, secretId } = await watchWithToken();
    const watched = cluster as WatchedCluster;
    simulator.faults.narrowToken(secretId, { namespaces: { default: "read" }, node: "read" });
    simulator.churn(10);
    await watched.seen(
      "access-lost of qa",
      (event) => event.subject.endsWith("/qa") && event.data["state"] === "access-lost",
    );
    await watched.seen(
      "access-lost of the namespaces",
      (event) => event.subject === "feed/namespaces/-" && event.data["state"] === "access-lost",
    );
    simulator.acl.updateToken(secretId, { policies: ["reader"] });
    await expectUnharmed(watched);
    expect(await watched.falseDeletes()).toEqual([]);
    expect(await resyncs(watched)).toBe(0);
  });

  it("is narrowed while everything is watched with *: 200 and fewer rows are not accepted", async () => {
    const { simulator, secretId } = await watchWithToken({ maxConnections: "14" });
    const watched = cluster as WatchedCluster;
    simulator.faults.narrowToken(secretId, { namespaces: { default: "read" }, node: "read" });
    simulator.churn(10);
    await watched.seen(
      "access-lost of *",
      (event) => event.subject.endsWith("/*") && event.data["state"] === "access-lost",
    );
    simulator.acl.updateToken(secretId, { policies: ["reader"] });
    await expectUnharmed(watched);
    expect(await watched.falseDeletes()).toEqual([]);
    expect(await resyncs(watched)).toBe(0);
  });
});
