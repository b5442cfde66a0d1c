import { describe, expect, test } from "vitest";
import { parseRetryAfter as ofClient } from "../../packages/client/src/retry-after.ts";
import { parseRetryAfter as ofBridge } from "../../src/shared/retry-after.ts";

describe.each([
  ["of the bridge", ofBridge],
  ["of the client, which takes nothing from the bridge", ofClient],
])("Retry-After %s", (_whose, parseRetryAfter) => {
  const date = "Mon, 23 Nov 2026 12:00:00 GMT";
  test.each([
    ["7", 7_000],
    ["0", 0],
    ["Mon, 23 Nov 2026 12:01:30 GMT", 90_000],
    ["Mon, 23 Nov 2026 11:00:00 GMT", 0],
    ["soon", undefined],
    ["-1", undefined],
    ["1.5", undefined],
    ["", undefined],
    [undefined, undefined],
  ])("%o is %o ms", (header, expected) => {
    expect(parseRetryAfter(header, date)).toBe(expected);
  });

  test("a date says nothing where the answer does not say what time it is there", () => {
    expect(parseRetryAfter("Mon, 23 Nov 2026 12:01:30 GMT", undefined)).toBeUndefined();
  });
});
