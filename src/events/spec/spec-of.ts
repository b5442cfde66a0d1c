import type { SpecFound, SpecVersion } from "../../schemas/enrichment-schema.ts";
import type { NomadJobVersions } from "../../schemas/nomad-job-versions.ts";
import { REDACTED } from "../../schemas/redaction-schema.ts";
import { timeOfNanos } from "../../shared/nanos.ts";
import { changesOf } from "./changes.ts";
import { redactedChange, type Redact } from "./redacted-change.ts";

/** Which versions an event is about, by the raft indexes at which they were written, in decimal. */
interface Span {
  readonly current: string;
  /** That of the version before that the feed knows; undefined where it knows none. */
  readonly previous: string | undefined;
}

/** What an event says of the version that it is about, and of those since the event before; undefined: it is not there. */
export function specOf(
  { Versions, Diffs }: NomadJobVersions,
  { current, previous }: Span,
  redact: Redact,
): SpecFound | undefined {
  const [last, first] = [BigInt(current), BigInt(previous ?? 0)];
  const [found, ...skipped] = Versions.flatMap((version, at) => {
    const index = BigInt(version.JobModifyIndex ?? 0);
    if (index <= first || index > last) return [];
    const isNext = Versions[at + 1]?.Version === version.Version - 1;
    return [{ index, version, diff: isNext ? Diffs[at] : undefined }];
  }).toSorted((a, b) => b.version.Version - a.version.Version);
  if (found?.index !== last) return undefined;
  return {
    ...versionOf(found, redact),
    ...(skipped.length > 0 && { skipped: skipped.map((one) => versionOf(one, redact)) }),
  };
}

interface Listed {
  readonly version: NomadJobVersions["Versions"][number];
  readonly diff: NomadJobVersions["Diffs"][number] | undefined;
}

function versionOf({ version, diff }: Listed, redact: Redact): SpecVersion {
  const found = diff && changesOf(diff);
  const changes = found?.changes.map((change) => redactedChange(change, redact)) ?? [];
  return {
    version: version.Version,
    submittedAt: timeOfNanos(version.SubmitTime ?? 0) ?? null,
    diff: found === undefined ? null : { changes, omitted: found.omitted },
    redacted: changes
      .filter((change) => change.old === REDACTED || change.new === REDACTED)
      .map(({ path }) => path),
  };
}
