import type { JobVersion } from "nomad-changefeed-client";
import type { ShownTime } from "../words/shown-time.ts";

/** Those versions that had been submitted by then; all where it is not known when that was. */
export function submittedBy(versions: readonly JobVersion[], shown: ShownTime): readonly JobVersion[] {
  if (shown.kind !== "then") return versions;
  return versions.filter(({ submittedAt }) => submittedAt === null || Date.parse(submittedAt) <= shown.ms);
}
