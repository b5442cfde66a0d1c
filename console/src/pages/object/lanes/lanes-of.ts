import { text } from "../stubs.ts";
import { allocationLanes } from "./allocation-lanes.ts";
import type { Lane } from "./lane.ts";
import { deploymentLane, evaluationLane, stateLane } from "./object-lanes.ts";
import { taskLanes } from "./task-lanes.ts";
import type { Track, Tracks } from "./track.ts";

/** The lanes of an object, from what is closest to it to what is around it; always in the same order. */
export function lanesOf(subject: string, tracks: Tracks): Lane[] {
  const own = tracks.get(subject);
  if (own === undefined) return [];
  return lanesByResource(own, tracks).filter(({ bars, marks }) => bars.length + marks.length > 0);
}

function lanesByResource(own: Track, tracks: Tracks): Lane[] {
  const all = [...tracks.values()];
  const allocations = all.filter(({ resource }) => resource === "allocations");
  const deployments = all.filter(({ resource }) => resource === "deployments");
  const evaluations = all.filter(({ resource }) => resource === "evaluations");
  switch (own.resource) {
    case "allocations":
      return ofAllocation(own, tracks, deployments);
    case "jobs":
      return [
        ownLane(own, "Status"),
        deploymentLane(deployments),
        evaluationLane(evaluations),
        ...allocationLanes(allocations),
      ];
    case "nodes":
      return [ownLane(own, "Status"), eligibilityLane(own), ...allocationLanes(allocations)];
    case "deployments":
      return [
        deploymentLane([own], "This deployment"),
        evaluationLane(evaluations.filter(({ stub }) => stub?.["DeploymentID"] === own.key)),
        ...allocationLanes(allocations.filter(isOfVersion(own))),
      ];
    case "evaluations":
      return [
        ownLane(own, "Status"),
        ...allocationLanes(allocations.filter(({ stub }) => stub?.["EvalID"] === own.key)),
      ];
    default:
      return [ownLane(own, "Status")];
  }
}

function ofAllocation(own: Track, tracks: Tracks, deployments: readonly Track[]): Lane[] {
  const { stub } = own;
  const version = stub === undefined ? "" : text(stub, "JobVersion");
  const node = stub === undefined ? undefined : tracks.get(`nodes/-/${text(stub, "NodeID")}`);
  const name = stub === undefined ? "" : text(stub, "Name");
  const others = [...tracks.values()].filter(
    (track) =>
      track.resource === "allocations" &&
      track.subject !== own.subject &&
      track.stub !== undefined &&
      text(track.stub, "Name") === name,
  );
  return [
    ...taskLanes(own),
    ownLane(own, "ClientStatus", "Allocation"),
    wantedLane(own),
    deploymentLane(
      deployments.filter((track) => track.stub !== undefined && text(track.stub, "JobVersion") === version),
      "Deployment",
    ),
    ...allocationLanes(others).map((lane) => ({ ...lane, label: "Before and after" })),
    ...(node === undefined
      ? []
      : [
          stateLane(node, {
            field: "Status",
            label: stub === undefined ? "Node" : `Node ${text(stub, "NodeName")}`,
            noun: "node",
            marked: ({ signals }) => signals.length > 0,
          }),
        ]),
  ];
}

function ownLane(own: Track, field: string, label = "State"): Lane {
  return { ...stateLane(own, { field, label, noun: "this object", marked: () => true }), subject: undefined };
}

/** When the scheduler wanted it no more; that it wants it needs no lane. */
function wantedLane(own: Track): Lane {
  const lane = ownLane(own, "DesiredStatus", "Wanted");
  const bars = lane.bars
    .filter(({ word }) => word !== "run")
    .map((bar) => ({ ...bar, tone: "off" as const }));
  return { ...lane, noun: "what the scheduler wants", bars, marks: [] };
}

/** When it took no work. */
function eligibilityLane(own: Track): Lane {
  const lane = ownLane(own, "SchedulingEligibility", "Takes work");
  const bars = lane.bars.map((bar) =>
    bar.word === "eligible" ? { ...bar, tone: "ok" as const } : { ...bar, tone: "wait" as const },
  );
  return { ...lane, bars, marks: [] };
}

/** Of the version of the job that a deployment brings. */
function isOfVersion(deployment: Track): (allocation: Track) => boolean {
  const version = deployment.stub === undefined ? "" : text(deployment.stub, "JobVersion");
  return ({ stub }) => stub !== undefined && text(stub, "JobVersion") === version;
}
