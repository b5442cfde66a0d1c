import { RESOURCES, type ResourceType } from "../schemas/resources.ts";
import type { Scope } from "../schemas/scope.ts";

export interface PlanInput {
  readonly resources: readonly ResourceType[];
  /** Names of the namespaces to follow. */
  readonly namespaces: readonly string[];
  /** Scopes outside of these namespaces that hold something yet. */
  readonly leftovers?: readonly Scope[];
  /** Most scopes to hold a blocking query for at once. */
  readonly budget: number;
  /** Whether scopes may fold into `*`; not when the user named the namespaces. */
  readonly mayFold: boolean;
  /** Resources that are folded now: they unfold only with room to spare, so that plans do not flap. */
  readonly folded?: ReadonlySet<ResourceType>;
}

export interface Plan {
  readonly scopes: readonly Scope[];
  /** Scopes to watch until nothing is left in them. */
  readonly finish: readonly Scope[];
  readonly folded: ReadonlySet<ResourceType>;
  /** Scopes beyond the budget that could not be folded; 0 where it fits. */
  readonly overBudget: number;
}

/** Folded last: the kinds whose absence of a per-namespace 403 hurts most. */
const FOLDED_LAST: readonly ResourceType[] = ["evaluations", "deployments", "jobs", "allocations"];
const UNFOLD_AT = 0.8;

/**
 * One scope per resource and namespace as far as the connection budget allows; beyond it, whole resources fold
 * into one `*` scope, because every scope holds one connection and Nomad allows 100 per client address; what is polled
 * holds none.
 */
export function planScopes(input: PlanInput): Plan {
  const clusterWide = input.resources.filter((type) => !RESOURCES[type].namespaced);
  const polled = clusterWide.filter((type) => RESOURCES[type].polled === true).length;
  const namespaced = input.resources.filter((type) => RESOURCES[type].namespaced);
  const leftovers = input.leftovers ?? [];
  const folded = new Set<ResourceType>();
  const unfoldedSize = (type: ResourceType): number =>
    input.namespaces.length + leftovers.filter((scope) => scope.resource === type).length;
  const size = (): number =>
    namespaced.reduce(
      (sum, type) => sum + (folded.has(type) ? 1 : unfoldedSize(type)),
      clusterWide.length - polled,
    );

  const order = namespaced.toSorted((a, b) => FOLDED_LAST.indexOf(a) - FOLDED_LAST.indexOf(b));
  for (const type of input.mayFold ? order : []) {
    if (unfoldedSize(type) <= 1) continue;
    const budget = input.folded?.has(type) === true ? input.budget * UNFOLD_AT : input.budget;
    if (size() > budget) folded.add(type);
  }
  const scopes = [
    ...clusterWide.map((resource): Scope => ({ resource, namespace: "-" })),
    ...namespaced.flatMap((resource): Scope[] =>
      folded.has(resource)
        ? [{ resource, namespace: "*" }]
        : input.namespaces.map((namespace) => ({ resource, namespace })),
    ),
  ];
  const finish = leftovers.filter(({ resource }) => !folded.has(resource));
  const overBudget = Math.max(0, scopes.length - polled + finish.length - input.budget);
  return { scopes, finish, folded, overBudget };
}
