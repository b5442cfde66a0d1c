import type { Change } from "../schemas/change.ts";
import type { EventDraft } from "../schemas/draft.ts";
import type { JsonObject } from "../schemas/json.ts";
import { createIndexOf } from "../schemas/resources.ts";
import { timeOfNanos } from "../shared/nanos.ts";
import { assembled } from "./assembled.ts";
import type { EventContext, SkippedVersion } from "./context.ts";
import { versionId } from "./ids.ts";
import { observedOf } from "./observed.ts";
import { severityOf, signalsBetween } from "./signals.ts";
import type { KeptVersion } from "./spec/versions-in.ts";

type Written = Exclude<Change, { readonly op: "delete" }>;

/**
 * The events of the versions that a change passed over. They are submissions, and no states: what the lists would have said
 * of the job then nobody knows, so they have no stub and no rev, and stand right before the change that follows them.
 */
export function skippedEvents(
  change: Written,
  skipped: readonly SkippedVersion[],
  context: EventContext,
): EventDraft[] {
  return skipped
    .filter(({ kept }) => isUntold(change, kept, context))
    .map((version) => skippedEvent(change, version, context));
}

/** A job that merely came to sight, or came back with a restore, has versions that are old, or were told before. */
function isUntold(change: Written, { index }: KeptVersion, { observation }: EventContext): boolean {
  const { before, after } = change;
  if (before !== undefined && createIndexOf(before.value) === createIndexOf(after.value)) return true;
  const { mode, fromIndex } = observation;
  return mode !== "resync" && (fromIndex === null || BigInt(index) > BigInt(fromIndex));
}

function skippedEvent({ ref, after }: Written, { kept, found }: SkippedVersion, context: EventContext) {
  const { version, before } = kept;
  const created = createIndexOf(after.value) ?? null;
  const fired =
    before === undefined ? [] : signalsBetween("jobs", { before: stubOf(before), after: stubOf(version) });
  const submitted = timeOfNanos(version.SubmitTime ?? 0);
  const op = "version";
  return assembled({
    op,
    ref,
    stub: after.value,
    id: versionId(ref, created, version.Version, context),
    time: submitted ?? context.observation.observedAt,
    aspect: "spec",
    signals: fired.map(({ name }) => name),
    severity: severityOf(fired, "spec"),
    version: version.Version,
    found,
    changes: undefined,
    // What the job's rev was then, its list would have said.
    rev: { current: null, previous: null, created },
    observed: observedOf({ op, ref }, context, submitted === undefined ? "observed" : "SubmitTime"),
    context,
  });
}

/** What a list would have said of a version, as far as signals look at it and a version has it. */
function stubOf({ JobModifyIndex, SubmitTime, Stop }: KeptVersion["version"]): JsonObject {
  return {
    JobModifyIndex: JobModifyIndex ?? 0,
    SubmitTime: JSON.rawJSON(String(BigInt(SubmitTime ?? 0))),
    Stop: Stop === true,
  };
}
