import type { NomadJobDiff, NomadJobVersions } from "../../schemas/nomad-job-versions.ts";

/** Which versions a change is about, by the raft indexes at which they were written, in decimal. */
interface Span {
  readonly current: string;
  /** That of the version before that the feed knows; undefined where it knows none. */
  readonly previous: string | undefined;
}

type NomadJobVersion = NomadJobVersions["Versions"][number];

/** A version that Nomad keeps, and what is known of the one before it. */
export interface KeptVersion {
  readonly index: string;
  readonly version: NomadJobVersion;
  /** The version before; undefined where Nomad does not keep it. */
  readonly before: NomadJobVersion | undefined;
  /** What it changed in the one before; undefined where that is not kept. */
  readonly diff: NomadJobDiff | undefined;
}

export interface VersionSpan {
  readonly current: KeptVersion;
  /** Those between the previous one and this one, oldest first: they were overtaken before the feed looked. */
  readonly skipped: readonly KeptVersion[];
}

/** The version that a change led to, and those that it passed over; undefined: Nomad does not keep the version. */
export function versionsIn(
  { Versions, Diffs }: NomadJobVersions,
  { current, previous }: Span,
): VersionSpan | undefined {
  const [last, first] = [BigInt(current), BigInt(previous ?? 0)];
  const kept = Versions.flatMap((version, at): KeptVersion[] => {
    const index = BigInt(version.JobModifyIndex ?? 0);
    if (index <= first || index > last) return [];
    const older = Versions[at + 1];
    const isNext = older?.Version === version.Version - 1;
    return [
      {
        index: String(index),
        version,
        before: isNext ? older : undefined,
        diff: isNext ? Diffs[at] : undefined,
      },
    ];
  }).toSorted((a, b) => a.version.Version - b.version.Version);
  const found = kept.pop();
  return found?.index === current ? { current: found, skipped: kept } : undefined;
}
