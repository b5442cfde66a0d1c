import { expect, it } from "vitest";
import { Explained, explainedBy, topicsFor } from "../../src/pollers/hints/explained.ts";

it("remembers the last 4,096 indexes of each table, and no more", () => {
  const explained = new Explained();
  explained.add(["nodes"], 7n);
  for (let index = 1n; index <= 4_097n; index += 1n) explained.add(["jobs"], index);
  expect([1n, 2n, 4_097n, 4_098n].map((index) => explained.has("jobs", index, 0))).toEqual([
    false,
    true,
    true,
    false,
  ]);
  expect(explained.has("nodes", 7n, 0)).toBe(true);
});

it("does not count what was explained before somebody began to listen, nor an index of which one frame was before", () => {
  const explained = new Explained();
  explained.add(["jobs"], 7n);
  const since = explained.position;
  explained.add(["jobs"], 7n);
  explained.add(["jobs"], 8n);
  expect([7n, 8n].map((index) => explained.has("jobs", index, since))).toEqual([false, true]);
});

it.each([
  ["jobs", ["Job", "Allocation", "Evaluation"]],
  ["allocations", ["Job", "Allocation"]],
  ["evaluations", ["Job", "Evaluation"]],
  ["deployments", ["Job", "Deployment"]],
  ["nodes", ["Node"]],
  ["namespaces", []],
] as const)("%s are heard of by %j", (resource, topics) => {
  expect(topicsFor(resource)).toEqual(topics);
});

it.each([
  [["Job"], false, ["jobs"]],
  [["Allocation"], false, ["allocations", "jobs"]],
  [["Evaluation"], false, ["evaluations", "jobs"]],
  [["Deployment"], false, ["deployments"]],
  [["Node"], false, ["nodes"]],
  [["Job", "Evaluation"], false, ["jobs", "evaluations"]],
  [["Job", "Evaluation"], true, ["jobs"]],
  [["Job", "Allocation", "Deployment"], true, ["jobs"]],
] as const)("%j, a job gone: %s, explains %j", (topics, isJobGone, resources) => {
  expect([...explainedBy(topics, isJobGone)].toSorted()).toEqual([...resources].toSorted());
});
