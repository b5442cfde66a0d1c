import { describe, expect, it } from "vitest";
import { CORE_TYPES } from "../../src/schemas/resources.ts";
import { canonicalStub, createSimulator, type Simulator } from "../../packages/nomad-simulator/src/index.ts";

const clock = () => 1_795_432_399_000;
const lived = (seed: number, steps: number, allocations = 200): Simulator => {
  const simulator = createSimulator({ seed, allocations, namespaces: 3, clock });
  simulator.churn(steps);
  return simulator;
};
const story = ({ journal }: Simulator) =>
  journal.entries.map(({ index, resource, namespace, key, op, after }) => [
    index,
    resource,
    namespace,
    key,
    op,
    after,
  ]);

let longLived: Simulator | undefined;
const longLife = (): Simulator => (longLived ??= lived(11, 4000));

describe("churn", () => {
  it("lives the same life for the same seed, and another for another", () => {
    const once = story(lived(5, 400));
    expect(story(lived(5, 400))).toEqual(once);
    expect(story(lived(6, 400))).not.toEqual(once);
  });

  it("does the same in one go as in many", () => {
    const simulator = createSimulator({ seed: 5, allocations: 200, namespaces: 3, clock });
    for (let step = 0; step < 200; step += 1) simulator.churn(1);
    expect(story(simulator)).toEqual(story(lived(5, 200)));
  });

  it("keeps a journal that folds to the state, before images included", () => {
    const simulator = createSimulator({ seed: 9, allocations: 300, namespaces: 4, clock });
    const folded = simulator.state();
    simulator.churn(800);
    let index = 0;
    for (const entry of simulator.journal.entries) {
      const rows = folded.get(entry.resource) as Map<string, string>;
      const id = `${entry.namespace}/${entry.key}`;
      expect(rows.get(id)).toBe(entry.before);
      if (entry.after === undefined) rows.delete(id);
      else rows.set(id, entry.after);
      expect(entry.index).toBeGreaterThanOrEqual(index);
      index = entry.index;
    }
    expect(folded).toEqual(simulator.state());
  });

  it("writes at every step and never takes an index back", () => {
    const simulator = lived(3, 0);
    for (let step = 0; step < 300; step += 1) {
      const before = CORE_TYPES.map((name) => simulator.cluster.state.indexOf(name));
      const { index } = simulator;
      simulator.churn(1);
      expect(simulator.index).toBeGreaterThan(index);
      CORE_TYPES.forEach((name, position) => {
        expect(simulator.cluster.state.indexOf(name)).toBeGreaterThanOrEqual(before[position] as number);
      });
    }
  });

  it("shows all the life there is", () => {
    const { entries } = longLife().journal;
    const after = entries
      .filter((entry) => entry.after !== undefined)
      .map(({ after: text }) => text as string);
    const seen = (pattern: RegExp) => after.some((text) => pattern.test(text));
    const missing: string[] = [];
    for (const pattern of [
      /"oom_killed":"true"/,
      /"ClientStatus":"lost"/,
      /"ClientStatus":"unknown"/,
      /alloc was rescheduled because it failed/,
      /"Migrate":true/,
      /"Status":"blocked"/,
      /"FailedTGAllocs"/,
      /"TriggeredBy":"failed-follow-up"/,
      /"Status":"canceled"/,
      /rolling back to job version/,
      /"StatusDescription":"Deployment completed successfully"/,
      /requires manual promotion/,
      /"Promoted":true/,
      /"Status":"cancelled"/,
      /"Drain":true/,
      /"Status":"draining"/,
      /"SchedulingEligibility":"ineligible"/,
      /"Status":"down"/,
      /Failed to connect to docker daemon/,
      /"TriggeredBy":"job-scaling"/,
      /"TriggeredBy":"periodic-job"/,
      /"ID":"[^"]+\/dispatch-/,
      /"Stop":true/,
    ]) {
      if (!seen(pattern)) missing.push(pattern.source);
    }
    expect(missing).toEqual([]);
    const seenOps = new Set(entries.map(({ resource, op }) => `${resource} ${op}`));
    const allOps = CORE_TYPES.flatMap((resource) =>
      ["create", "delete", "update"].map((op) => `${resource} ${op}`),
    );
    expect([...seenOps].toSorted()).toEqual(allOps.toSorted());
  });

  it("registers a purged id again as another job", () => {
    const { entries } = longLife().journal;
    const created = entries.filter(({ resource, op }) => resource === "jobs" && op === "create");
    const ids = created.map(({ namespace, key }) => `${namespace}/${key}`);
    expect(new Set(ids).size).toBeLessThan(ids.length);
  });

  it("keeps ten events a task", () => {
    const simulator = createSimulator({ clock });
    const [id = ""] = simulator.cluster.runJob({ id: "web" });
    for (let restart = 0; restart < 8; restart += 1) simulator.cluster.restartTask(id);
    const stub = JSON.parse([...(simulator.state().get("allocations")?.values() ?? [])][0] as string);
    expect(stub.TaskStates.main.Events).toHaveLength(10);
    expect(stub.TaskStates.main.Restarts).toBe(8);
  });

  it("keeps the newest entries of a bounded journal", () => {
    const simulator = createSimulator({ seed: 4, allocations: 50, journalLimit: 100, clock });
    simulator.churn(1000);
    const { entries, dropped } = simulator.journal;
    expect(entries.length).toBeLessThan(150);
    expect(dropped).toBeGreaterThan(0);
    expect(entries.at(-1)?.index).toBeLessThanOrEqual(simulator.index);
  });
});

describe("the lies Nomad tells", () => {
  const withJob = () => {
    const simulator = createSimulator({ clock });
    const allocations = simulator.cluster.runJob({
      id: "web",
      groups: [{ name: "g", count: 2, tasks: ["a"] }],
    });
    const job = () => JSON.parse(simulator.state().get("jobs")?.get("default/web") as string);
    return { simulator, allocations, job, cluster: simulator.cluster };
  };

  it("changes a job's summary, not its ModifyIndex", () => {
    const { allocations, job, cluster } = withJob();
    const before = job();
    cluster.setAllocStatus(allocations[0] as string, "unknown");
    const after = job();
    expect(after.ModifyIndex).toBe(before.ModifyIndex);
    expect(after.JobSummary.ModifyIndex).toBeGreaterThan(before.JobSummary.ModifyIndex);
    expect(after.JobSummary.Summary.g).toMatchObject({ Running: 1, Unknown: 1 });
  });

  it("moves the node index on a client's report and on a node event, with no node changed", () => {
    const { simulator, allocations, cluster } = withJob();
    const nodes = simulator.state().get("nodes");
    const index = () => cluster.state.indexOf("nodes");
    let before = index();
    cluster.restartTask(allocations[0] as string);
    expect(index()).toBeGreaterThan(before);
    before = index();
    cluster.addNodeEvent([...cluster.state.tables.nodes.values()][0]?.key as string);
    expect(index()).toBeGreaterThan(before);
    expect(simulator.state().get("nodes")).toEqual(nodes);
  });

  it("completes a purged job's pending evaluations without moving their ModifyIndex", () => {
    const { simulator, cluster } = withJob();
    const id = cluster.createEvaluation("default", "web");
    const evaluation = () => JSON.parse(simulator.state().get("evaluations")?.get(`default/${id}`) as string);
    const before = evaluation();
    cluster.purgeJob("default", "web");
    expect(evaluation()).toEqual({ ...before, Status: "complete", StatusDescription: "job web deleted" });
    expect(simulator.state().get("allocations")?.size).toBe(0);
    expect(simulator.state().get("deployments")?.size).toBe(0);
  });

  it("tags a version with a ModifyIndex ahead of the list's index", () => {
    const { job, cluster } = withJob();
    cluster.tagJobVersion("default", "web");
    const index = Math.max(cluster.state.indexOf("jobs"), cluster.state.indexOf("job_summary"));
    expect(job().ModifyIndex).toBeGreaterThan(index);
  });

  it("deletes evaluations without moving their index", () => {
    const { simulator, cluster } = withJob();
    const before = cluster.state.indexOf("evaluations");
    const ids = [...(simulator.state().get("evaluations")?.keys() ?? [])].map((id) =>
      id.replace("default/", ""),
    );
    cluster.deleteEvaluations(ids);
    expect(simulator.state().get("evaluations")?.size).toBe(0);
    expect(cluster.state.indexOf("evaluations")).toBe(before);
  });
});

describe("canonicalStub", () => {
  it("forgets the order of members and keeps every digit", () => {
    const a = '{"T":1795434687866379238,"M":{"a":1,"b":[{"y":1,"x":2}]}}';
    const b = '{"M":{"b":[{"x":2,"y":1}],"a":1},"T":1795434687866379238}';
    expect(canonicalStub(a)).toBe(canonicalStub(b));
    expect(canonicalStub(a)).toContain("1795434687866379238");
  });
});
