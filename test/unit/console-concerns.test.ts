import { expect, it } from "vitest";
import { isShownOn } from "../../console/src/app/concerns.ts";

const at = (address: string) => {
  const [path = "", query = ""] = address.split("?");
  return { path: path.split("/").filter(Boolean), query: new URLSearchParams(query) };
};

it.each([
  ["", "jobs/default", true],
  ["live", "nodes/-", true],
  ["live?types=jobs,nodes", "nodes/-", true],
  ["live?types=jobs", "nodes/-", false],
  ["live?types=nomad.job.updated", "nodes/-", true],
  ["live?namespaces=prod", "jobs/default", false],
  ["live?namespaces=prod,default", "jobs/default", true],
  ["live?namespaces=prod", "jobs/*", true],
  ["live?namespaces=prod", "nodes/-", true],
  ["state", "jobs/default", true],
  ["state", "allocations/default", false],
  ["state/nodes", "nodes/-", true],
  ["state/nodes", "jobs/default", false],
  ["state/allocations?namespace=prod", "allocations/default", false],
  ["deployments", "allocations/default", true],
  ["deployments/default/d1", "nodes/-", false],
  ["deployments?namespace=prod", "jobs/default", false],
  ["cluster", "evaluations/default", true],
  ["alerts", "nodes/-", true],
  ["object/jobs/default/web", "allocations/default", true],
])("the page %s shows what comes from %s: %s", (address, scope, isShown) => {
  expect(isShownOn(at(address), scope)).toBe(isShown);
});
