import { refreshJobStatus } from "../cluster/summary.ts";
import { isTerminalClient } from "../cluster/terminal.ts";
import { registerJob } from "../cluster/jobs.ts";
import type { Row } from "../store/row.ts";
import { jobGroup } from "../store/state.ts";
import { groupsFor, jobName, passingNamespaceName } from "./names.ts";
import { runEvaluation } from "./scheduler.ts";
import type { World } from "./world.ts";

/** As Nomad has it: whose jobs are all dead. What is in it stays until it is collected. */
export function mayDelete({ cluster }: World, namespace: string): boolean {
  if (namespace === "default") return false;
  return ![...cluster.state.tables.jobs.values()].some(
    (job) => job.namespace === namespace && job.stub.Status !== "dead",
  );
}

/**
 * A namespace as pipelines make them: it is created, a batch job runs in it, and it is deleted, all before anybody
 * looks. Its name comes back, and so do the names of its jobs; of the former ones there may be something left.
 */
export function passingNamespace(world: World): boolean {
  const { cluster, random } = world;
  const name = passingNamespaceName(random);
  cluster.createNamespace(name, { description: `Pipeline ${random.between(1, 9_999)}` });
  const id = random.chance(0.3) ? "build" : `build-${jobName(random)}`;
  const groups = groupsFor(random, random.between(1, 2));
  const { evaluation } = cluster.write("JobRegistered", (tx) =>
    registerJob(tx, { id, namespace: name, type: "batch", groups }),
  );
  if (evaluation !== undefined && random.chance(0.8)) runEvaluation(world, evaluation);
  else if (evaluation !== undefined) world.agenda.add("evaluation", evaluation.key);
  if (random.chance(0.25)) return true;
  endJobs(world, name);
  if (mayDelete(world, name)) cluster.deleteNamespace(name);
  return true;
}

/** Ends the work in a namespace that has outlived its pipeline, and deletes it. */
export function endPassingNamespace(world: World): boolean {
  const { cluster, random } = world;
  const name = passingNamespaceName(random);
  if (cluster.state.tables.namespaces.get("-", name) === undefined) return false;
  endJobs(world, name);
  if (mayDelete(world, name)) cluster.deleteNamespace(name);
  return true;
}

/** Purges each job, or lets it come to its end: then it stays, dead, with its allocations. */
function endJobs(world: World, namespace: string): void {
  const jobs = [...world.cluster.state.tables.jobs.values()].filter((job) => job.namespace === namespace);
  for (const job of jobs) {
    if (world.random.chance(0.6)) world.cluster.purgeJob(namespace, job.key);
    else finish(world, job);
  }
}

function finish({ cluster }: World, { namespace, key }: Row<"jobs">): void {
  for (const { key: id, stub } of cluster.state.tables.allocations.group(jobGroup(namespace, key))) {
    if (!isTerminalClient(stub.ClientStatus) && stub.TaskStates !== null) cluster.completeAllocation(id);
    else if (!isTerminalClient(stub.ClientStatus)) cluster.setAllocStatus(id, "complete");
  }
  cluster.write("EvaluationUpdated", (tx) => refreshJobStatus(tx, namespace, key));
}
