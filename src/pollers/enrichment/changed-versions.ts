import { versionsIn, type VersionSpan } from "../../events/spec/versions-in.ts";
import type { JobVersionsReader } from "../../nomad/job-versions.ts";
import { integerText } from "../../schemas/json.ts";
import type { Change } from "../../schemas/change.ts";
import { specIndexOf } from "./finder.ts";

/** The versions of a job that a change led to and passed over, or in words why they are not to be had. */
export type ReadVersions = (change: Change, signal: AbortSignal) => Promise<VersionSpan | string>;

/** Reads them once of each change, however many finders ask. They reject with NomadError, or with the signal's reason. */
export function changedVersions(
  versions: Pick<JobVersionsReader, "read">,
  { diffs }: { readonly diffs: boolean },
): ReadVersions {
  const reads = new WeakMap<Change, ReturnType<ReadVersions>>();
  const read: ReadVersions = async (change, signal) => {
    const { namespace, key: job } = change.ref;
    const answer = await versions.read({ namespace, job, as: "feed", diffs }, signal);
    if (answer.kind === "none") return "Nomad has the job no longer";
    if (answer.kind === "too-large") return "Nomad's answer is too large";
    const span = {
      current: specIndexOf(change),
      previous: integerText(change.before?.value["JobModifyIndex"]),
    };
    return versionsIn(answer.found, span) ?? "Nomad does not keep this version";
  };
  return (change, signal) => {
    const known = reads.get(change) ?? read(change, signal);
    reads.set(change, known);
    return known;
  };
}
