import type { SpecVersion } from "../../schemas/enrichment-schema.ts";
import { REDACTED } from "../../schemas/redaction-schema.ts";
import { timeOfNanos } from "../../shared/nanos.ts";
import { changesOf } from "./changes.ts";
import { redactedChange, type Redact } from "./redacted-change.ts";
import type { KeptVersion } from "./versions-in.ts";

/** What an event says of a version's specification. */
export function specOf(
  { version, diff }: Pick<KeptVersion, "version" | "diff">,
  redact: Redact,
): SpecVersion {
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
