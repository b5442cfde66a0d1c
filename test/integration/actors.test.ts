import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { createSimulator } from "../../packages/nomad-simulator/src/index.ts";
import { watchSimulator, type WatchedCluster } from "../support/watched-cluster.ts";

interface JobEvent {
  readonly type: string;
  readonly data: { readonly actor?: unknown; readonly after?: { readonly Stop?: boolean } };
}

describe("with --enrich actor", () => {
  let watched: WatchedCluster;
  beforeEach(async () => {
    const simulator = createSimulator({ acl: true, allocations: 0 });
    const nomadToken = simulator.managementToken?.secretId ?? "";
    watched = await watchSimulator(simulator, { nomadToken, enrich: "actor" });
  });
  afterEach(() => watched.close());

  const eventsOf = async (query: string): Promise<JobEvent[]> => {
    await watched.settled();
    const response = await fetch(`${watched.bridge.url}/v1/events?cursor=earliest&${query}`);
    if (!response.ok) throw new Error(await response.text());
    return ((await response.json()) as JobEvent[]).filter(({ type }) => type.startsWith("nomad.job."));
  };

  it("says who registered a version of a job, by name, and of nothing else that changes it", async () => {
    const { acl, cluster } = watched.simulator;
    const { accessorId } = acl.createToken({ name: "deploy-ci" });
    cluster.registerJob({ id: "web", submitter: accessorId });
    await watched.settled();
    cluster.scaleJob("default", "web", "web", 3);
    await watched.settled();
    cluster.stopJob("default", "web");
    const specs = (await eventsOf("types=jobs&filter=resource.id%20==%20web")).filter(
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
      (await eventsOf(`types=jobs&filter=${encodeURIComponent(filter)}`)).length;
    expect(await found('actor.id == "accessor-a"')).toBe(1);
    expect(await found('actor is not nil and actor.basis == "job-register"')).toBe(2);
    const wrong = await fetch(`${watched.bridge.url}/v1/events?filter=actor.accessor%20==%20x`);
    expect(wrong.status).toBe(400);
    expect(await wrong.text()).toContain("actor has no member");
  });
});
