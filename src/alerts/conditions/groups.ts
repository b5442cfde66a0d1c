import { within, type Window } from "../model/window.ts";
import type { Subjects } from "../model/subject.ts";
import type { JobRecord, VersionRecord } from "../model/job.ts";
import type { Answer, Asked, Finding } from "../rules/rule.ts";
import { failureDetails } from "./failures.ts";

type Group = Subjects["group"];

/** Allocations failed and are wanted, and no deployment answers for them. */
export function isFailing({ job, group }: Group, asked: Asked): Answer {
  if (isOver(job)) return { end: "stopped" };
  return {
    finding: failures(versionsThatCount(job, group.versions, asked), asked, ({ failing }) => failing.size),
  };
}

/** Of those, some were rescheduled before, and nothing follows any more. */
export function isExhausted({ job, group }: Group, asked: Asked): Answer {
  if (isOver(job)) return { end: "stopped" };
  return {
    finding: failures(versionsThatCount(job, group.versions, asked), asked, ({ exhausted }) => exhausted),
  };
}

/** Nomad leaves an allocation that failed before the job was stopped as it is: failed, and to run. */
function isOver({ isStopped, isPeriodic, isParameterized }: JobRecord): boolean {
  // Children go on without their parent.
  return isStopped && !isPeriodic && !isParameterized;
}

export function isFlapping({ job, group }: Group, asked: Asked): Answer {
  if (isOver(job)) return { end: "stopped" };
  const versions = versionsThatCount(job, group.versions, asked);
  const happenings = versions.map(({ restarts, lastRestarted }) => ({
    window: restarts,
    last: lastRestarted,
  }));
  return happened(happenings, asked);
}

export function ranOutOfMemory({ job, group }: Group, asked: Asked): Answer {
  if (isOver(job)) return { end: "stopped" };
  const versions = versionsThatCount(job, group.versions, asked);
  const happenings = versions.map(({ outOfMemory, lastOutOfMemory }) => ({
    window: outOfMemory,
    last: lastOutOfMemory,
  }));
  return happened(happenings, asked);
}

/** Those that no deployment answers for: one that goes on will succeed or fail, one that failed has its own alert. */
function versionsThatCount(
  job: JobRecord,
  versions: ReadonlyMap<string, VersionRecord>,
  { deploymentsAreTold }: Asked,
): VersionRecord[] {
  const told = new Set(deploymentsAreTold ? [...job.deployments.values()].map(({ version }) => version) : []);
  return [...versions].flatMap(([name, version]) => (told.has(name) ? [] : [version]));
}

function failures(
  versions: readonly VersionRecord[],
  { settings }: Asked,
  countOf: (version: VersionRecord) => number,
): Finding | undefined {
  const count = versions.reduce((sum, version) => sum + countOf(version), 0);
  return count < (settings.atLeast ?? 1) ? undefined : { count, details: failureDetails(versions) };
}

/** What happened in one version of a group, and the allocation in which it did last. */
interface Happenings {
  readonly window: Window;
  readonly last: string;
}

function happened(happenings: readonly Happenings[], { settings, now }: Asked): Answer {
  const windows = happenings.map(({ window }) => window);
  const { count, until } = within(windows, now, settings.withinMs ?? 0);
  if (count < (settings.atLeast ?? 1)) return { until };
  const newest = happenings.toSorted((a, b) => lastIn(a) - lastIn(b)).at(-1);
  const example = newest?.last ?? "";
  return { finding: { count, details: example === "" ? {} : { example } }, until };
}

/** When it happened last, ms. */
function lastIn({ window }: Happenings): number {
  return window.at(-1)?.[0] ?? 0;
}
