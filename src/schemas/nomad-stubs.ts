import { z } from "zod";
import type { ResourceType } from "./resources.ts";
import { ACL_STUBS } from "./stubs/acl.ts";
import { CLUSTER_STUBS } from "./stubs/cluster.ts";
import { ENTERPRISE_STUBS } from "./stubs/enterprise.ts";
import { index, indexes, nanos, strings, text, time } from "./stubs/values.ts";
import { VOLUME_STUBS } from "./stubs/volumes.ts";
import { WORKLOAD_STUBS } from "./stubs/workloads.ts";

/**
 * The list stubs as Nomad 1.1 to 2.0 sends them, for people who read `data.after`. Tolerant on purpose:
 * unknown fields pass, fields that came with a later Nomad are optional, and so is whatever the evaluation
 * list leaves out when it is zero. The feed itself never validates a stub: it passes on what Nomad sent.
 */
const groupSummary = z.looseObject({
  Queued: z.number(),
  Complete: z.number(),
  Failed: z.number(),
  Running: z.number(),
  Starting: z.number(),
  Lost: z.number(),
  Unknown: z.number().optional(),
});

const jobStubSchema = z.looseObject({
  ID: text,
  ParentID: text,
  Name: text,
  Namespace: text.optional(),
  Datacenters: strings,
  NodePool: text.optional(),
  Type: text.describe("service, batch, system, sysbatch"),
  Priority: z.number(),
  Periodic: z.boolean(),
  ParameterizedJob: z.boolean(),
  Stop: z.boolean().describe("What the operator wants; Status alone does not tell"),
  Status: text.describe("pending, running, dead"),
  StatusDescription: text,
  JobSummary: z
    .looseObject({
      JobID: text,
      Summary: z.record(text, groupSummary).nullable(),
      Children: z
        .looseObject({ Pending: z.number(), Running: z.number(), Dead: z.number() })
        .nullable()
        .optional(),
      ...indexes,
    })
    .nullable(),
  ...indexes,
  JobModifyIndex: index.describe("Moves with what was registered, not with its state"),
  SubmitTime: nanos,
});

const nodeStubSchema = z.looseObject({
  ID: text,
  Name: text,
  Address: text,
  Datacenter: text,
  NodeClass: text,
  NodePool: text.optional(),
  Version: text,
  Status: text.describe("initializing, ready, down, disconnected"),
  StatusDescription: text,
  SchedulingEligibility: text.describe("eligible, ineligible"),
  Drain: z.boolean(),
  LastDrain: z
    .looseObject({ StartedAt: text, UpdatedAt: text, Status: text.describe("draining, complete, canceled") })
    .nullable()
    .optional(),
  Drivers: z
    .record(
      text,
      z.looseObject({
        Detected: z.boolean(),
        Healthy: z.boolean(),
        HealthDescription: text,
        UpdateTime: text,
      }),
    )
    .nullable(),
  HostVolumes: z.record(text, z.looseObject({})).nullable().optional(),
  ...indexes,
});

const taskEvent = z.looseObject({
  Type: text,
  Time: nanos,
  DisplayMessage: text,
  Details: z.record(text, text).nullable(),
});

const taskState = z.looseObject({
  State: text.describe("pending, running, dead"),
  Failed: z.boolean(),
  Restarts: z.number(),
  LastRestart: time.optional(),
  StartedAt: time,
  FinishedAt: time,
  Events: z.array(taskEvent).nullable().describe("The ten newest"),
});

const allocationStubSchema = z.looseObject({
  ID: text,
  EvalID: text,
  Name: text,
  Namespace: text,
  NodeID: text,
  NodeName: text,
  JobID: text,
  JobType: text,
  JobVersion: z.number(),
  TaskGroup: text,
  DesiredStatus: text.describe("run, stop, evict"),
  DesiredDescription: text,
  ClientStatus: text.describe("pending, running, complete, failed, lost, unknown"),
  ClientDescription: text,
  TaskStates: z.record(text, taskState).nullable().optional(),
  DeploymentStatus: z
    .looseObject({
      Healthy: z.boolean().nullable(),
      Canary: z.boolean(),
      Timestamp: text,
      ModifyIndex: index,
    })
    .nullable(),
  FollowupEvalID: text,
  NextAllocation: text.optional(),
  RescheduleTracker: z.looseObject({ Events: z.array(z.looseObject({})).nullable() }).nullable(),
  PreemptedAllocations: strings,
  PreemptedByAllocation: text,
  ...indexes,
  CreateTime: nanos,
  ModifyTime: nanos,
});

const deploymentGroup = z.looseObject({
  Promoted: z.boolean(),
  PlacedCanaries: strings,
  DesiredCanaries: z.number(),
  DesiredTotal: z.number(),
  PlacedAllocs: z.number(),
  HealthyAllocs: z.number(),
  UnhealthyAllocs: z.number(),
});

const deploymentStubSchema = z.looseObject({
  ID: text,
  Namespace: text,
  JobID: text,
  JobVersion: z.number(),
  TaskGroups: z.record(text, deploymentGroup).nullable(),
  Status: text.describe(
    "running, paused, failed, successful, cancelled, pending, blocked, unblocking, initializing",
  ),
  StatusDescription: text,
  ...indexes,
  CreateTime: nanos.optional(),
  ModifyTime: nanos.optional(),
});

const evaluationStubSchema = z.looseObject({
  ID: text,
  Namespace: text,
  Type: text,
  TriggeredBy: text,
  Status: text.describe("blocked, pending, complete, failed, canceled"),
  StatusDescription: text.optional(),
  Priority: z.number().optional(),
  JobID: text.optional(),
  NodeID: text.optional(),
  DeploymentID: text.optional(),
  PreviousEval: text.optional(),
  BlockedEval: text.optional(),
  FailedTGAllocs: z.record(text, z.looseObject({})).nullable().optional(),
  QueuedAllocations: z.record(text, z.number()).nullable().optional(),
  ...indexes,
  CreateTime: nanos.optional(),
  ModifyTime: nanos.optional(),
});

const namespaceStubSchema = z.looseObject({
  Name: text,
  Description: text,
  Quota: text.optional(),
  Meta: z.record(text, text).nullable().optional(),
  ...indexes,
});

export const STUB_SCHEMAS = {
  jobs: jobStubSchema,
  nodes: nodeStubSchema,
  allocations: allocationStubSchema,
  deployments: deploymentStubSchema,
  evaluations: evaluationStubSchema,
  namespaces: namespaceStubSchema,
  ...WORKLOAD_STUBS,
  ...VOLUME_STUBS,
  ...ACL_STUBS,
  ...CLUSTER_STUBS,
  ...ENTERPRISE_STUBS,
} satisfies Record<ResourceType, z.ZodType>;
