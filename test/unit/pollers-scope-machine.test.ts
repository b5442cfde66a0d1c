import { describe, expect, it, test } from "vitest";
import { nextState, TRANSITIONS, type LoopEvent, type LoopState } from "../../src/pollers/scope-machine.ts";

const STATES = Object.keys(TRANSITIONS) as Exclude<LoopState, "drained">[];
const isGone = (state: LoopState): boolean => state.endsWith("-gone");
/** Every step that there is. */
const steps = STATES.flatMap((from) =>
  (Object.entries(TRANSITIONS[from]) as [LoopEvent, LoopState | null][]).flatMap(([event, to]) =>
    to === null ? [] : [{ from, event, to }],
  ),
);
const after = (...events: LoopEvent[]): LoopState => events.reduce(nextState, "claim" as LoopState);

const stepsOf = (...events: LoopEvent[]) => steps.filter(({ event }) => events.includes(event));

describe("the steps of a scope's loop", () => {
  test("a claim asks at once, then watches; after a failure it asks at once again", () => {
    expect(after("claimed")).toBe("ask");
    expect(after("claimed", "polled", "polled-empty")).toBe("watch");
    expect(new Set(stepsOf("failed").map(({ to }) => to))).toEqual(new Set(["ask", "ask-gone"]));
  });

  test("a query that something between ended is held again", () => {
    expect(after("claimed", "polled", "ended-early")).toBe("watch");
    expect(after("claimed", "found-gone", "ended-early")).toBe("watch-gone");
    expect(after("claimed", "found-gone", "namespace-back", "ended-early")).toBe("watch");
  });

  test("whatever is lost is claimed again, with what is known of the namespace", () => {
    const wrong = stepsOf("lost", "begin-anew").filter(
      ({ from, to }) => to !== (isGone(from) ? "claim-gone" : "claim"),
    );
    expect(wrong).toEqual([]);
    expect(after("claimed", "namespace-gone", "begin-anew", "claimed")).toBe("ask-gone");
  });

  test("it ends only where the namespace is gone and the list asked for since then is empty", () => {
    const ends = steps.filter(({ to }) => to === "drained");
    expect(new Set(ends.map(({ event }) => event))).toEqual(
      new Set(["polled-empty", "found-gone-empty", "refused-gone"]),
    );
    expect(ends.filter(({ event, from }) => event === "polled-empty" && !isGone(from))).toEqual([]);
    expect(after("claimed", "polled-empty", "namespace-gone")).toBe("ask-gone");
    expect(after("claimed", "polled-empty", "namespace-gone", "polled", "polled-empty")).toBe("drained");
  });

  test("a namespace that is gone stays so until it is back", () => {
    const returns = steps.filter(({ from, to }) => isGone(from) && !isGone(to) && to !== "drained");
    expect(new Set(returns.map(({ event }) => event))).toEqual(new Set(["namespace-back"]));
    expect(after("claimed", "namespace-gone", "polled", "namespace-back", "polled-empty")).toBe("watch");
    // Whoever says so does not know what the loop is at.
    expect(stepsOf("namespace-back").map(({ from }) => from)).toEqual(STATES);
  });
});

it("every state is reached, and what cannot be is named", () => {
  expect(new Set(steps.map(({ to }) => to))).toEqual(new Set([...STATES, "drained"]));
  expect(() => nextState("claim", "polled")).toThrow("a scope's loop in state claim met polled");
  expect(() => nextState("drained", "claimed")).toThrow("in state drained");
});
