import { describe, expect, it } from "vitest";
import { createSimulator } from "../../packages/nomad-simulator/src/index.ts";

/** Keys in the order Nomad 2.0.5 wrote them. */
const SHAPES = {
  jobs: "CreateIndex Datacenters ID JobModifyIndex JobSummary ModifyIndex Multiregion Name Namespace NodePool ParameterizedJob ParentID Periodic Priority Status StatusDescription Stop SubmitTime Type",
  summary: "Children CreateIndex JobID ModifyIndex Namespace Summary",
  group: "Complete Failed Lost Queued Running Starting Unknown",
  nodes:
    "Address CreateIndex Datacenter Drain Drivers HostVolumes ID LastDrain ModifyIndex Name NodeClass NodePool SchedulingEligibility Status StatusDescription Version",
  driver: "Attributes Detected HealthDescription Healthy UpdateTime",
  allocations:
    "ClientDescription ClientStatus CreateIndex CreateTime DeploymentStatus DesiredDescription DesiredStatus DesiredTransition EvalID FollowupEvalID ID JobID JobType JobVersion ModifyIndex ModifyTime Name Namespace NextAllocation NodeID NodeName PreemptedAllocations PreemptedByAllocation RescheduleTracker TaskGroup TaskStates",
  transition: "ForceReschedule Migrate MigrateDisablePlacement NoShutdownDelay Reschedule",
  task: "Events Failed FinishedAt LastRestart Paused Restarts StartedAt State",
  event:
    "Details DiskLimit DisplayMessage DownloadError DriverError DriverMessage ExitCode FailedSibling FailsTask GenericSource KillError KillReason KillTimeout Message RestartReason SetupError Signal StartDelay TaskSignal TaskSignalReason Time Type ValidationError VaultError",
  deployments:
    "CreateIndex CreateTime EvalPriority ID IsMultiregion JobCreateIndex JobID JobModifyIndex JobSpecModifyIndex JobVersion ModifyIndex ModifyTime Namespace Status StatusDescription TaskGroups",
  deploymentGroup:
    "AutoPromote AutoRevert DesiredCanaries DesiredTotal HealthyAllocs PlacedAllocs PlacedCanaries ProgressDeadline Promoted RequireProgressBy UnhealthyAllocs",
  evaluation:
    "CreateIndex CreateTime ID JobID JobModifyIndex ModifyIndex ModifyTime Namespace PlanAnnotations Priority QueuedAllocations SnapshotIndex Status TriggeredBy Type",
  namespaces:
    "Capabilities ConsulConfiguration CreateIndex Description Hash Meta ModifyIndex Name NodePoolConfiguration OptionalExtraClaims Quota RequiredExtraClaims VaultConfiguration",
} as const;

const keys = (value: object): string => Object.keys(value).join(" ");

describe("stubs", () => {
  const simulator = createSimulator();
  const { cluster } = simulator;
  const [id = ""] = cluster.runJob({ id: "web", groups: [{ name: "g", count: 1, tasks: ["a", "b"] }] });
  cluster.restartTask(id);
  const state = simulator.state();
  const text = (resource: Parameters<typeof state.get>[0]) =>
    [...(state.get(resource)?.values() ?? [])][0] as string;
  const stub = (resource: Parameters<typeof state.get>[0]) => JSON.parse(text(resource));

  it("has a job's fields", () => {
    const job = stub("jobs");
    expect(keys(job)).toBe(SHAPES.jobs);
    expect(keys(job.JobSummary)).toBe(SHAPES.summary);
    expect(keys(job.JobSummary.Summary.g)).toBe(SHAPES.group);
    expect(job.JobSummary.Summary.g).toMatchObject({ Queued: 0, Starting: 0, Running: 1 });
  });

  it("has a node's fields", () => {
    const node = stub("nodes");
    expect(keys(node)).toBe(SHAPES.nodes);
    expect(keys(node.Drivers.docker)).toBe(SHAPES.driver);
  });

  it("has an allocation's fields, task events in full", () => {
    const allocation = stub("allocations");
    expect(keys(allocation)).toBe(SHAPES.allocations);
    expect(keys(allocation.DesiredTransition)).toBe(SHAPES.transition);
    expect(Object.keys(allocation.TaskStates)).toEqual(["a", "b"]);
    expect(keys(allocation.TaskStates.a)).toBe(SHAPES.task);
    for (const event of allocation.TaskStates.a.Events) expect(keys(event)).toBe(SHAPES.event);
  });

  it("has a deployment's and a namespace's fields", () => {
    expect(keys(stub("deployments"))).toBe(SHAPES.deployments);
    expect(keys(stub("deployments").TaskGroups.g)).toBe(SHAPES.deploymentGroup);
    expect(keys(stub("namespaces"))).toBe(SHAPES.namespaces);
  });

  it("leaves zero fields out of an evaluation", () => {
    expect(keys(stub("evaluations"))).toBe(SHAPES.evaluation);
  });

  it("writes nanoseconds beyond 2^53 with all their digits", () => {
    const times = /"(?:CreateTime|ModifyTime|Time)":(\d+)/g;
    for (const [, digits] of text("allocations").matchAll(times)) {
      expect(digits).toHaveLength(19);
    }
    expect(text("jobs")).toMatch(/"SubmitTime":\d{19},/);
  });
});
