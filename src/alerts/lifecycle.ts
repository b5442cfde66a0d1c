import { MAX_EVIDENCE, type Alert, type EndReason } from "./alert.ts";
import type { SubjectRef } from "./model/subject.ts";
import type { Finding, RuleFacts } from "./rules/rule.ts";

/** What made somebody look. Absent: time passed. */
export interface Occasion {
  readonly now: number;
  readonly eventId: string | undefined;
  /** The state was read anew, after a time in which nobody looked. */
  readonly isMeanwhile: boolean;
}

export type Outcome = { readonly finding: Finding } | { readonly end: EndReason };

/** Ends that may be followed by a new beginning at once: the alert fires on for a while. */
const MAY_COME_BACK: ReadonlySet<EndReason> = new Set(["recovered", "collected"]);

/** The alert as it is now: pending or firing, just resolved, or undefined for none. */
export function advance(
  alert: Alert | undefined,
  subject: SubjectRef,
  rule: RuleFacts,
  outcome: Outcome,
  occasion: Occasion,
): Alert | undefined {
  if ("end" in outcome) return alert && ending(alert, rule, outcome.end, occasion);
  const holding = alert ?? begin(subject, rule, occasion);
  hold(holding, outcome.finding, occasion);
  if (holding.state === "pending" && occasion.now >= holding.startsAt + rule.forMs) {
    holding.state = "firing";
    holding.firedAt = occasion.now;
  }
  return holding;
}

/** When the alert changes though nothing happens, ms. */
export function dueAt({ state, startsAt, kept }: Alert, rule: RuleFacts): number | undefined {
  if (state === "pending") return startsAt + rule.forMs;
  return kept === undefined ? undefined : kept.since + rule.keepFiringForMs;
}

function begin(subject: SubjectRef, rule: RuleFacts, { now, isMeanwhile }: Occasion): Alert {
  return {
    rule: rule.name,
    subject,
    state: "pending",
    startsAt: now,
    firedAt: undefined,
    endsAt: undefined,
    kept: undefined,
    reason: undefined,
    isMeanwhile,
    count: 0,
    details: {},
    evidence: [],
    lastEventAt: undefined,
  };
}

function hold(alert: Alert, { count, details }: Finding, occasion: Occasion): void {
  alert.count = count;
  alert.details = details;
  alert.kept = undefined;
  addEvidence(alert, occasion);
}

function addEvidence(alert: Alert, { eventId, now }: Occasion): void {
  if (eventId === undefined || alert.evidence.at(-1) === eventId) return;
  alert.evidence = [...alert.evidence, eventId].slice(-MAX_EVIDENCE);
  alert.lastEventAt = now;
}

function ending(alert: Alert, rule: RuleFacts, reason: EndReason, occasion: Occasion): Alert | undefined {
  if (alert.state === "pending") return undefined;
  if (alert.kept === undefined) addEvidence(alert, occasion);
  if (MAY_COME_BACK.has(reason)) {
    alert.kept ??= { since: occasion.now, reason };
    if (!occasion.isMeanwhile && occasion.now < alert.kept.since + rule.keepFiringForMs) return alert;
  }
  alert.state = "resolved";
  alert.endsAt = Math.max(alert.startsAt, occasion.now);
  alert.reason = MAY_COME_BACK.has(reason) ? (alert.kept?.reason ?? reason) : reason;
  alert.kept = undefined;
  return alert;
}
