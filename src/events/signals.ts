import type { Change } from "../schemas/change.ts";
import type { Aspect } from "../schemas/draft.ts";
import { RESOURCE_TYPES, type ResourceType } from "../schemas/resources.ts";
import { SEVERITIES, type Severity } from "../schemas/severity.ts";
import {
  ACL_AUTH_METHOD_SIGNALS,
  ACL_BINDING_RULE_SIGNALS,
  ACL_POLICY_SIGNALS,
  ACL_ROLE_SIGNALS,
  ACL_TOKEN_SIGNALS,
} from "./signals/acl.ts";
import { ALLOCATION_SIGNALS } from "./signals/allocations.ts";
import { AUTOPILOT_SIGNALS, LICENSE_SIGNALS, SCHEDULER_SIGNALS, SERVER_SIGNALS } from "./signals/cluster.ts";
import { DEPLOYMENT_SIGNALS } from "./signals/deployments.ts";
import { QUOTA_SIGNALS, RECOMMENDATION_SIGNALS, SENTINEL_POLICY_SIGNALS } from "./signals/enterprise.ts";
import { EVALUATION_SIGNALS } from "./signals/evaluations.ts";
import { JOB_SIGNALS } from "./signals/jobs.ts";
import { NAMESPACE_SIGNALS } from "./signals/namespaces.ts";
import { NODE_SIGNALS } from "./signals/nodes.ts";
import type { Signal } from "./signals/signal.ts";
import { TASK_SIGNALS } from "./signals/tasks.ts";
import type { Transition } from "./signals/transition.ts";
import {
  CSI_PLUGIN_SIGNALS,
  CSI_VOLUME_SIGNALS,
  HOST_VOLUME_CLAIM_SIGNALS,
  HOST_VOLUME_SIGNALS,
} from "./signals/volumes.ts";
import {
  NODE_POOL_SIGNALS,
  SCALING_POLICY_SIGNALS,
  SERVICE_SIGNALS,
  VARIABLE_SIGNALS,
} from "./signals/workloads.ts";

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
  "node-pools": NODE_POOL_SIGNALS,
  services: SERVICE_SIGNALS,
  variables: VARIABLE_SIGNALS,
  "scaling-policies": SCALING_POLICY_SIGNALS,
  "csi-volumes": CSI_VOLUME_SIGNALS,
  "csi-plugins": CSI_PLUGIN_SIGNALS,
  "host-volumes": HOST_VOLUME_SIGNALS,
  "host-volume-claims": HOST_VOLUME_CLAIM_SIGNALS,
  "acl-policies": ACL_POLICY_SIGNALS,
  "acl-roles": ACL_ROLE_SIGNALS,
  "acl-tokens": ACL_TOKEN_SIGNALS,
  "acl-auth-methods": ACL_AUTH_METHOD_SIGNALS,
  "acl-binding-rules": ACL_BINDING_RULE_SIGNALS,
  servers: SERVER_SIGNALS,
  autopilot: AUTOPILOT_SIGNALS,
  scheduler: SCHEDULER_SIGNALS,
  license: LICENSE_SIGNALS,
  quotas: QUOTA_SIGNALS,
  "sentinel-policies": SENTINEL_POLICY_SIGNALS,
  recommendations: RECOMMENDATION_SIGNALS,
};

/** Every signal, with the resource whose events carry it. */
export const SIGNALS: readonly (Signal & { readonly resource: ResourceType })[] = RESOURCE_TYPES.flatMap(
  (resource) => TABLE[resource].map((signal) => ({ ...signal, resource })),
);

/** Name of every signal, sorted: what `signals=` takes. */
export const SIGNAL_NAMES: readonly string[] = SIGNALS.map(({ name }) => name).toSorted();

/** The signals whose transition this change is, in the table's order. */
export function signalsOf({ ref, before, after }: Change): Signal[] {
  return signalsBetween(ref.resource, { before: before?.value, after: after?.value });
}

export function signalsBetween(resource: ResourceType, transition: Transition): Signal[] {
  return TABLE[resource].filter(({ when }) => when(transition));
}

/** The highest of the signals; without any, counters and bookkeeping are noise. */
export function severityOf(signals: readonly Signal[], aspect: Aspect): Severity {
  const [highest] = signals.map(({ severity }) => severity).toSorted((a, b) => SEVERITIES[b] - SEVERITIES[a]);
  return highest ?? (aspect === "summary" || aspect === "meta" ? "DEBUG" : "INFO");
}
