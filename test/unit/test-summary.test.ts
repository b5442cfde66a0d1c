import { expect, it } from "vitest";
import { summaryOf } from "../../scripts/test-summary.ts";
import { skippedBecause } from "../support/skipped.ts";

const test = (status: string, title: string, ...ancestorTitles: string[]) => ({
  status,
  title,
  ancestorTitles,
});
const file = (status: string, ...assertionResults: ReturnType<typeof test>[]) => ({
  name: "/x/test/unit/a.test.ts",
  status,
  assertionResults,
});

it("counts tests, and says once for each reason how many were skipped", () => {
  const noCurl = skippedBecause("no curl in the PATH: apt-get install curl");
  const inner = skippedBecause("no python3 (or an old one)");
  const report = {
    testResults: [
      file("passed", test("passed", "a"), test("skipped", "b", "outer", `curl${noCurl}`)),
      file("failed", test("failed", "c"), test("pending", `d${noCurl}`), test("skipped", `e${inner}`)),
      file("passed", test("todo", "f")),
      file("failed", test("skipped", "g", "one whose beforeAll failed")),
    ],
  };
  expect(summaryOf(report, 1)).toEqual({
    passed: 1,
    failed: 2,
    skipped: 5,
    reasons: [
      "skipped 2: no curl in the PATH: apt-get install curl",
      "skipped 1: no python3 (or an old one)",
      "skipped 1: /x/test/unit/a.test.ts does not say why",
      "skipped 1: /x/test/unit/a.test.ts failed before them",
    ],
  });
});

it("a file that cannot be loaded, an error outside of tests and a missing report are failures", () => {
  expect(summaryOf({ testResults: [file("failed")] }, 1)).toMatchObject({ passed: 0, failed: 1 });
  expect(summaryOf({ testResults: [file("passed", test("passed", "a"))] }, 1)).toMatchObject({ failed: 1 });
  expect(summaryOf({ testResults: [] }, 1)).toMatchObject({ failed: 1 });
});
