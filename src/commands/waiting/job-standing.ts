import type { NomadStub } from "../../../packages/client/src/shared.ts";
import { placementReasons } from "../../schemas/placement.ts";
import type { JsonObject } from "../../schemas/json.ts";
import { UsageError } from "../support/usage-error.ts";
import { failuresOf } from "./failures.ts";
import type { Known } from "./known.ts";
import type { GroupStanding, Outcome, Standing } from "./standing.ts";
import type { Wanted } from "./wanted.ts";

type Job = NomadStub<"jobs">;
type Allocation = NomadStub<"allocations">;

/** Of a job whose version at hand has no deployment, or none yet: by its allocations. */
export function jobStanding(known: Known, wanted: Wanted): Standing {
  const { job } = known;
  if (job === undefined) throw new Error("there is no job to speak of");
  assertRuns(job);
  const { version, isSure } = versionOf(known, wanted);
  const own = known.allocations.filter((allocation) => isOfVersion(allocation, version));
  return {
    subject: `job ${job.ID}${isSure ? `, version ${version}` : ""}`,
    version: isSure ? version : null,
    deployment: null,
    status: job.Status,
    groups: groupsOf(job, own),
    note: noteOf(known),
    outcome: outcomeOf({ job, own, version, isSure }, known, wanted),
  };
}

/** @throws UsageError of a job that runs nothing itself. */
function assertRuns({ ID, Periodic, ParameterizedJob }: Job): void {
  if (!Periodic && !ParameterizedJob) return;
  const [kind, run] = Periodic
    ? ["periodic", "periodic-1795436878"]
    : ["parameterized", "dispatch-1795436878-1a2b3c4d"];
  throw new UsageError(`${ID} is ${kind} and runs nothing itself`, {
    hint: `Wait for one of its runs, by the name that Nomad gives it, such as ${ID}/${run}`,
  });
}

/** The version at hand; null before anything of it is known. Sure where what is known names it. */
function versionOf(
  { allocations, evaluations }: Known,
  wanted: Wanted,
): { version: number | null; isSure: boolean } {
  if (wanted.version !== null) return { version: wanted.version, isSure: true };
  const ids = new Set(evaluations.map(({ ID }) => ID));
  const placed = allocations.find(({ EvalID }) => ids.has(EvalID));
  if (placed !== undefined) return { version: placed.JobVersion, isSure: true };
  // Nomad keeps evaluations for an hour, or nothing had to be placed.
  const isPlanned = evaluations.every(({ Status }) => Status === "complete");
  if (!isPlanned || allocations.length === 0) return { version: null, isSure: false };
  return { version: Math.max(...allocations.map(({ JobVersion }) => JobVersion)), isSure: false };
}

/** Those that Nomad wants, the last of each row of attempts. */
function isOfVersion(allocation: Allocation, version: number | null): boolean {
  const { JobVersion, DesiredStatus, NextAllocation = "" } = allocation;
  return JobVersion === version && DesiredStatus === "run" && NextAllocation === "";
}

const isBatch = ({ Type }: Job): boolean => Type === "batch" || Type === "sysbatch";

function isReady(job: Job, { ClientStatus }: Allocation): boolean {
  return ClientStatus === "complete" || (ClientStatus === "running" && !isBatch(job));
}

function groupsOf(job: Job, own: readonly Allocation[]): Record<string, GroupStanding> {
  const summaries = Object.entries(job.JobSummary?.Summary ?? {});
  return Object.fromEntries(
    summaries.map(([name, { Queued }]) => {
      const allocations = own.filter(({ TaskGroup }) => TaskGroup === name);
      const ready = allocations.filter((allocation) => isReady(job, allocation)).length;
      return [name, { ready, wanted: allocations.length + Queued }];
    }),
  );
}

function noteOf({ active }: Known): string {
  const reasons = active
    .filter(({ Status }) => Status === "blocked")
    .flatMap((evaluation) => placementReasons(evaluation as JsonObject));
  return reasons.length === 0 ? "" : `waits for room: ${[...new Set(reasons)].join("; ")}`;
}

interface Own {
  readonly job: Job;
  readonly own: readonly Allocation[];
  readonly version: number | null;
  readonly isSure: boolean;
}

function outcomeOf({ job, own, version, isSure }: Own, known: Known, wanted: Wanted): Outcome | undefined {
  if (job.Stop) return { end: "failed", why: `job ${job.ID} was stopped`, isSure: false };
  // Named by its evaluation before it is known itself.
  if (known.evaluations.some(({ DeploymentID = "" }) => DeploymentID !== "")) return undefined;
  const isPlanned = known.evaluations.some(({ Status }) => Status === "complete");
  if (wanted.of === "deployment" || wanted.goal === "needs-promotion") {
    // A deployment comes with its evaluation's end, or not at all.
    const why = `version ${version ?? "at hand"} of ${job.ID} has no deployment, as it is a ${job.Type} job or nothing had to be placed`;
    return isPlanned || isBatch(job) ? { end: "failed", why, isSure: false } : undefined;
  }
  if (version === null) return undefined;
  const isService = job.Type === "service";
  return endOf(job, own, known, { version, isSure: isSure && (!isService || isPlanned), goal: wanted.goal });
}

interface How {
  readonly version: number;
  readonly isSure: boolean;
  readonly goal: Wanted["goal"];
}

function endOf(
  job: Job,
  own: readonly Allocation[],
  known: Known,
  { version, isSure, goal }: How,
): Outcome | undefined {
  const failed = own.filter(({ ClientStatus }) => ClientStatus === "failed" || ClientStatus === "lost");
  if (job.Status === "dead" && failed.length > 0) {
    const what = `${failed.length} of ${own.length} allocations failed, and nothing follows them`;
    return { end: "failed", why: [what, ...failuresOf(known, version)].join("; "), isSure };
  }
  const isOpen = known.active.length > 0 || own.length === 0 || isQueued(job);
  const isEnough = goal === "complete" && isBatch(job) ? isComplete : isUp;
  if (isOpen || !own.every(isEnough)) return undefined;
  if (isEnough === isComplete && job.Status !== "dead") return undefined;
  return {
    end: "reached",
    why: isEnough === isComplete ? "all allocations are complete" : "all allocations run",
    isSure,
  };
}

const isComplete = ({ ClientStatus }: Allocation): boolean => ClientStatus === "complete";

const isUp = ({ ClientStatus }: Allocation): boolean =>
  ClientStatus === "running" || ClientStatus === "complete";

function isQueued({ JobSummary }: Job): boolean {
  return Object.values(JobSummary?.Summary ?? {}).some(({ Queued }) => Queued > 0);
}
