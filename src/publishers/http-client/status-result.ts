import type { Refusal, SendResult } from "../delivery/destination.ts";
import { waitOf, type Answer } from "./answer.ts";

/** Statuses that say what is wrong. Other 4xx speak of the event: poison. */
const REFUSALS: ReadonlyMap<number, Refusal> = new Map([
  [401, "forbidden"],
  [403, "forbidden"],
  [407, "forbidden"],
  [410, "gone"],
  [413, "too-large"],
  [431, "too-large"],
  // Nothing is there, or it takes nothing of the kind: so for every event, until somebody sets it right.
  [404, "config"],
  [405, "config"],
  [415, "config"],
]);

/** What passes by itself: too early, too slow, too often. */
const RETRIED = new Set([408, 425, 429]);

/** What the answer means for what was sent. */
export function resultOf(answer: Answer): SendResult {
  const { status } = answer;
  if (status >= 200 && status < 300) return { outcome: "ok" };
  const reason = `it answered ${status}`;
  if (status >= 300 && status < 400) {
    // Who follows sends events to where nobody configured.
    return { outcome: "refused", why: "config", reason: `${reason}, a redirect, which is not followed` };
  }
  if (status < 500 && !RETRIED.has(status))
    return { outcome: "refused", why: REFUSALS.get(status) ?? "poison", reason };
  return { outcome: "retry", reason, ...waitOf(answer) };
}
