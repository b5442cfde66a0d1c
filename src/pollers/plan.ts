import { RESOURCES, type ResourceType } from "../schemas/resources.ts";
import type { Scope } from "../schemas/scope.ts";

export interface PlanInput {
  readonly resources: readonly ResourceType[];
  /** Names of the namespaces to follow. */
  readonly namespaces: readonly string[];
  /** Most scopes to hold a blocking query for at once. */
  readonly budget: number;
  /** Whether scopes may fold into `*`; not when the user named the namespaces. */
  readonly mayFold: boolean;
  /** Resources that are folded now: they unfold only with room to spare, so that plans do not flap. */
  readonly folded?: ReadonlySet<ResourceType>;
}

export interface Plan {
  readonly scopes: readonly Scope[];
  readonly folded: ReadonlySet<ResourceType>;
  /** Scopes beyond the budget that could not be folded; 0 where it fits. */
  readonly overBudget: number;
}

/** Folded first: the kinds whose absence of a per-namespace 403 hurts least. */
const FOLD_ORDER: readonly ResourceType[] = ["evaluations", "deployments", "jobs", "allocations"];
const UNFOLD_AT = 0.8;

/**
 * One scope per resource and namespace as far as the connection budget allows; beyond it, whole resources fold
 * into one `*` scope, because every scope holds one connection and Nomad allows 100 per client address.
 */
export function planScopes(input: PlanInput): Plan {
  const clusterWide = input.resources.filter((type) => !RESOURCES[type].namespaced);
  const namespaced = input.resources.filter((type) => RESOURCES[type].namespaced);
  const folded = new Set<ResourceType>();
  const size = (): number =>
    clusterWide.length + folded.size + (namespaced.length - folded.size) * input.namespaces.length;

  if (input.mayFold && input.namespaces.length > 1) {
    for (const type of FOLD_ORDER) {
      if (!namespaced.includes(type)) continue;
      const budget = input.folded?.has(type) === true ? input.budget * UNFOLD_AT : input.budget;
      if (size() > budget) folded.add(type);
    }
  }
  const scopes = [
    ...clusterWide.map((resource): Scope => ({ resource, namespace: "-" })),
    ...namespaced.flatMap((resource): Scope[] =>
      folded.has(resource)
        ? [{ resource, namespace: "*" }]
        : input.namespaces.map((namespace) => ({ resource, namespace })),
    ),
  ];
  return { scopes, folded, overBudget: Math.max(0, scopes.length - input.budget) };
}
