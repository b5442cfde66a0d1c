import { reportStatus, reportTasks, receivedTasks, type Allocation } from "../cluster/allocations.ts";
import { recordHealth } from "../cluster/deployments.ts";
import * as tasks from "../cluster/tasks.ts";
import { isTerminalClient } from "../cluster/terminal.ts";
import { isActiveDeployment } from "../model/deployment.ts";
import { rescheduleAllocation } from "./scheduler.ts";
import type { World } from "./world.ts";

/** Takes an allocation one step along its life. False: nothing left to do. */
export function advanceAllocation(world: World, id: string): boolean {
  const row = world.cluster.state.tables.allocations.get("", id);
  if (row === undefined) return false;
  const { stub } = row;
  if (isTerminalClient(stub.ClientStatus)) return afterEnd(world, row);
  if (stub.DesiredStatus !== "run") return killAllocation(world, row);
  if (stub.TaskStates === null) return receive(world, row);
  if ([...stub.TaskStates.values()].some((task) => task.State === "pending")) return startTasks(world, row);
  if (stub.ClientStatus === "running" && awaitsHealth(world, row)) return settleHealth(world, row);
  if (stub.ClientStatus === "running" && stub.JobType === "batch") return finish(world, row);
  return false;
}

function again(world: World, row: Allocation): true {
  world.agenda.add("allocation", row.key);
  return true;
}

function receive(world: World, row: Allocation): boolean {
  const job = world.cluster.state.tables.jobs.get(row.namespace, row.stub.JobID);
  if (job === undefined) return false;
  world.cluster.write("AllocationUpdated", (tx) =>
    reportTasks(tx, row, receivedTasks(job, row.stub.TaskGroup, tx.nowNs())),
  );
  return again(world, row);
}

function startTasks(world: World, row: Allocation): boolean {
  world.cluster.write("AllocationUpdated", (tx) => {
    const time = tx.nowNs();
    const changed = tasks.mapTasks(row.stub, (task) =>
      task.State === "pending" ? tasks.start(task, time) : task,
    );
    reportTasks(tx, row, changed);
  });
  return again(world, row);
}

function killAllocation(world: World, row: Allocation): boolean {
  world.cluster.write("AllocationUpdated", (tx) => {
    if (row.stub.TaskStates === null) reportStatus(tx, row, "complete");
    else
      reportTasks(
        tx,
        row,
        tasks.mapTasks(row.stub, (task) => tasks.kill(task, tx.nowNs())),
      );
  });
  return true;
}

function awaitsHealth(world: World, row: Allocation): boolean {
  const { Healthy } = row.stub.DeploymentStatus ?? { Healthy: null };
  const deployment = world.cluster.state.tables.deployments.get("", row.model.deploymentId);
  return Healthy === null && deployment !== undefined && isActiveDeployment(deployment.stub);
}

function settleHealth(world: World, row: Allocation): boolean {
  const healthy = world.random.chance(0.93);
  world.cluster.write("DeploymentAllocHealth", (tx) => recordHealth(tx, row, healthy));
  return true;
}

function finish(world: World, row: Allocation): boolean {
  const failed = world.random.chance(0.15);
  world.cluster.write("AllocationUpdated", (tx) => {
    const time = tx.nowNs();
    const changed = tasks.mapTasks(row.stub, (task) =>
      failed ? tasks.fail(task, time, { exitCode: 1 }) : tasks.complete(task, time),
    );
    reportTasks(tx, row, changed);
  });
  return true;
}

function afterEnd(world: World, row: Allocation): boolean {
  const { ClientStatus, DesiredStatus, JobType } = row.stub;
  const job = world.cluster.state.tables.jobs.get(row.namespace, row.stub.JobID);
  if (ClientStatus === "complete" || DesiredStatus !== "run" || JobType !== "service") return false;
  if (job === undefined || job.stub.Stop) return false;
  rescheduleAllocation(world, row);
  return true;
}
