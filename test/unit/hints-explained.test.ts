import { expect, it } from "vitest";
import { Explained, explainedBy } from "../../src/pollers/hints/explained.ts";

it("remembers the last 4,096 indexes of each table, and no more", () => {
  const explained = new Explained();
  explained.add("nodes", 7n);
  for (let index = 1n; index <= 4_097n; index += 1n) explained.add("jobs", index);
  expect([1n, 2n, 4_097n, 4_098n].map((index) => explained.has("jobs", index))).toEqual([
    false,
    true,
    true,
    false,
  ]);
  expect(explained.has("nodes", 7n)).toBe(true);
  explained.clear();
  expect(explained.has("nodes", 7n)).toBe(false);
});

it.each([
  [["Job"], false, ["jobs"]],
  [["Allocation"], false, ["allocations", "jobs", "nodes"]],
  [["Evaluation"], false, ["evaluations", "jobs"]],
  [["Deployment"], false, ["deployments"]],
  [["Node"], false, ["nodes"]],
  [["Job", "Evaluation"], false, ["jobs", "evaluations"]],
  [["Job", "Evaluation"], true, ["jobs"]],
  [["Job", "Allocation", "Deployment"], true, ["jobs", "nodes"]],
] as const)("%j, a job gone: %s, explains %j", (topics, isJobGone, resources) => {
  expect([...explainedBy(topics, isJobGone)].toSorted()).toEqual([...resources].toSorted());
});
