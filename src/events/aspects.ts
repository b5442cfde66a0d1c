import type { Aspect } from "../schemas/draft.ts";
import type { ResourceType } from "../schemas/resources.ts";
import type { JsonChange } from "./json-diff.ts";

/** From the most to the least significant: an event has the first of these that its changed paths mean. */
const SIGNIFICANCE: readonly Aspect[] = ["status", "spec", "placement", "summary", "meta"];

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
const ASPECT_RULES: Readonly<Record<ResourceType, AspectRules>> = {
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
    paths: { meta: ["/ModifyIndex", "/CreateIndex", "/Hash"] },
  },
};

/** Aspect of events about an object's whole existence. */
export function existenceAspect(resource: ResourceType): Aspect {
  return ASPECT_RULES[resource].existence;
}

/** Aspect of an update: the most significant one its changed paths mean; "meta" where nothing changed. */
export function aspectOf(resource: ResourceType, changes: readonly JsonChange[]): Aspect {
  const found = new Set(changes.map((change) => aspectOfPath(resource, change.path)));
  return SIGNIFICANCE.find((aspect) => found.has(aspect)) ?? "meta";
}

function aspectOfPath(resource: ResourceType, path: string): Aspect {
  const names = path.split("/");
  let decided: Aspect = "spec";
  let length = 0;
  for (const rule of RULES[resource]) {
    if (rule.names.length > length && covers(rule.names, names))
      [decided, length] = [rule.aspect, rule.names.length];
  }
  return decided;
}

function covers(rule: readonly string[], names: readonly string[]): boolean {
  return rule.length <= names.length && rule.every((name, at) => name === "*" || name === names[at]);
}

const RULES = Object.fromEntries(
  Object.entries(ASPECT_RULES).map(([resource, { paths }]) => [
    resource,
    Object.entries(paths).flatMap(([aspect, patterns]) =>
      patterns.map((pattern) => ({ aspect: aspect as Aspect, names: pattern.split("/") })),
    ),
  ]),
) as Record<ResourceType, { aspect: Aspect; names: string[] }[]>;
