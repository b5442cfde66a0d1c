import type { NomadStub } from "nomad-changefeed-client";

type Job = Pick<NomadStub<"jobs">, "Status" | "Stop" | "Type" | "JobSummary">;

/**
 * As people say it: dead alone does not tell whether somebody stopped it, it is done, or it failed. Nomad counts what
 * failed over all attempts: one that failed and was made up for by another has ended, and more is not known.
 */
export function jobState({ Status, Stop, Type, JobSummary }: Job): string {
  if (Stop) return "stopped";
  if (Status !== "dead" || !Type.endsWith("batch")) return Status;
  const groups = Object.values(JobSummary?.Summary ?? {});
  const hasFailed = groups.some(({ Failed, Lost }) => Failed > 0 || Lost > 0);
  if (!hasFailed) return "complete";
  return groups.some(({ Complete }) => Complete > 0) ? "ended" : "failed";
}
