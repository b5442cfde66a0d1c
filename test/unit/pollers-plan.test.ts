import { describe, expect, it } from "vitest";
import { planScopes } from "../../src/pollers/plan.ts";
import { CORE_TYPES } from "../../src/schemas/resources.ts";
import { scopeName } from "../../src/schemas/scope.ts";

const base = { resources: CORE_TYPES, budget: 70, mayFold: true };
const names = (count: number): string[] => Array.from({ length: count }, (_, position) => `ns${position}`);

describe("planScopes", () => {
  it("watches every resource in every namespace while connections last", () => {
    const plan = planScopes({ ...base, namespaces: ["default", "qa"] });
    expect(plan.scopes.map(scopeName).toSorted()).toEqual([
      "allocations/default",
      "allocations/qa",
      "deployments/default",
      "deployments/qa",
      "evaluations/default",
      "evaluations/qa",
      "jobs/default",
      "jobs/qa",
      "namespaces/-",
      "nodes/-",
    ]);
  });

  it("watches only cluster-wide resources before the namespaces are known", () => {
    expect(planScopes({ ...base, namespaces: [] }).scopes.map(scopeName)).toEqual([
      "nodes/-",
      "namespaces/-",
    ]);
  });

  it("folds whole resources into *, as few as fit the budget", () => {
    const plan = planScopes({ ...base, namespaces: names(20) });
    expect([...plan.folded]).toEqual(["evaluations"]);
    expect(plan.scopes.length).toBeLessThanOrEqual(70);
    expect(plan.scopes.map(scopeName)).toContain("evaluations/*");
    expect(plan.overBudget).toBe(0);
  });

  it("folds everything when there are very many namespaces", () => {
    const plan = planScopes({ ...base, namespaces: names(1000) });
    expect(plan.scopes).toHaveLength(6);
  });

  it("keeps a resource folded until there is room to spare", () => {
    const folded = new Set(["evaluations"] as const);
    expect([...planScopes({ ...base, namespaces: names(16), folded }).folded]).toEqual(["evaluations"]);
    expect([...planScopes({ ...base, namespaces: names(16) }).folded]).toEqual([]);
    expect([...planScopes({ ...base, namespaces: names(10), folded }).folded]).toEqual([]);
  });

  it("watches what is left outside of the namespaces to its end, and folds where that is too much", () => {
    const leftovers = names(30).map((namespace) => ({ resource: "evaluations" as const, namespace }));
    const plan = planScopes({ ...base, namespaces: ["default"], leftovers });
    expect(plan.finish).toEqual(leftovers);
    expect(plan.folded.size).toBe(0);
    const tight = planScopes({ ...base, namespaces: ["default"], leftovers, budget: 20 });
    expect(tight.scopes.map(scopeName)).toContain("evaluations/*");
    expect(tight.scopes.map(scopeName)).toContain("jobs/default");
    expect(tight).toMatchObject({ finish: [], overBudget: 0 });
  });

  it("never folds namespaces the user named, and says what does not fit", () => {
    const plan = planScopes({ ...base, namespaces: names(30), mayFold: false });
    expect(plan.scopes).toHaveLength(122);
    expect(plan.overBudget).toBe(52);
  });
});
