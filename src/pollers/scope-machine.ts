/**
 * Where a scope's loop stands between two polls. `claim`: it has to claim the scope. `ask`: the next query must answer
 * at once, since nothing was read under this claim, or something came between. `watch`: the next query is held until
 * something changes. `…-gone`: the same while the scope's namespace is gone. `drained`: nothing is left in it, the end.
 */
export type LoopState = "claim" | "ask" | "watch" | "claim-gone" | "ask-gone" | "watch-gone" | "drained";

/** What ends a query from outside, so that the next one asks at once. */
export type Interruption = "begin-anew" | "namespace-gone" | "namespace-back";

export type LoopEvent =
  /** The scope is this loop's, its last state is in memory. */
  | "claimed"
  /** A list was accepted and is in the log; `-empty`: it has no object. */
  | "polled"
  | "polled-empty"
  /** The same, and the guards found that the namespace is gone. */
  | "found-gone"
  | "found-gone-empty"
  /** The list is refused, and the namespace is gone: so is what was in it. */
  | "refused-gone"
  /** Something between ended the held query: the index is still good. */
  | "ended-early"
  | "failed"
  /** The claim, or what is in memory, is lost. */
  | "lost"
  | Interruption;

type Row = Readonly<Record<LoopEvent, LoopState | null>>;

/** Null: cannot be. @internal */
export const TRANSITIONS: Readonly<Record<Exclude<LoopState, "drained">, Row>> = {
  claim: {
    claimed: "ask",
    polled: null,
    "polled-empty": null,
    "found-gone": null,
    "found-gone-empty": null,
    "refused-gone": null,
    "ended-early": null,
    failed: null,
    lost: "claim",
    "begin-anew": null,
    "namespace-gone": null,
    "namespace-back": "claim",
  },
  ask: {
    claimed: null,
    polled: "watch",
    "polled-empty": "watch",
    "found-gone": "watch-gone",
    "found-gone-empty": "drained",
    "refused-gone": "drained",
    "ended-early": null,
    failed: "ask",
    lost: "claim",
    "begin-anew": "claim",
    "namespace-gone": "ask-gone",
    "namespace-back": "ask",
  },
  watch: {
    claimed: null,
    polled: "watch",
    "polled-empty": "watch",
    "found-gone": "watch-gone",
    "found-gone-empty": "drained",
    "refused-gone": "drained",
    "ended-early": "watch",
    failed: "ask",
    lost: "claim",
    "begin-anew": "claim",
    // Only a list asked for after the namespace went tells that nothing is left of it.
    "namespace-gone": "ask-gone",
    "namespace-back": "ask",
  },
  "claim-gone": {
    claimed: "ask-gone",
    polled: null,
    "polled-empty": null,
    "found-gone": null,
    "found-gone-empty": null,
    "refused-gone": null,
    "ended-early": null,
    failed: null,
    lost: "claim-gone",
    "begin-anew": null,
    "namespace-gone": null,
    "namespace-back": "claim",
  },
  "ask-gone": {
    claimed: null,
    polled: "watch-gone",
    "polled-empty": "drained",
    "found-gone": "watch-gone",
    "found-gone-empty": "drained",
    "refused-gone": "drained",
    "ended-early": null,
    failed: "ask-gone",
    lost: "claim-gone",
    "begin-anew": "claim-gone",
    "namespace-gone": "ask-gone",
    "namespace-back": "ask",
  },
  "watch-gone": {
    claimed: null,
    polled: "watch-gone",
    "polled-empty": "drained",
    "found-gone": "watch-gone",
    "found-gone-empty": "drained",
    "refused-gone": "drained",
    "ended-early": "watch-gone",
    failed: "ask-gone",
    lost: "claim-gone",
    "begin-anew": "claim-gone",
    "namespace-gone": "ask-gone",
    // The query in flight goes on.
    "namespace-back": "watch",
  },
};

/** @throws Error where that cannot be: it is a defect of the loop. */
export function nextState(state: LoopState, event: LoopEvent): LoopState {
  const next = state === "drained" ? null : TRANSITIONS[state][event];
  if (next === null) throw new Error(`a scope's loop in state ${state} met ${event}`);
  return next;
}
