import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { parseDuration, printDuration } from "../../src/shared/duration.ts";
import { GO_BOOLEANS } from "../../src/shared/go-booleans.ts";
import { quoted } from "../../src/shared/quoted.ts";

describe("a duration", () => {
  it.each([
    ["500ms", 500],
    ["60s", 60_000],
    ["1h30m", 5_400_000],
    ["1.5h", 5_400_000],
    ["1m0.5s", 60_500],
    ["2d", 172_800_000],
    ["0s", 0],
  ])("%s", (text, ms) => {
    expect(parseDuration(text)).toBe(ms);
  });

  it.each(["", "60", "s", "30m1h", "1h1h", "-1s", "1 h", "1.h", ".5h", "1H", "9".repeat(20) + "d"])(
    "is not %j",
    (text) => {
      expect(parseDuration(text)).toBeUndefined();
    },
  );

  it("is read as it was printed", () => {
    fc.assert(fc.property(fc.maxSafeNat(), (ms) => parseDuration(printDuration(ms)) === ms));
  });
});

describe("a Go boolean", () => {
  it("is a word that strconv.ParseBool takes, and no other", () => {
    const words = ["1", "t", "True", "0", "F", "FALSE", "yes", "on", "tRUE", "", "constructor"];
    const no = undefined;
    expect(words.map((word) => GO_BOOLEANS.get(word))).toEqual([
      true,
      true,
      true,
      false,
      false,
      false,
      no,
      no,
      no,
      no,
      no,
    ]);
  });
});

describe("what somebody sent", () => {
  it("is quoted on one line, and cut where it is long", () => {
    expect(quoted('a "b"\n')).toBe(String.raw`"a \"b\"\n"`);
    expect(quoted("x".repeat(60))).toBe(`"${"x".repeat(60)}"`);
    expect(quoted("x".repeat(61))).toBe(`"${"x".repeat(60)}…"`);
  });
});
