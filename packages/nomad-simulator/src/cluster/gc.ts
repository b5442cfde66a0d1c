import { isActiveDeployment } from "../model/deployment.ts";
import { isActiveEvaluation } from "../model/evaluation.ts";
import type { Row } from "../store/row.ts";
import { jobGroup, nodeGroup, type State } from "../store/state.ts";
import type { TableName } from "../store/tables.ts";
import { isTerminal } from "./terminal.ts";
import type { Transaction } from "./transaction.ts";

/** What one garbage collection removes, a raft entry a list. */
export interface Garbage {
  readonly evaluations: readonly Row<"evaluations">[];
  readonly allocations: readonly Row<"allocations">[];
  readonly deployments: readonly Row<"deployments">[];
  readonly jobs: readonly Row<"jobs">[];
  readonly nodes: readonly Row<"nodes">[];
}

/** Everything terminal: what `system gc` takes at once and Nomad's own passes take after their thresholds. */
export function findGarbage(state: State): Garbage {
  const { tables } = state;
  const allocations = [...tables.allocations.values()].filter(({ stub }) => isTerminal(stub));
  const gone = new Set(allocations.map(({ key }) => key));
  const evaluations = [...tables.evaluations.values()].filter(
    ({ stub, namespace }) =>
      !isActiveEvaluation(stub) || tables.jobs.get(namespace, stub.JobID) === undefined,
  );
  const deployments = [...tables.deployments.values()].filter(({ stub }) => !isActiveDeployment(stub));
  const collectable = new Set(evaluations.map(({ key }) => key));
  const jobs = [...tables.jobs.values()].filter(({ stub, namespace, key }) => {
    if (stub.Status !== "dead" || stub.Periodic || stub.ParameterizedJob) return false;
    const group = jobGroup(namespace, key);
    return (
      tables.allocations.group(group).every((row) => gone.has(row.key)) &&
      tables.evaluations.group(group).every((row) => collectable.has(row.key))
    );
  });
  const nodes = [...tables.nodes.values()].filter(
    ({ stub, key }) =>
      stub.Status === "down" && tables.allocations.group(nodeGroup(key)).every((row) => gone.has(row.key)),
  );
  return { evaluations, allocations, deployments, jobs, nodes };
}

export function remove<T extends TableName>(tx: Transaction, rows: readonly Row<T>[]): void {
  for (const row of rows) tx.delete(row);
}
