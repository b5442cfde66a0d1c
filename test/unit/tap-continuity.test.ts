import { describe, expect, it } from "vitest";
import type { FrameHead } from "../../src/pollers/tap/frame-head.ts";
import { TapContinuity } from "../../src/pollers/tap/tap-continuity.ts";

const frame = (index: number, events = "default", isLasting = true): FrameHead => ({
  index: BigInt(index),
  events: events.split("+"),
  isLasting,
});
const passing = (index: number) => frame(index, "passing", false);

/** One that has recorded these, and subscribes again. */
function resubscribed(...recorded: FrameHead[]): TapContinuity {
  const continuity = new TapContinuity();
  for (const each of recorded) {
    expect(continuity.check(each)).toBe("next");
    continuity.note(each);
  }
  continuity.resubscribed();
  return continuity;
}

function verdicts(continuity: TapContinuity, ...frames: FrameHead[]): string[] {
  return frames.map((each) => {
    const verdict = continuity.check(each);
    if (verdict === "next" || verdict === "lost") continuity.note(each);
    return verdict;
  });
}

describe("frames after another subscription", () => {
  it("go on without a gap where the last one comes again", () => {
    const continuity = resubscribed(frame(5), frame(7, "a"), frame(7, "b"));
    expect(continuity.resumeFrom).toBe("7");
    expect(verdicts(continuity, frame(7, "a"), frame(7, "b"), frame(7, "c"), frame(8))).toEqual([
      "repeated",
      "repeated",
      "next",
      "next",
    ]);
  });

  it("are lost where a later one comes first, and not where the server is only behind", () => {
    expect(verdicts(resubscribed(frame(5)), frame(9), frame(10))).toEqual(["lost", "next"]);
    expect(verdicts(resubscribed(frame(5)), frame(3), frame(4), frame(5), frame(6))).toEqual([
      "behind",
      "behind",
      "repeated",
      "next",
    ]);
  });

  it("are not lost for that the namespace of the last ones is gone", () => {
    const continuity = resubscribed(frame(5), passing(6), passing(7));
    expect(continuity.resumeFrom).toBe("5");
    expect(verdicts(continuity, frame(5), frame(9))).toEqual(["repeated", "next"]);
  });

  it("are known where they lack the events of a namespace that is gone", () => {
    const continuity = resubscribed(frame(5, "default+passing"), passing(7), frame(7, "new+passing", false));
    expect(continuity.resumeFrom).toBe("5");
    expect(verdicts(continuity, frame(5), frame(7, "new", false), frame(9))).toEqual([
      "repeated",
      "repeated",
      "next",
    ]);
  });

  it("are late where they are of a namespace that was new", () => {
    const continuity = resubscribed(frame(5), passing(6), passing(8));
    expect(verdicts(continuity, frame(5), passing(6), frame(7, "new"), passing(8), frame(9))).toEqual([
      "repeated",
      "repeated",
      "late",
      "repeated",
      "next",
    ]);
  });

  it("are known where they come again only after that was given up", () => {
    const continuity = resubscribed(frame(5), passing(6));
    continuity.giveUp();
    expect(verdicts(continuity, frame(5), passing(6), frame(9))).toEqual(["repeated", "repeated", "next"]);
  });

  it("go on from any that comes again, where the one that was asked for is gone", () => {
    expect(verdicts(resubscribed(frame(5), passing(6), passing(7)), passing(7), frame(9))).toEqual([
      "repeated",
      "next",
    ]);
  });

  it("are those of another history where the index went back, also where they look the same", () => {
    const continuity = resubscribed(frame(5), passing(6), passing(8));
    continuity.giveUp();
    expect(verdicts(continuity, frame(3), frame(5), passing(6), passing(8))).toEqual([
      "next",
      "next",
      "next",
      "next",
    ]);
    expect(continuity.resumeFrom).toBe("5");
  });
});
