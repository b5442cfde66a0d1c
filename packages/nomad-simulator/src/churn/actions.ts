import { reportStatus } from "../cluster/allocations.ts";
import { isTerminalClient } from "../cluster/terminal.ts";
import type { Row } from "../store/row.ts";
import { nodeGroup } from "../store/state.ts";
import * as jobActions from "./job-actions.ts";
import { namespaceName } from "./names.ts";
import { endPassingNamespace, mayDelete, passingNamespace } from "./passing.ts";
import { anyRow, readyNodes, someRow, type World } from "./world.ts";

/** Begins something. False: the cluster has nothing to do it to; another action is tried. */
export type Action = (world: World) => boolean;

/** What may begin, and how often relative to the rest. */
export const ACTIONS: readonly (readonly [weight: number, action: Action])[] = [
  [12, jobActions.registerService],
  [5, jobActions.registerBatch],
  [4, jobActions.launchChild],
  [14, jobActions.updateService],
  [6, jobActions.scale],
  [4, jobActions.stop],
  [6, jobActions.purge],
  [2, jobActions.tagVersion],
  [3, jobActions.touch],
  [10, restartInPlace],
  [8, failAllocation],
  [3, drainNode],
  [3, toggleEligibility],
  [3, takeNodeDown],
  [3, breakDriver],
  [4, addNodeEvent],
  [2, changeNodes],
  [3, changeNamespaces],
  [5, passingNamespace],
  [3, endPassingNamespace],
  [1, deleteEvaluation],
  [3, collectGarbage],
];

const isRunning = (row: Row<"allocations">): boolean =>
  row.stub.ClientStatus === "running" && row.stub.DesiredStatus === "run" && row.stub.TaskStates !== null;

function restartInPlace(world: World): boolean {
  const row = someRow(world, "allocations", isRunning);
  if (row === undefined || !isRunning(row)) return false;
  const oomKilled = world.random.chance(0.3);
  const task = world.random.pick([...(row.stub.TaskStates?.keys() ?? [])]);
  world.cluster.restartTask(
    row.key,
    oomKilled ? { exitCode: 137, signal: 9, oomKilled } : { exitCode: 1 },
    task,
  );
  return true;
}

function failAllocation(world: World): boolean {
  const row = someRow(world, "allocations", isRunning);
  if (row === undefined || !isRunning(row)) return false;
  world.cluster.failAllocation(
    row.key,
    world.random.chance(0.3) ? { exitCode: 137, signal: 9, oomKilled: true } : { exitCode: 2 },
  );
  world.agenda.add("allocation", row.key);
  return true;
}

const isReady = (row: Row<"nodes">): boolean => row.stub.Status === "ready" && !row.stub.Drain;

function drainNode(world: World): boolean {
  const node = someRow(world, "nodes", isReady);
  if (node === undefined || !isReady(node) || world.cluster.state.tables.nodes.size < 3) return false;
  world.cluster.drainNode(node.key);
  world.agenda.add("drain", node.key);
  return true;
}

function toggleEligibility(world: World): boolean {
  const scarce = readyNodes(world.cluster.state).length * 4 < world.cluster.state.tables.nodes.size * 3;
  const fits = (row: Row<"nodes">): boolean =>
    isReady(row) && (!scarce || row.stub.SchedulingEligibility === "ineligible");
  const node = someRow(world, "nodes", fits);
  if (node === undefined || !fits(node)) return false;
  world.cluster.setNodeEligibility(node.key, node.stub.SchedulingEligibility === "ineligible");
  return true;
}

function takeNodeDown(world: World): boolean {
  const node = someRow(world, "nodes", isReady);
  if (node === undefined || !isReady(node) || world.cluster.state.tables.nodes.size < 3) return false;
  const unknown = world.random.chance(0.5);
  world.cluster.setNodeStatus(node.key, unknown ? "disconnected" : "down");
  loseAllocations(world, node.key, unknown);
  world.agenda.add("node-down", node.key);
  return true;
}

/** Allocations of a lost node, a few at most: lost and replaced, or unknown until it is back. */
function loseAllocations(world: World, node: string, unknown: boolean): void {
  const rows = world.cluster.state.tables.allocations
    .group(nodeGroup(node))
    .filter(({ stub }) => stub.DesiredStatus === "run" && !isTerminalClient(stub.ClientStatus))
    .slice(0, 20);
  if (rows.length === 0) return;
  world.cluster.write("PlanResult", (tx) => {
    for (const row of rows) {
      if (unknown)
        reportStatus(tx, row, "unknown", {
          DesiredDescription: "alloc is unknown since its node is disconnected",
        });
      else
        reportStatus(tx, row, "lost", {
          DesiredDescription: "alloc is lost since its node is down",
          DesiredStatus: "stop",
        });
    }
  });
}

function breakDriver(world: World): boolean {
  const node = anyRow(world, "nodes");
  if (node?.stub.Drivers.get("docker")?.Healthy !== true) return false;
  world.cluster.setDriverHealth(node.key, "docker", false);
  world.agenda.add("driver", node.key);
  return true;
}

function addNodeEvent(world: World): boolean {
  const node = anyRow(world, "nodes");
  if (node === undefined) return false;
  world.cluster.addNodeEvent(node.key);
  return true;
}

function changeNodes(world: World): boolean {
  if (world.cluster.state.tables.nodes.size > world.targets.nodes) return false;
  world.cluster.registerNode({ name: `node-${world.random.between(100, 9999)}` });
  return true;
}

function changeNamespaces(world: World): boolean {
  const { cluster, random, targets } = world;
  const { namespaces } = cluster.state.tables;
  const changed = random.chance(0.35) ? anyRow(world, "namespaces")?.key : undefined;
  if (changed !== undefined || random.chance(0.4) || namespaces.size <= targets.namespaces) {
    const name = changed ?? namespaceName(random.between(0, targets.namespaces * 2));
    cluster.createNamespace(name, { description: `Revision ${random.between(1, 999)}` });
    return true;
  }
  const unused = (row: Row<"namespaces">): boolean => mayDelete(world, row.key);
  const row = someRow(world, "namespaces", unused);
  if (row === undefined || !unused(row)) return false;
  cluster.deleteNamespace(row.key);
  return true;
}

function deleteEvaluation(world: World): boolean {
  const done = (row: Row<"evaluations">): boolean =>
    row.stub.Status === "complete" || row.stub.Status === "canceled";
  const row = someRow(world, "evaluations", done);
  if (row === undefined || !done(row)) return false;
  world.cluster.deleteEvaluations([row.key]);
  return true;
}

function collectGarbage(world: World): boolean {
  const { evaluations, jobs } = world.cluster.state.tables;
  const due = evaluations.size > 4 * jobs.size + 40 || world.random.chance(0.1);
  return due && world.cluster.gc() > 0;
}
