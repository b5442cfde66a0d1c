import type { Aspect } from "../schemas/draft.ts";
import type { ResourceType } from "../schemas/resources.ts";

const INDEXES = ["/ModifyIndex", "/CreateIndex"];
const TIMES = ["/ModifyTime", "/CreateTime"];

interface AspectRules {
  /** Aspect of the event that says an object appeared, vanished, or was there at the first poll. */
  readonly existence: Aspect;
  /**
   * Paths by what they mean, `*` for any one name. A rule also covers what lies below its path; the longest
   * one that matches decides. A path no rule covers is "spec": a field a newer Nomad brought says something.
   */
  readonly paths: Readonly<Partial<Record<Aspect, readonly string[]>>>;
}

/**
 * - spec: what somebody asked for
 * - status: how it is doing
 * - placement: where it runs, or should no longer run, and why
 * - summary: counters over other objects
 * - meta: bookkeeping that says nothing by itself
 */
export const ASPECT_RULES: Readonly<Record<ResourceType, AspectRules>> = {
  jobs: {
    existence: "spec",
    paths: {
      status: ["/Status", "/StatusDescription"],
      summary: ["/JobSummary"],
      meta: ["/ModifyIndex", "/CreateIndex", "/JobSummary/ModifyIndex", "/JobSummary/CreateIndex"],
    },
  },
  nodes: {
    existence: "status",
    paths: {
      status: ["/Status", "/StatusDescription", "/SchedulingEligibility", "/Drain", "/LastDrain", "/Drivers"],
      spec: ["/Drivers/*/Attributes"],
      meta: ["/ModifyIndex", "/CreateIndex", "/Drivers/*/UpdateTime", "/LastDrain/UpdatedAt"],
    },
  },
  allocations: {
    existence: "status",
    paths: {
      status: ["/ClientStatus", "/ClientDescription", "/TaskStates", "/DeploymentStatus", "/NetworkStatus"],
      placement: [
        "/AllocatedResources",
        "/DesiredDescription",
        "/DesiredStatus",
        "/DesiredTransition",
        "/EvalID",
        "/FollowupEvalID",
        "/NextAllocation",
        "/NodeID",
        "/NodeName",
        "/PreemptedAllocations",
        "/PreemptedByAllocation",
        "/RescheduleTracker",
      ],
      meta: ["/ModifyIndex", "/ModifyTime", "/CreateIndex", "/CreateTime", "/DeploymentStatus/ModifyIndex"],
    },
  },
  deployments: {
    existence: "status",
    paths: {
      status: ["/Status", "/StatusDescription", "/TaskGroups/*/Promoted"],
      placement: ["/TaskGroups/*/PlacedCanaries"],
      summary: [
        "/TaskGroups/*/HealthyAllocs",
        "/TaskGroups/*/PlacedAllocs",
        "/TaskGroups/*/RequireProgressBy",
        "/TaskGroups/*/UnhealthyAllocs",
      ],
      meta: ["/ModifyIndex", "/ModifyTime", "/CreateIndex", "/CreateTime"],
    },
  },
  evaluations: {
    existence: "status",
    paths: {
      status: ["/Status", "/StatusDescription"],
      placement: [
        "/BlockedEval",
        "/ClassEligibility",
        "/EscapedComputedClass",
        "/FailedTGAllocs",
        "/MissingNonNodeResources",
        "/NextEval",
        "/PlanAnnotations",
        "/PreviousEval",
        "/QueuedAllocations",
        "/QuotaLimitReached",
        "/RelatedEvals",
      ],
      meta: [
        "/ModifyIndex",
        "/ModifyTime",
        "/CreateIndex",
        "/CreateTime",
        "/JobModifyIndex",
        "/NodeModifyIndex",
        "/SnapshotIndex",
      ],
    },
  },
  namespaces: {
    existence: "spec",
    paths: { meta: [...INDEXES, "/Hash"] },
  },
  "node-pools": { existence: "spec", paths: { meta: [...INDEXES, "/Hash"] } },
  services: { existence: "status", paths: {} },
  // Of what these hold, nothing but the index tells.
  variables: { existence: "spec", paths: { meta: ["/CreateIndex", "/CreateTime"] } },
  "scaling-policies": { existence: "spec", paths: { meta: ["/CreateIndex"] } },
  "csi-volumes": {
    existence: "spec",
    paths: {
      status: [
        "/Schedulable",
        "/ControllersHealthy",
        "/ControllersExpected",
        "/NodesHealthy",
        "/NodesExpected",
        "/ResourceExhausted",
      ],
      summary: ["/CurrentReaders", "/CurrentWriters"],
      meta: [...INDEXES, ...TIMES],
    },
  },
  "csi-plugins": {
    existence: "status",
    paths: {
      status: ["/ControllersHealthy", "/ControllersExpected", "/NodesHealthy", "/NodesExpected"],
      meta: INDEXES,
    },
  },
  "host-volumes": {
    existence: "spec",
    paths: { status: ["/State"], placement: ["/NodeID", "/NodePool"], meta: [...INDEXES, ...TIMES] },
  },
  "host-volume-claims": { existence: "placement", paths: { placement: ["/AllocID"], meta: INDEXES } },
  "acl-policies": { existence: "spec", paths: { meta: INDEXES } },
  "acl-roles": { existence: "spec", paths: { meta: INDEXES } },
  "acl-tokens": { existence: "spec", paths: { meta: INDEXES } },
  "acl-auth-methods": { existence: "spec", paths: { meta: INDEXES } },
  "acl-binding-rules": { existence: "spec", paths: { meta: INDEXES } },
  servers: { existence: "status", paths: { status: ["/Status", "/Leader"] } },
  autopilot: {
    existence: "status",
    paths: {
      status: [
        "/Healthy",
        "/FailureTolerance",
        "/OptimisticFailureTolerance",
        "/Leader",
        "/Servers",
        "/Upgrade",
      ],
      meta: ["/Servers/*/StableSince"],
    },
  },
  scheduler: { existence: "spec", paths: { meta: INDEXES } },
  license: { existence: "spec", paths: {} },
  quotas: { existence: "spec", paths: { meta: [...INDEXES, "/Hash"] } },
  "sentinel-policies": { existence: "spec", paths: { meta: [...INDEXES, "/Hash"] } },
  recommendations: { existence: "spec", paths: { meta: INDEXES } },
};
