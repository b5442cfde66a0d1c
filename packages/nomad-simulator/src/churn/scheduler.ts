import { directAllocation, placeAllocation, type Allocation } from "../cluster/allocations.ts";
import { createDeployment, recordPlacement, type Deployment } from "../cluster/deployments.ts";
import { completeEvaluation, type Evaluation } from "../cluster/evaluations.ts";
import { refreshJobStatus } from "../cluster/summary.ts";
import { isTerminalClient } from "../cluster/terminal.ts";
import type { Transaction } from "../cluster/transaction.ts";
import { isActiveDeployment } from "../model/deployment.ts";
import type { GroupSpec } from "../model/job.ts";
import type { Row } from "../store/row.ts";
import { jobGroup } from "../store/state.ts";
import { readyNodes, type World } from "./world.ts";

type Job = Row<"jobs">;

/** What one scheduling pass did to one group. */
interface Plan {
  readonly group: string;
  readonly placed: Allocation[];
  readonly stopped: Allocation[];
  readonly queued: number;
  readonly deploymentId: string | undefined;
}

/** Works off a pending evaluation: the plan in one raft entry, the evaluation's end in the next. */
export function runEvaluation(world: World, evaluation: Evaluation): void {
  const job = world.cluster.state.tables.jobs.get(evaluation.namespace, evaluation.stub.JobID);
  const plan =
    job === undefined
      ? undefined
      : world.cluster.write("PlanResult", (tx) => planJob(world, tx, job, evaluation));
  for (const row of [...(plan?.placed ?? []), ...(plan?.stopped ?? [])])
    world.agenda.add("allocation", row.key);
  if (plan?.deploymentId !== undefined) world.agenda.add("deployment", plan.deploymentId);
  const done = world.cluster.write("EvaluationUpdated", (tx) => {
    const current = tx.get("evaluations", evaluation.namespace, evaluation.key) ?? evaluation;
    const ended = completeEvaluation(tx, current, {
      group: plan?.group ?? "web",
      placed: plan?.placed.length ?? 0,
      stopped: plan?.stopped.length ?? 0,
      queued: plan?.queued ?? 0,
      ...(plan?.deploymentId === undefined ? {} : { deploymentId: plan.deploymentId }),
    });
    refreshJobStatus(tx, evaluation.namespace, evaluation.stub.JobID);
    return ended;
  });
  if (done.stub.BlockedEval !== undefined) world.agenda.add("unblock", done.stub.BlockedEval);
}

function planJob(world: World, tx: Transaction, job: Job, evaluation: Evaluation): Plan {
  const plans = job.model.groups.map((spec) => planGroup(world, tx, job, spec, evaluation));
  const first = plans[0];
  return {
    group: first?.group ?? "web",
    placed: plans.flatMap((plan) => plan.placed),
    stopped: plans.flatMap((plan) => plan.stopped),
    queued: plans.reduce((sum, plan) => sum + plan.queued, 0),
    deploymentId: plans.find((plan) => plan.deploymentId !== undefined)?.deploymentId,
  };
}

function planGroup(world: World, tx: Transaction, job: Job, spec: GroupSpec, evaluation: Evaluation): Plan {
  const live = liveAllocations(tx, job, spec.name);
  const old = live.filter(({ stub }) => stub.JobVersion !== job.model.version);
  if (job.stub.Stop) return stopped(tx, spec, live, "alloc not needed due to job update");
  if (job.stub.Type !== "service")
    return placeUpTo(world, tx, job, spec, evaluation, batchMissing(tx, job, spec), undefined);
  const running = activeDeployment(tx, job);
  if (old.length > 0 && sameShape(job, evaluation)) return resize(world, tx, job, spec, evaluation, live);
  const deployment =
    running ?? (needsDeployment(job, live, spec) ? createDeployment(tx, job, live.length === 0) : undefined);
  if (old.length === 0) return resize(world, tx, job, spec, evaluation, live, deployment);
  const canaries = deployment?.stub.TaskGroups.get(spec.name)?.DesiredCanaries ?? 0;
  if (canaries > 0) return placeUpTo(world, tx, job, spec, evaluation, canaries, deployment, true);
  return replaceOne(world, tx, job, spec, evaluation, old, deployment);
}

const sameShape = (job: Job, evaluation: Evaluation): boolean =>
  evaluation.stub.TriggeredBy === "job-scaling" && job.model.canaries === 0;

function needsDeployment(job: Job, live: readonly Allocation[], spec: GroupSpec): boolean {
  return live.length < spec.count || live.some(({ stub }) => stub.JobVersion !== job.model.version);
}

function liveAllocations(tx: Transaction, job: Job, group: string): Allocation[] {
  return tx
    .group("allocations", jobGroup(job.namespace, job.key))
    .filter(
      ({ stub }) =>
        stub.TaskGroup === group && stub.DesiredStatus === "run" && !isTerminalClient(stub.ClientStatus),
    );
}

function activeDeployment(tx: Transaction, job: Job): Deployment | undefined {
  return tx
    .group("deployments", jobGroup(job.namespace, job.key))
    .find(({ stub }) => isActiveDeployment(stub) && stub.JobVersion === job.model.version);
}

function batchMissing(tx: Transaction, job: Job, spec: GroupSpec): number {
  const done = tx
    .group("allocations", jobGroup(job.namespace, job.key))
    .filter(
      ({ stub }) =>
        stub.TaskGroup === spec.name && stub.JobVersion === job.model.version && stub.DesiredStatus === "run",
    );
  return Math.max(0, spec.count - done.length);
}

/** Brings the number of live allocations to the group's count. */
function resize(
  world: World,
  tx: Transaction,
  job: Job,
  spec: GroupSpec,
  evaluation: Evaluation,
  live: readonly Allocation[],
  deployment?: Deployment,
): Plan {
  if (live.length > spec.count)
    return stopped(tx, spec, live.slice(spec.count), "alloc not needed due to job update");
  return placeUpTo(world, tx, job, spec, evaluation, spec.count - live.length, deployment);
}

function stopped(tx: Transaction, spec: GroupSpec, rows: readonly Allocation[], why: string): Plan {
  const changed = rows.map((row) =>
    directAllocation(tx, row, { DesiredDescription: why, DesiredStatus: "stop" }),
  );
  return { group: spec.name, placed: [], stopped: changed, queued: 0, deploymentId: undefined };
}

/** One step of a rolling update: an old allocation goes, a new one comes. */
function replaceOne(
  world: World,
  tx: Transaction,
  job: Job,
  spec: GroupSpec,
  evaluation: Evaluation,
  old: readonly Allocation[],
  deployment: Deployment | undefined,
): Plan {
  const victim = old.slice(0, 1);
  const gone = stopped(tx, spec, victim, "alloc is being updated due to job update");
  const plan = placeUpTo(world, tx, job, spec, evaluation, 1, deployment);
  const [replacement] = plan.placed;
  const [leaving] = gone.stopped;
  if (replacement !== undefined && leaving !== undefined) {
    directAllocation(tx, leaving, { NextAllocation: replacement.key });
  }
  return { ...plan, stopped: gone.stopped };
}

function placeUpTo(
  world: World,
  tx: Transaction,
  job: Job,
  spec: GroupSpec,
  evaluation: Evaluation,
  wanted: number,
  deployment: Deployment | undefined,
  canary = false,
): Plan {
  const nodes = readyNodes(world.cluster.state);
  const starved =
    nodes.length === 0 || (evaluation.stub.TriggeredBy === "job-register" && world.random.chance(0.06));
  const count = starved ? 0 : wanted;
  const taken = new Set(liveAllocations(tx, job, spec.name).map(({ stub }) => stub.Name));
  const placed: Allocation[] = [];
  for (let slot = 0; placed.length < count; slot += 1) {
    if (!canary && slot < spec.count && taken.has(`${job.key}.${spec.name}[${slot}]`)) continue;
    const row = placeAllocation(tx, {
      job,
      group: spec.name,
      slot: slot % Math.max(1, spec.count),
      node: world.random.pick(nodes),
      evalId: evaluation.key,
      canary,
      ...(deployment === undefined ? {} : { deploymentId: deployment.key }),
    });
    placed.push(row);
  }
  const current = deployment && tx.get("deployments", job.namespace, deployment.key);
  if (current !== undefined && placed.length > 0)
    recordPlacement(
      tx,
      current,
      spec.name,
      placed.map(({ key }) => key),
      canary,
    );
  return {
    group: spec.name,
    placed,
    stopped: [],
    queued: wanted - placed.length,
    deploymentId: deployment?.key,
  };
}

/** A failed allocation gets a successor, in one raft entry. */
export function rescheduleAllocation(world: World, failed: Allocation): void {
  const { cluster, random } = world;
  const job = cluster.state.tables.jobs.get(failed.namespace, failed.stub.JobID);
  const nodes = readyNodes(cluster.state);
  if (job === undefined || nodes.length === 0) return;
  const evaluation = cluster.createEvaluation(job.namespace, job.key, "alloc-failure");
  const next = cluster.write("PlanResult", (tx) => {
    const slot = Number(/\[(\d+)\]$/.exec(failed.stub.Name)?.[1] ?? 0);
    const node = random.pick(nodes);
    const placement = { job, group: failed.stub.TaskGroup, slot, node, evalId: evaluation, previous: failed };
    const row = placeAllocation(tx, placement);
    directAllocation(tx, failed, {
      DesiredDescription: "alloc was rescheduled because it failed",
      DesiredStatus: "stop",
      NextAllocation: row.key,
    });
    return row;
  });
  world.agenda.add("allocation", next.key);
  world.agenda.add("evaluation", evaluation);
}
