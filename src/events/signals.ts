import type { Change } from "../schemas/change.ts";
import { RESOURCE_TYPES, type ResourceType } from "../schemas/resources.ts";
import { ALLOCATION_SIGNALS } from "./signals/allocations.ts";
import { DEPLOYMENT_SIGNALS } from "./signals/deployments.ts";
import { EVALUATION_SIGNALS } from "./signals/evaluations.ts";
import { JOB_SIGNALS } from "./signals/jobs.ts";
import { NAMESPACE_SIGNALS } from "./signals/namespaces.ts";
import { NODE_SIGNALS } from "./signals/nodes.ts";
import type { Signal } from "./signals/signal.ts";
import { TASK_SIGNALS } from "./signals/tasks.ts";

/**
 * Every signal, under the resource whose events carry it. An event has all whose transition it is.
 *
 * What a pair of stubs cannot tell, and has therefore no signal:
 * - the version of a job and whether it is stable: not in the list stub (an allocation's JobVersion is)
 * - a job registered again after a purge between two polls: two events, deleted and created
 * - a job reverted where Nomad dates the revert (it used to keep the old version's date): job.updated
 * - a purge of a job that garbage collection could have taken: job.garbage_collected
 * - a template that failed: no task event type of its own, the task's Killing or Restarting says so in words
 * - task events beyond the ten that Nomad keeps of each task
 */
const TABLE: Readonly<Record<ResourceType, readonly Signal[]>> = {
  jobs: JOB_SIGNALS,
  nodes: NODE_SIGNALS,
  allocations: [...ALLOCATION_SIGNALS, ...TASK_SIGNALS],
  deployments: DEPLOYMENT_SIGNALS,
  evaluations: EVALUATION_SIGNALS,
  namespaces: NAMESPACE_SIGNALS,
};

/** Every signal, with the resource whose events carry it. */
export const SIGNALS: readonly (Signal & { readonly resource: ResourceType })[] = RESOURCE_TYPES.flatMap(
  (resource) => TABLE[resource].map((signal) => ({ ...signal, resource })),
);

/** Name of every signal, sorted: what `signals=` takes. */
export const SIGNAL_NAMES: readonly string[] = SIGNALS.map(({ name }) => name).toSorted();

/** The signals whose transition this change is, in the table's order. */
export function signalsOf(change: Change): Signal[] {
  const transition = { before: change.before?.value, after: change.after?.value };
  return TABLE[change.ref.resource].filter(({ when }) => when(transition));
}
