import type { MoreStubs } from "./more-stubs.ts";
import type { Indexed, Members, Nanos, Time } from "./stub-values.ts";
import type { ResourceType } from "./wire.ts";

interface JobStub extends Indexed {
  ID: string;
  ParentID: string;
  Name: string;
  Namespace?: string | undefined;
  Datacenters: string[] | null;
  NodePool?: string | undefined;
  /** service, batch, system, sysbatch */
  Type: string;
  Priority: number;
  Periodic: boolean;
  ParameterizedJob: boolean;
  /** What the operator wants; Status alone does not tell. */
  Stop: boolean;
  /** pending, running, dead */
  Status: string;
  StatusDescription: string;
  JobSummary: JobSummary | null;
  /** Moves with what was registered, not with its state. */
  JobModifyIndex: number;
  SubmitTime: Nanos;
}

interface JobSummary extends Indexed {
  JobID: string;
  Summary: Record<string, GroupSummary> | null;
  Children?: ChildrenSummary | null | undefined;
}

interface GroupSummary extends Members {
  Queued: number;
  Complete: number;
  Failed: number;
  Running: number;
  Starting: number;
  Lost: number;
  Unknown?: number | undefined;
}

interface ChildrenSummary extends Members {
  Pending: number;
  Running: number;
  Dead: number;
}

interface NodeStub extends Indexed {
  ID: string;
  Name: string;
  Address: string;
  Datacenter: string;
  NodeClass: string;
  NodePool?: string | undefined;
  Version: string;
  /** initializing, ready, down, disconnected */
  Status: string;
  StatusDescription: string;
  /** eligible, ineligible */
  SchedulingEligibility: string;
  Drain: boolean;
  LastDrain?: Drain | null | undefined;
  Drivers: Record<string, Driver> | null;
  HostVolumes?: Record<string, Members> | null | undefined;
}

interface Drain extends Members {
  StartedAt: string;
  UpdatedAt: string;
  /** draining, complete, canceled */
  Status: string;
}

interface Driver extends Members {
  Detected: boolean;
  Healthy: boolean;
  HealthDescription: string;
  UpdateTime: string;
}

interface AllocationStub extends Indexed {
  ID: string;
  EvalID: string;
  Name: string;
  Namespace: string;
  NodeID: string;
  NodeName: string;
  JobID: string;
  JobType: string;
  JobVersion: number;
  TaskGroup: string;
  /** run, stop, evict */
  DesiredStatus: string;
  DesiredDescription: string;
  /** pending, running, complete, failed, lost, unknown */
  ClientStatus: string;
  ClientDescription: string;
  TaskStates?: Record<string, TaskState> | null | undefined;
  DeploymentStatus: AllocationHealth | null;
  FollowupEvalID: string;
  NextAllocation?: string | undefined;
  RescheduleTracker: RescheduleTracker | null;
  PreemptedAllocations: string[] | null;
  PreemptedByAllocation: string;
  CreateTime: Nanos;
  ModifyTime: Nanos;
}

interface TaskState extends Members {
  /** pending, running, dead */
  State: string;
  Failed: boolean;
  Restarts: number;
  LastRestart?: Time | undefined;
  StartedAt: Time;
  FinishedAt: Time;
  /** The ten newest. */
  Events: TaskEvent[] | null;
}

interface TaskEvent extends Members {
  Type: string;
  Time: Nanos;
  DisplayMessage: string;
  Details: Record<string, string> | null;
}

interface AllocationHealth extends Members {
  Healthy: boolean | null;
  Canary: boolean;
  Timestamp: string;
  /** Raft index. */
  ModifyIndex: number;
}

interface RescheduleTracker extends Members {
  Events: Members[] | null;
}

interface DeploymentStub extends Indexed {
  ID: string;
  Namespace: string;
  JobID: string;
  JobVersion: number;
  TaskGroups: Record<string, DeploymentGroup> | null;
  /** running, paused, failed, successful, cancelled, pending, blocked, unblocking, initializing */
  Status: string;
  StatusDescription: string;
  CreateTime?: Nanos | undefined;
  ModifyTime?: Nanos | undefined;
}

interface DeploymentGroup extends Members {
  Promoted: boolean;
  PlacedCanaries: string[] | null;
  DesiredCanaries: number;
  DesiredTotal: number;
  PlacedAllocs: number;
  HealthyAllocs: number;
  UnhealthyAllocs: number;
}

interface EvaluationStub extends Indexed {
  ID: string;
  Namespace: string;
  Type: string;
  TriggeredBy: string;
  /** blocked, pending, complete, failed, canceled */
  Status: string;
  StatusDescription?: string | undefined;
  Priority?: number | undefined;
  JobID?: string | undefined;
  NodeID?: string | undefined;
  DeploymentID?: string | undefined;
  PreviousEval?: string | undefined;
  BlockedEval?: string | undefined;
  FailedTGAllocs?: Record<string, Members> | null | undefined;
  QueuedAllocations?: Record<string, number> | null | undefined;
  CreateTime?: Nanos | undefined;
  ModifyTime?: Nanos | undefined;
}

interface NamespaceStub extends Indexed {
  Name: string;
  Description: string;
  Quota?: string | undefined;
  Meta?: Record<string, string> | null | undefined;
}

/**
 * The list stubs as Nomad 1.1 to 2.0 sends them. Fields that came with a later Nomad are optional, and so is whatever
 * the evaluation list leaves out when it is zero. Members that are not named here are unknown.
 */
interface Stubs extends MoreStubs {
  jobs: JobStub;
  nodes: NodeStub;
  allocations: AllocationStub;
  deployments: DeploymentStub;
  evaluations: EvaluationStub;
  namespaces: NamespaceStub;
}

/** A list stub of this kind, as far as it is known; other members are unknown. */
export type NomadStub<Type extends ResourceType> = Stubs[Type];
