import { describe, expect, it } from "vitest";
import { resultOf, type Failure } from "../../src/publishers/partly.ts";

const retry: Failure = { outcome: "retry", reason: "busy" };
const refused = (why: Extract<Failure, { why: unknown }>["why"]): Failure => ({
  outcome: "refused",
  why,
  reason: why,
});

describe("a batch of which each event has an outcome of its own", () => {
  it("is ok where all were taken", () => {
    expect(resultOf([undefined, undefined])).toEqual({ outcome: "ok" });
  });

  it("names those that were not taken", () => {
    expect(resultOf([undefined, refused("too-large"), undefined, refused("too-large")])).toEqual({
      ...refused("too-large"),
      which: [1, 3],
    });
  });

  it("is sent again as far as anything may pass, with what was refused", () => {
    expect(resultOf([refused("poison"), undefined, retry])).toEqual({ ...retry, which: [0, 2] });
  });

  it("says first what concerns every event", () => {
    expect(resultOf([retry, refused("forbidden"), refused("poison")])).toEqual({
      ...refused("forbidden"),
      which: [0, 1, 2],
    });
  });

  it("passes over no event for the reason of another", () => {
    expect(resultOf([refused("too-old"), refused("too-large")])).toEqual({
      outcome: "refused",
      why: "poison",
      reason: "too-old; too-large",
      which: [0, 1],
    });
    expect(resultOf([refused("too-old"), refused("too-old")])).toMatchObject({ why: "too-old" });
  });
});
