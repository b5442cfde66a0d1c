import { namesIn } from "./pointer.ts";

/** Members of Nomad's objects that name another object: in which resource it is. */
const FIELDS: Readonly<Record<string, string>> = {
  EvalID: "evaluations",
  FollowupEvalID: "evaluations",
  PreviousEval: "evaluations",
  NextEval: "evaluations",
  BlockedEval: "evaluations",
  DeploymentID: "deployments",
  NodeID: "nodes",
  PrevNodeID: "nodes",
  JobID: "jobs",
  ParentID: "jobs",
  AllocID: "allocations",
  PrevAllocID: "allocations",
  PreviousAllocation: "allocations",
  NextAllocation: "allocations",
  PreemptedByAllocation: "allocations",
  PreemptedAllocations: "allocations",
  PlacedCanaries: "allocations",
  Namespace: "namespaces",
};

const CLUSTER_WIDE = new Set(["nodes", "namespaces"]);

/**
 * The subject of the object that a member of another one names.
 * @param field name of the member; of an element of a list, that of the list.
 * @param namespace of the object that has the member.
 */
export function subjectIn(field: string, value: unknown, namespace: string): string | undefined {
  const resource = FIELDS[field];
  if (resource === undefined || typeof value !== "string" || value === "") return undefined;
  return `${resource}/${CLUSTER_WIDE.has(resource) ? "-" : namespace}/${value}`;
}

/** The same by a JSON Pointer to the value. */
export function subjectAt(pointer: string, value: unknown, namespace: string): string | undefined {
  const field = namesIn(pointer).findLast((name) => !/^\d+$/.test(name)) ?? "";
  return subjectIn(field, value, namespace);
}
