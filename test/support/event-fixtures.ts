import type { Change, Stub } from "../../src/schemas/change.ts";
import { isJsonObject, parseExact } from "../../src/schemas/json.ts";
import { RESOURCES, type ResourceType } from "../../src/schemas/resources.ts";
import type { EventContext } from "../../src/events/build.ts";
import type { SkippedVersion } from "../../src/events/context.ts";
import { identityOf } from "./stub-identity.ts";
import { MORE_SAMPLES } from "./more-samples.ts";

/** A stub as Nomad would send it: `text` is JSON of one object. */
export function stubOf(text: string): Stub {
  const value = parseExact(text);
  if (!isJsonObject(value)) throw new TypeError("A stub is an object");
  return { bytes: Buffer.from(text), value };
}

/** An update, or a create or delete where one side is missing. */
export function changeOf(
  resource: ResourceType,
  before: object | string | undefined,
  after: object | string | undefined,
): Change {
  const [old, fresh] = [before, after].map((side) =>
    side === undefined ? undefined : stubOf(typeof side === "string" ? side : JSON.stringify(side)),
  );
  const ref = identityOf(RESOURCES[resource], ((fresh ?? old) as Stub).value);
  if (old !== undefined && fresh !== undefined) return { op: "update", ref, before: old, after: fresh };
  if (fresh !== undefined) return { op: "create", ref, after: fresh };
  if (old !== undefined) return { op: "delete", ref, before: old };
  throw new TypeError("A change has a side");
}

/** A version of a job that no poll saw, of which nothing is known but these. */
export function skippedVersion(
  version: number,
  index: number,
  found: SkippedVersion["found"] = {},
): SkippedVersion {
  const listed = { Version: version, JobModifyIndex: index };
  return { kept: { index: String(index), version: listed, before: undefined, diff: undefined }, found };
}

export function contextOf(
  observation: Partial<EventContext["observation"]> = {},
  rest: Partial<EventContext> = {},
): EventContext {
  return {
    source: "nomad://prod/global",
    nomadEpoch: 0,
    observation: {
      mode: "live",
      fromIndex: "884188",
      toIndex: "884213",
      since: "2026-08-22T10:15:28.201Z",
      observedAt: "2026-08-22T10:15:30.412Z",
      ...observation,
    },
    ...rest,
  };
}

const EVENT_FIELDS = { Message: "", Details: {} };

/** A task's state with these events, `[type, nanoseconds]` each. */
export function taskOf(
  fields: object = {},
  events: readonly [type: string, time: number, details?: object][] = [],
): object {
  return {
    State: "running",
    Failed: false,
    Restarts: 0,
    LastRestart: null,
    StartedAt: "2026-08-22T10:00:00Z",
    FinishedAt: null,
    ...fields,
    Events: events.map(([Type, Time, Details]) => ({
      ...EVENT_FIELDS,
      Type,
      Time,
      DisplayMessage: Type,
      ...(Details && { Details }),
    })),
  };
}

/** One plain object of each resource; tests change a few fields of it. */
export const SAMPLES: Readonly<Record<ResourceType, Readonly<Record<string, unknown>>>> = {
  jobs: {
    ID: "web",
    ParentID: "",
    Name: "web",
    Namespace: "default",
    Datacenters: ["dc1"],
    Type: "service",
    Priority: 50,
    Periodic: false,
    ParameterizedJob: false,
    Stop: false,
    Status: "running",
    StatusDescription: "",
    JobSummary: {
      JobID: "web",
      Namespace: "default",
      Summary: { frontend: { Queued: 0, Complete: 0, Failed: 0, Running: 3, Starting: 0, Lost: 0 } },
      Children: { Pending: 0, Running: 0, Dead: 0 },
      CreateIndex: 100,
      ModifyIndex: 120,
    },
    CreateIndex: 100,
    ModifyIndex: 110,
    JobModifyIndex: 100,
    SubmitTime: 1795436878072,
  },
  nodes: {
    ID: "fb2170a8-257d-3c64-b14d-bc06cc94e34c",
    Name: "worker-1",
    Address: "10.0.0.7",
    Datacenter: "dc1",
    NodeClass: "",
    Version: "1.10.5",
    Status: "ready",
    StatusDescription: "",
    SchedulingEligibility: "eligible",
    Drain: false,
    LastDrain: null,
    Drivers: {
      docker: {
        Attributes: {},
        Detected: true,
        Healthy: true,
        HealthDescription: "Healthy",
        UpdateTime: "2026-08-22T10:00:00Z",
      },
    },
    HostVolumes: null,
    CreateIndex: 7,
    ModifyIndex: 9,
  },
  allocations: {
    ID: "5456bd7a-9fc0-c0dd-6131-cbee77f57577",
    EvalID: "4a64cd9a-6ca4-09b1-08df-6aff5e7bcb21",
    Name: "web.frontend[3]",
    Namespace: "default",
    NodeID: "fb2170a8-257d-3c64-b14d-bc06cc94e34c",
    NodeName: "worker-1",
    JobID: "web",
    JobType: "service",
    JobVersion: 0,
    TaskGroup: "frontend",
    DesiredStatus: "run",
    DesiredDescription: "",
    ClientStatus: "running",
    ClientDescription: "Tasks are running",
    DesiredTransition: { Migrate: null, Reschedule: null, ForceReschedule: null },
    TaskStates: { nginx: taskOf({}, [["Started", 1_000]]) },
    DeploymentStatus: null,
    FollowupEvalID: "",
    RescheduleTracker: null,
    PreemptedAllocations: null,
    PreemptedByAllocation: "",
    CreateIndex: 880001,
    ModifyIndex: 884102,
    CreateTime: 1795432389166,
    ModifyTime: 1795434900001,
  },
  deployments: {
    ID: "6df0c922-795b-2734-2f4b-64fe6959c6f3",
    Namespace: "default",
    JobID: "web",
    JobVersion: 1,
    TaskGroups: {
      frontend: {
        Promoted: false,
        PlacedCanaries: null,
        DesiredCanaries: 1,
        DesiredTotal: 3,
        PlacedAllocs: 1,
        HealthyAllocs: 0,
        UnhealthyAllocs: 0,
      },
    },
    Status: "running",
    StatusDescription: "Deployment is running",
    CreateIndex: 483,
    ModifyIndex: 487,
  },
  evaluations: {
    ID: "03f793bf-52a9-64de-3c1a-63489c95bc38",
    Namespace: "default",
    Type: "service",
    TriggeredBy: "job-register",
    Priority: 50,
    JobID: "web",
    Status: "pending",
    CreateIndex: 469,
    ModifyIndex: 471,
    CreateTime: 1795436865325,
    ModifyTime: 1795436865576,
  },
  namespaces: { Name: "qa", Description: "", Quota: "", CreateIndex: 10, ModifyIndex: 446 },
  ...MORE_SAMPLES,
};
