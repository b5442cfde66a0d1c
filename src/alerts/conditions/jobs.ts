import type { DeploymentRecord } from "../model/deployment.ts";
import type { JobRecord } from "../model/job.ts";
import type { Subjects } from "../model/subject.ts";
import { printDuration } from "../../shared/duration.ts";
import type { Answer, Asked } from "../rules/rule.ts";
import { failureDetails } from "./failures.ts";

type Job = Subjects["job"];

/** The newest deployment that came to an end failed; one that goes on says nothing yet. */
export function deploymentFailed({ job }: Job): Answer {
  if (job.isStopped) return { end: "stopped" };
  const failed = newest(
    job,
    ({ state, createIndex }) => state === "failed" && createIndex > job.succeededIndex,
  );
  return { finding: failed && findingOf(job, failed) };
}

/** What a job that was stopped waits for no more, it did not get. */
function withoutIt({ isStopped }: JobRecord): Answer {
  return isStopped ? { end: "stopped" } : {};
}

export function needsPromotion({ job }: Job): Answer {
  const waiting = newest(job, (deployment) => deployment.needsPromotion);
  return waiting === undefined ? withoutIt(job) : { finding: findingOf(job, waiting) };
}

/** Nomad should have given it up, and has not. */
export function deploymentStuck({ job }: Job, { now }: Asked): Answer {
  const deployment = newest(job, ({ state, needsPromotion: waits }) => state === "active" && !waits);
  const deadline = deployment?.deadline;
  if (deployment === undefined || deadline === undefined) return withoutIt(job);
  return deadline <= now ? { finding: findingOf(job, deployment) } : { until: deadline };
}

function newest(
  job: JobRecord,
  fits: (deployment: DeploymentRecord) => boolean,
): DeploymentRecord | undefined {
  const fitting = [...job.deployments.values()].filter(fits);
  return fitting.toSorted((a, b) => a.createIndex - b.createIndex).at(-1);
}

/** The allocations that fail in it are its consequence. */
function findingOf(job: JobRecord, { id, version, description, healthy, wanted }: DeploymentRecord) {
  const versions = [...job.groups.values()].flatMap((group) => group.versions.get(version) ?? []);
  const count = versions.reduce((sum, { failing }) => sum + failing.size, 0);
  const failures = count === 0 ? {} : failureDetails(versions);
  const details = { ...failures, deployment: id, version, description, healthy: `${healthy} of ${wanted}` };
  return { count, details: { ...details, why: failures["why"] ?? description } };
}

export function isBlocked({ job }: Job): Answer {
  const { size } = job.blocked;
  if (size === 0) return withoutIt(job);
  const reasons = new Set([...job.blocked.values()].flatMap((blocked) => blocked.reasons));
  const why = [...reasons].toSorted().slice(0, 5).join("; ");
  return { finding: { count: size, details: { why: why === "" ? "Nomad gives no reason" : why } } };
}

/** How many times its longest pause a job may be late. */
const PAUSES = 2;

/** It runs by a schedule, and did not begin in time. What the schedule is, lists do not say: it is known from the launches. */
export function isOverdue({ job }: Job, { settings, now }: Asked): Answer {
  const last = job.launches.at(-1);
  if (job.isStopped) return { end: "stopped" };
  if (!job.isPeriodic || last === undefined) return {};
  const pause = settings.longerThanMs ?? longestPause(job.launches) * PAUSES;
  if (pause === 0 || now < last + pause) return { until: pause === 0 ? undefined : last + pause };
  const details = { lastLaunch: new Date(last).toISOString(), expectedWithin: printDuration(pause) };
  return { finding: { count: 1, details } };
}

/** 0 where there were not two pauses yet. */
function longestPause(launches: readonly number[]): number {
  if (launches.length < 3) return 0;
  return Math.max(...launches.slice(1).map((at, position) => at - (launches[position] ?? at)));
}
