import { describe, expect, it } from "vitest";
import { submittedBy } from "../../console/src/rollouts/submitted-by.ts";
import { boundsOf, shownTimeOf, untilOf } from "../../console/src/words/shown-time.ts";

const NOW_MS = Date.parse("2026-11-29T12:00:00Z");
const THEN = "2026-11-29T11:00:00.000Z";
const THEN_MS = Date.parse(THEN);
const read = (at: string, times: [string, number | null][] = []) => shownTimeOf(at, new Map(times), NOW_MS);

describe("the time that is shown", () => {
  it.each([
    ["", "now"],
    [THEN, "then"],
    ["90m", "then"],
    ["k3x9-17", "asking"],
    ["yesterday", "untold"],
  ])("of at=%j is %s", (at, kind) => {
    expect(read(at).kind).toBe(kind);
  });

  it("of a cursor is when its event was recorded, once that is known, and never now", () => {
    expect(read("k3x9-17", [["k3x9-17", THEN_MS]])).toEqual({
      kind: "then",
      ms: THEN_MS,
      through: "k3x9-17",
    });
    expect(read("k3x9-17", [["k3x9-17", null]])).toEqual({ kind: "untold" });
    expect(read("k3x9-18", [["k3x9-17", THEN_MS]])).toEqual({ kind: "asking" });
  });

  it("of a cursor lets in what was committed a little after it was observed, up to its event", () => {
    const { until = "", through } = boundsOf(read("k3x9-17", [["k3x9-17", THEN_MS]]));
    expect([Date.parse(until) > THEN_MS + 1000, through]).toEqual([true, "k3x9-17"]);
    expect(boundsOf(read(THEN))).toEqual({ until: "2026-11-29T11:00:00.001Z" });
    expect(boundsOf(read("k3x9-17"))).toEqual({});
  });

  it("of an age is so long ago, and what is recorded right then counts", () => {
    expect(read("1h30m")).toEqual({ kind: "then", ms: NOW_MS - 90 * 60_000 });
    expect(untilOf(read(THEN))).toBe("2026-11-29T11:00:00.001Z");
    expect([untilOf(read("")), untilOf(read("k3x9-17"))]).toEqual([undefined, undefined]);
  });

  it("leaves out versions of a job that were submitted later", () => {
    const version = (number: number, submittedAt: string | null) =>
      ({ version: number, submittedAt }) as Parameters<typeof submittedBy>[0][number];
    const all = [version(2, "2026-11-29T11:30:00Z"), version(1, "2026-11-29T10:30:00Z"), version(0, null)];
    const numbers = (at: string) => submittedBy(all, read(at)).map((one) => one.version);
    expect(numbers(THEN)).toEqual([1, 0]);
    expect(numbers("")).toEqual([2, 1, 0]);
    expect(numbers("yesterday")).toEqual([2, 1, 0]);
  });
});
