/**
 * What kind of raft entry a write is, by the name Nomad's event stream gives to all events of the entry.
 * "silent" stands for the entries Nomad makes no events of: collected evaluations, allocations, deployments and
 * nodes, namespaces, stable marks and tags of job versions.
 */
export type MessageType =
  | "ACLPolicyDeleted"
  | "ACLPolicyUpserted"
  | "ACLTokenDeleted"
  | "ACLTokenUpserted"
  | "AllocationUpdateDesiredStatus"
  | "AllocationUpdated"
  | "DeploymentAllocHealth"
  | "DeploymentPromotion"
  | "DeploymentStatusUpdate"
  | "EvaluationUpdated"
  | "JobBatchDeregistered"
  | "JobDeregistered"
  | "JobRegistered"
  | "NodeDeregistration"
  | "NodeDrain"
  | "NodeEligibility"
  | "NodeRegistration"
  | "NodeStreamEvent"
  | "PlanResult"
  | "silent";
