import { directAllocation, reportStatus } from "../cluster/allocations.ts";
import { isTerminalClient } from "../cluster/terminal.ts";
import { createEvaluation, failEvaluation, updateEvaluation } from "../cluster/evaluations.ts";
import { NO_TRANSITION } from "../model/allocation.ts";
import { nodeGroup } from "../store/state.ts";
import { ACTIONS } from "./actions.ts";
import type { Errand } from "./agenda.ts";
import { advanceAllocation } from "./lifecycle.ts";
import { advanceDeployment } from "./rollout.ts";
import { runEvaluation } from "./scheduler.ts";
import type { World } from "./world.ts";

const TOTAL_WEIGHT = ACTIONS.reduce((sum, [weight]) => sum + weight, 0);

/** Chance that a step goes on with something begun earlier; higher where much is under way. */
const CONTINUE = 0.75;
const CONTINUE_WHEN_BUSY = 0.96;
const BUSY_ERRANDS = 24;
const ATTEMPTS = 40;

/**
 * One step of the cluster's life: goes on with something under way, or begins something new. Always writes.
 * The steps depend on the seed and on the steps before, on nothing else.
 */
export function churnStep(world: World): void {
  if (world.random.chance(0.1)) world.skipEntries(world.random.between(1, 3));
  for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
    const before = world.cluster.state.index;
    const errand = world.random.chance(world.agenda.size > BUSY_ERRANDS ? CONTINUE_WHEN_BUSY : CONTINUE)
      ? world.agenda.take(world.random)
      : undefined;
    if (errand === undefined) beginSomething(world);
    else goOn(world, errand);
    if (world.cluster.state.index > before) return;
  }
  world.cluster.createNamespace("default", { description: `Revision ${world.random.between(1, 999_999)}` });
}

function beginSomething(world: World): boolean {
  let left = world.random.next() * TOTAL_WEIGHT;
  for (const [weight, action] of ACTIONS) {
    left -= weight;
    if (left < 0) return action(world);
  }
  return false;
}

function goOn(world: World, errand: Errand): boolean {
  const { tables } = world.cluster.state;
  switch (errand.kind) {
    case "allocation":
      return advanceAllocation(world, errand.id);
    case "deployment":
      return goOnWithDeployment(world, errand);
    case "evaluation": {
      const row = tables.evaluations.get("", errand.id);
      if (row?.stub.Status !== "pending") return false;
      if (world.random.chance(0.02)) {
        const next = world.cluster.write("EvaluationUpdated", (tx) => failEvaluation(tx, row));
        world.agenda.add("evaluation", next.key);
      } else runEvaluation(world, row);
      return true;
    }
    case "unblock":
      return unblock(world, errand);
    case "drain":
      return goOnWithDrain(world, errand);
    case "node-down":
      return bringNodeBack(world, errand.id);
    case "driver":
      if (tables.nodes.get("-", errand.id) === undefined) return false;
      world.cluster.setDriverHealth(errand.id, "docker", true);
      return true;
    default:
      return errand.kind satisfies never;
  }
}

function goOnWithDeployment(world: World, errand: Errand): boolean {
  const before = world.cluster.state.index;
  const step = advanceDeployment(world, errand.id, errand.idle);
  if (step === "wait") world.agenda.postpone(errand);
  if (step === "acted") world.agenda.add("deployment", errand.id);
  return world.cluster.state.index > before;
}

/** Room was found, or the wait is over for another reason. */
function unblock(world: World, errand: Errand): boolean {
  const row = world.cluster.state.tables.evaluations.get("", errand.id);
  if (row?.stub.Status !== "blocked") return false;
  if (errand.idle < 3) {
    world.agenda.postpone(errand);
    return false;
  }
  const cancels = world.random.chance(0.3);
  world.cluster.write("EvaluationUpdated", (tx) =>
    updateEvaluation(
      tx,
      row,
      cancels
        ? { Status: "canceled", StatusDescription: `evaluation "${row.key}" successful` }
        : { Status: "pending", StatusDescription: "" },
    ),
  );
  if (!cancels) world.agenda.add("evaluation", row.key);
  return true;
}

/** Moves a few allocations off a draining node; when none is left, or the operator thinks again, it ends. */
function goOnWithDrain(world: World, errand: Errand): boolean {
  const { cluster, random } = world;
  const node = cluster.state.tables.nodes.get("-", errand.id);
  if (node === undefined || !node.stub.Drain) return false;
  const left = cluster.state.tables.allocations
    .group(nodeGroup(node.key))
    .filter(({ stub }) => stub.DesiredStatus === "run" && !isTerminalClient(stub.ClientStatus))
    .slice(0, 5);
  const cancels = random.chance(0.1);
  if (left.length === 0 || cancels) {
    cluster.endDrain(node.key, cancels ? "canceled" : "complete");
    if (!cancels) world.agenda.add("node-down", node.key);
    return true;
  }
  const evaluations = cluster.write("AllocationUpdateDesiredStatus", (tx) => {
    const jobs = new Map(left.map((row) => [`${row.namespace}/${row.stub.JobID}`, row]));
    for (const row of left) {
      directAllocation(tx, row, {
        DesiredDescription: "alloc is being migrated",
        DesiredStatus: "stop",
        DesiredTransition: { ...NO_TRANSITION, Migrate: true },
      });
    }
    return [...jobs.values()].map((row) => {
      const job = tx.get("jobs", row.namespace, row.stub.JobID);
      const extra = { NodeID: node.key, NodeModifyIndex: node.stub.ModifyIndex };
      return job === undefined ? undefined : createEvaluation(tx, job.stub, "node-drain", extra).key;
    });
  });
  for (const row of left) world.agenda.add("allocation", row.key);
  for (const evaluation of evaluations)
    if (evaluation !== undefined) world.agenda.add("evaluation", evaluation);
  world.agenda.add("drain", node.key);
  return true;
}

function bringNodeBack(world: World, id: string): boolean {
  const { cluster, random } = world;
  const node = cluster.state.tables.nodes.get("-", id);
  if (node === undefined) return false;
  if (node.stub.Status === "ready") {
    if (node.stub.SchedulingEligibility === "eligible") return false;
    cluster.setNodeEligibility(id, true);
    return true;
  }
  const lost = cluster.state.tables.allocations
    .group(nodeGroup(id))
    .filter(({ stub }) => stub.ClientStatus === "unknown");
  if (node.stub.Status === "down" && lost.length === 0 && random.chance(0.4)) {
    cluster.removeNode(id);
    return true;
  }
  cluster.setNodeStatus(id, "ready");
  if (lost.length > 0) {
    cluster.write("AllocationUpdated", (tx) => {
      for (const row of lost) reportStatus(tx, row, "running", { DesiredDescription: "" });
    });
  }
  return true;
}
