import { within } from "../model/window.ts";
import type { Subjects } from "../model/subject.ts";
import type { JobRecord, VersionRecord } from "../model/job.ts";
import type { Answer, Asked, Finding } from "../rules/rule.ts";
import { failureDetails } from "./failures.ts";

type Group = Subjects["group"];

/** Allocations failed and are wanted, and no deployment answers for them. */
export function isFailing({ job, group }: Group, asked: Asked): Answer {
  return {
    finding: failures(versionsThatCount(job, group.versions, asked), asked, ({ failing }) => failing.size),
  };
}

/** Of those, some were rescheduled before, and nothing follows any more. */
export function isExhausted({ job, group }: Group, asked: Asked): Answer {
  return {
    finding: failures(versionsThatCount(job, group.versions, asked), asked, ({ exhausted }) => exhausted),
  };
}

export function isFlapping({ job, group }: Group, asked: Asked): Answer {
  const windows = versionsThatCount(job, group.versions, asked).map(({ restarts }) => restarts);
  return happened(windows, asked);
}

export function ranOutOfMemory({ job, group }: Group, asked: Asked): Answer {
  const windows = versionsThatCount(job, group.versions, asked).map(({ outOfMemory }) => outOfMemory);
  return happened(windows, asked);
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

function happened(windows: readonly VersionRecord["restarts"][], { settings, now }: Asked): Answer {
  const { count, until } = within(windows, now, settings.withinMs ?? 0);
  return { finding: count < (settings.atLeast ?? 1) ? undefined : { count, details: {} }, until };
}
