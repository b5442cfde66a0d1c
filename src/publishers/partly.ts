import type { SendResult } from "./delivery/destination.ts";

/** What one event of a batch came to where it was not taken. */
export type Failure = Exclude<SendResult, { outcome: "ok" }>;

const OF_THE_EVENT = new Set(["poison", "too-large", "too-old"]);

/** Whether it is about the event itself, and others may be taken. */
export function isOfTheEvent(failure: Failure): boolean {
  return failure.outcome === "refused" && OF_THE_EVENT.has(failure.why);
}

/**
 * What a batch came to of which each event has an outcome of its own; undefined: taken. What concerns all of them is
 * told first, then what may pass: it is sent again together with what was refused, which then shows again.
 */
export function resultOf(outcomes: readonly (Failure | undefined)[]): SendResult {
  const failed = outcomes.filter((outcome) => outcome !== undefined);
  const [first] = failed;
  if (first === undefined) return { outcome: "ok" };
  const told =
    failed.find((failure) => failure.outcome === "refused" && !isOfTheEvent(failure)) ??
    failed.find(({ outcome }) => outcome === "retry") ??
    ofOneKind(failed);
  const which = outcomes.flatMap((outcome, position) => (outcome === undefined ? [] : [position]));
  return { ...told, which };
}

/** Events refused for different reasons are all parked: none of them may be passed over for another's. */
function ofOneKind(failed: readonly Failure[]): Failure {
  const [first, ...others] = failed as [Failure, ...Failure[]];
  const isOther = (failure: Failure) => "why" in failure && "why" in first && failure.why !== first.why;
  if (!others.some(isOther)) return first;
  const reason = [...new Set(failed.map((failure) => failure.reason))].join("; ");
  return { outcome: "refused", why: "poison", reason };
}
