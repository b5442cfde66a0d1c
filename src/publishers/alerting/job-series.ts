import {
  DURATION_BOUNDS,
  OUTCOMES,
  type GroupCounts,
  type JobCounts,
} from "../../alerts/job-metrics/counts.ts";
import { OTHER, type AllCounts } from "../../alerts/job-metrics/fold.ts";
import type { JobSeries } from "../../telemetry/job-metrics.ts";

/** What was counted, as metrics show it. */
export function jobSeries({ jobs: counted, nodes: times }: AllCounts): JobSeries {
  const jobs = [...counted].map(([key, counts]) => ({ labels: labelsOf(key), counts }));
  const services = jobs.filter(({ counts }) => !counts.isBatch);
  const batches = jobs.filter(({ counts }) => counts.isBatch);
  const groups = jobs.flatMap(({ labels, counts }) =>
    [...counts.groups].map(([group, own]) => ({ labels: { ...labels, group }, own })),
  );
  const nodes = [...times].map(([id, node]) => ({ labels: { node: id, name: node.name }, node }));
  const ofGroups = (name: keyof GroupCounts) => groups.map(({ labels, own }) => [labels, own[name]] as const);
  return {
    restarts: ofGroups("restarts"),
    oomKills: ofGroups("oomKills"),
    failedAllocations: ofGroups("failedAllocations"),
    reschedules: ofGroups("reschedules"),
    blockedSeconds: jobs.map(({ labels, counts }) => [labels, counts.blockedSeconds]),
    deployments: services.flatMap(({ labels, counts }) =>
      OUTCOMES.map((outcome) => [{ ...labels, outcome }, counts.deployments[outcome]] as const),
    ),
    deploymentSeconds: services.map(({ labels, counts }) => ({ labels, ...durationsOf(counts) })),
    lastSuccess: batches.map(({ labels, counts }) => [labels, counts.lastSuccess ?? 0]),
    nodeDownSeconds: nodes.map(({ labels, node }) => [labels, node.downSeconds]),
    nodeDrainSeconds: nodes.map(({ labels, node }) => [labels, node.drainSeconds]),
  };
}

/** No job is without a namespace: the others are nobody's namesake. */
function labelsOf(key: string): { namespace: string; job_name: string } {
  if (key === OTHER) return { namespace: "", job_name: OTHER };
  const end = key.indexOf("/");
  return { namespace: key.slice(0, end), job_name: key.slice(end + 1) };
}

function durationsOf({ durations, durationSum }: JobCounts) {
  const bounds = [...DURATION_BOUNDS, Number.POSITIVE_INFINITY];
  return { buckets: bounds.map((bound, place) => [bound, durations[place] ?? 0] as const), sum: durationSum };
}
