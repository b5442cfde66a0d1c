import {
  DESCRIPTIONS,
  promoteDeployment,
  updateDeployment,
  type Deployment,
} from "../cluster/deployments.ts";
import { createEvaluation } from "../cluster/evaluations.ts";
import { revertJob, updateJob } from "../cluster/jobs.ts";
import type { Transaction } from "../cluster/transaction.ts";
import { isActiveDeployment, type DeploymentState } from "../model/deployment.ts";
import type { Row } from "../store/row.ts";
import { jobGroup } from "../store/state.ts";
import type { World } from "./world.ts";

type Step = "acted" | "wait" | "over";

/** How often a deployment may be found without progress before its deadline passes. */
const DEADLINE_VISITS = 40;

/** Takes a deployment one step along: promote, go on, succeed or fail. */
export function advanceDeployment(world: World, id: string, idle: number): Step {
  const { state } = world.cluster;
  const row = state.tables.deployments.get("", id);
  if (row === undefined || !isActiveDeployment(row.stub)) return "over";
  const job = state.tables.jobs.get(row.namespace, row.stub.JobID);
  if (job === undefined) return "over";
  if (job.model.version !== row.stub.JobVersion) return cancel(world, row);
  const groups = [...row.stub.TaskGroups.values()];
  if (groups.some((group) => group.UnhealthyAllocs > 0)) return fail(world, row, job, DESCRIPTIONS.unhealthy);
  if (idle > DEADLINE_VISITS) return fail(world, row, job, DESCRIPTIONS.deadline);
  if (groups.some((group) => group.DesiredCanaries > 0 && !group.Promoted))
    return settleCanaries(world, row, job, groups);
  if (groups.every((group) => group.HealthyAllocs >= group.DesiredTotal)) return succeed(world, row, job);
  const waiting = groups.some((group) => group.HealthyAllocs < group.PlacedAllocs);
  return waiting || !hasOldAllocations(world, job) ? "wait" : goOn(world, row, job);
}

function cancel(world: World, row: Deployment): Step {
  const changes = { Status: "cancelled", StatusDescription: DESCRIPTIONS.newerVersion } as const;
  world.cluster.write("DeploymentStatusUpdate", (tx) => updateDeployment(tx, row, changes));
  return "over";
}

function settleCanaries(
  world: World,
  row: Deployment,
  job: Row<"jobs">,
  groups: readonly DeploymentState[],
): Step {
  if (groups.some((group) => group.HealthyAllocs < group.DesiredCanaries)) return "wait";
  if (world.random.chance(0.1)) return fail(world, row, job, DESCRIPTIONS.marked);
  const evaluation = world.cluster.write("DeploymentPromotion", (tx) => {
    promoteDeployment(tx, row);
    return createEvaluation(tx, job.stub, "deployment-watcher", { DeploymentID: row.key });
  });
  world.agenda.add("evaluation", evaluation.key);
  return "acted";
}

function hasOldAllocations(world: World, job: Row<"jobs">): boolean {
  return world.cluster.state.tables.allocations
    .group(jobGroup(job.namespace, job.key))
    .some(({ stub }) => stub.DesiredStatus === "run" && stub.JobVersion !== job.model.version);
}

function goOn(world: World, row: Deployment, job: Row<"jobs">): Step {
  const extra = { DeploymentID: row.key };
  const evaluation = world.cluster.write("EvaluationUpdated", (tx) =>
    createEvaluation(tx, job.stub, "deployment-watcher", extra),
  );
  world.agenda.add("evaluation", evaluation.key);
  return "acted";
}

/** Success marks the job's version stable: its ModifyIndex moves and nothing else of it. */
function succeed(world: World, row: Deployment, job: Row<"jobs">): Step {
  world.cluster.write("DeploymentStatusUpdate", (tx) => {
    updateDeployment(tx, row, { Status: "successful", StatusDescription: DESCRIPTIONS.successful });
    const current = tx.get("jobs", job.namespace, job.key) ?? job;
    const { version, groups } = current.model;
    updateJob(tx, current, {}, { stable: { version, groups, submitTime: current.stub.SubmitTime } });
  });
  return "over";
}

function fail(world: World, row: Deployment, job: Row<"jobs">, why: string): Step {
  const evaluation = world.cluster.write("DeploymentStatusUpdate", (tx) => failIn(tx, row, job, why));
  world.agenda.add("evaluation", evaluation.key);
  return "over";
}

function failIn(tx: Transaction, row: Deployment, job: Row<"jobs">, why: string) {
  const { autoRevert, stable } = job.model;
  const reverts = autoRevert && stable !== null;
  const suffix = reverts
    ? ` - rolling back to job version ${stable.version}`
    : autoRevert
      ? " - no stable job version to auto revert to"
      : "";
  updateDeployment(tx, row, { Status: "failed", StatusDescription: `${why}${suffix}` });
  const current = tx.get("jobs", job.namespace, job.key) ?? job;
  const next = reverts ? revertJob(tx, current) : current;
  return createEvaluation(tx, next.stub, "deployment-watcher", { DeploymentID: row.key });
}
