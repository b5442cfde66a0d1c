import { placeAllocation, receivedTasks, reportTasks } from "../cluster/allocations.ts";
import { createDeployment, DESCRIPTIONS, updateDeployment } from "../cluster/deployments.ts";
import { completeEvaluation } from "../cluster/evaluations.ts";
import { registerJob, updateJob, type JobInput } from "../cluster/jobs.ts";
import { registerNode, type Node } from "../cluster/nodes.ts";
import { putNamespace } from "../cluster/namespaces.ts";
import * as tasks from "../cluster/tasks.ts";
import { refreshJobStatus } from "../cluster/summary.ts";
import { goTime } from "../go-time.ts";
import { groupsFor, namespaceName } from "./names.ts";
import type { World } from "./world.ts";

export interface Population {
  readonly allocations: number;
  readonly nodes: number;
  readonly namespaces: readonly string[];
}

/** Fills an empty cluster. `allocations: 0` leaves it as a fresh agent: the default namespace and the nodes. */
export function populate(world: World, population: Population): void {
  const { cluster, random } = world;
  cluster.write("silent", (tx) => putNamespace(tx, "default", { description: "Default shared namespace" }));
  world.skipEntries(random.between(3, 6));
  for (const name of population.namespaces) cluster.write("silent", (tx) => putNamespace(tx, name, {}));
  const nodes = Array.from({ length: population.nodes }, (_, number) =>
    cluster.write("NodeRegistration", (tx) => registerNode(tx, { name: `node-${number}` })),
  );
  if (population.allocations > 0) {
    const batch = { type: "batch", groups: groupsFor(random, 1) } as const;
    cluster.write("JobRegistered", (tx) =>
      registerJob(tx, { ...batch, id: "nightly-report", periodic: true }),
    );
    cluster.write("JobRegistered", (tx) =>
      registerJob(tx, { ...batch, id: "resize-image", parameterized: true }),
    );
  }
  let left = population.allocations;
  const namespaces = ["default", ...population.namespaces];
  for (let number = 0; left > 0; number += 1) {
    const count = Math.min(left, random.between(1, 15));
    runOne(world, nodes, jobInput(world, number, count, random.pick(namespaces)));
    left -= count;
  }
}

/** Names of the namespaces a cluster of this many starts with, beside "default". */
export function namespaceNames(count: number): string[] {
  return Array.from({ length: Math.max(0, count - 1) }, (_, position) => namespaceName(position));
}

function jobInput(world: World, number: number, count: number, namespace: string): JobInput {
  const { random } = world;
  const batch = random.chance(0.15);
  const groups = groupsFor(random, count);
  const id = `${groups[0]?.name ?? "job"}-${number}`;
  if (batch) return { id: `batch-${id}`, namespace, type: "batch", groups };
  return { id, namespace, groups, canaries: random.chance(0.3) ? 1 : 0, autoRevert: random.chance(0.5) };
}

/** A job as it is some time after its registration: placed, deployed, running or done. */
function runOne(world: World, nodes: readonly Node[], input: JobInput): void {
  const { cluster, random } = world;
  const { job, evaluation } = cluster.write("JobRegistered", (tx) => registerJob(tx, input));
  if (evaluation === undefined) return;
  const [group] = job.model.groups;
  const name = group?.name ?? "web";
  const done = job.stub.Type === "batch";
  cluster.write("PlanResult", (tx) => {
    const deployment = done ? undefined : createDeployment(tx, job, true);
    for (let slot = 0; slot < (group?.count ?? 1); slot += 1) {
      const node = random.pick(nodes);
      const deployed = deployment === undefined ? {} : { deploymentId: deployment.key };
      const row = placeAllocation(tx, { job, group: name, slot, node, evalId: evaluation.key, ...deployed });
      const time = tx.nowNs();
      const running = [...receivedTasks(job, name, time)].map(
        ([task, state]) => [task, tasks.start(state, time + 21_789_346n)] as const,
      );
      const states = new Map(
        running.map(([task, state]) => [task, done ? tasks.complete(state, time + 900_000_000n) : state]),
      );
      const health = { Canary: false, Healthy: true, ModifyIndex: tx.index, Timestamp: goTime(time) };
      reportTasks(tx, row, states, done ? {} : { DeploymentStatus: health });
    }
    if (deployment === undefined) return;
    const groups = [...deployment.stub.TaskGroups].map(
      ([key, state]) =>
        [
          key,
          {
            ...state,
            HealthyAllocs: state.DesiredTotal,
            PlacedAllocs: state.DesiredTotal,
            RequireProgressBy: tx.nowText(),
          },
        ] as const,
    );
    updateDeployment(tx, deployment, {
      Status: "successful",
      StatusDescription: DESCRIPTIONS.successful,
      TaskGroups: new Map(groups),
    });
    const current = tx.get("jobs", job.namespace, job.key) ?? job;
    const { version, groups: spec } = current.model;
    updateJob(tx, current, {}, { stable: { version, groups: spec, submitTime: current.stub.SubmitTime } });
  });
  cluster.write("EvaluationUpdated", (tx) => {
    completeEvaluation(tx, evaluation, { group: name, placed: group?.count ?? 1 });
    refreshJobStatus(tx, job.namespace, job.key);
  });
}
