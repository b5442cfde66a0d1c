import { expect, test } from "vitest";

import { isMet, median, medianTimeRatio } from "../../bench/harness.ts";

test.each([
  ["at least 30", 30, true],
  ["at least 30", 29.9, false],
  ["at most 1.6", 1.6, true],
  ["at most 1.6", 1.7, false],
  ["at least 0.2 × bare inserts", { value: 25, against: 100 }, true],
  ["at least 0.2 × bare inserts", { value: 15, against: 100 }, false],
  ["at least 30 × faster than reading on", { value: 1, against: 31 }, true],
  ["at least 30 × faster than reading on", { value: 1, against: 29 }, false],
  ["at most 1.5 × Nomad's own event stream", { value: 14, against: 10 }, true],
  ["at most 1.5 × Nomad's own event stream", { value: 16, against: 10 }, false],
])("a goal of %j measured as %j is met: %j", (goal, measured, met) => {
  expect(isMet(goal, measured)).toBe(met);
});

test("a goal nobody can judge is an error", () => {
  expect(() => isMet("fast", 1)).toThrow(/neither with/);
  expect(() => isMet("at least 2 × that", 1)).toThrow(/both sides/);
});

test("the median is the middle value, or the mean of the two", () => {
  expect(median([3, 1, 2])).toBe(2);
  expect(median([4, 1, 2, 3])).toBe(2.5);
});

test("pairs take turns at going first", async () => {
  const calls: string[] = [];
  await medianTimeRatio(
    () => calls.push("a"),
    () => calls.push("b"),
    { rounds: 2, warmUps: 1 },
  );
  expect(calls.join("")).toBe("abbaab");
});
