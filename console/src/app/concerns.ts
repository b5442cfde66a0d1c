import { partsOf } from "../words/names.ts";

interface Place {
  readonly path: readonly string[];
  readonly query: URLSearchParams;
}

/** A rollout is told from what its job does. */
const OF_ROLLOUTS = ["deployments", "allocations", "jobs"];

/**
 * Whether a page shows what comes from a scope, as `jobs/default`. One that is about everything, or about an object and
 * all that hangs together with it, shows something of each.
 */
export function isShownOn({ path: [page, kind = "jobs"], query }: Place, scope: string): boolean {
  const { resource, namespace } = partsOf(scope);
  const asked = (name: string) => (query.get(name) ?? "").split(",").filter(Boolean);
  const isAmong = (names: readonly string[], name: string) => names.length === 0 || names.includes(name);
  const types = { state: [kind], deployments: OF_ROLLOUTS, live: asked("types") }[page ?? "live"] ?? [];
  // A type of events, as nomad.job.updated, is of whatever resource.
  const isOfType = types.some((type) => type.includes(".")) || isAmong(types, resource);
  const isOfAll = namespace === "*" || namespace === "-";
  return isOfType && (isOfAll || isAmong([...asked("namespace"), ...asked("namespaces")], namespace));
}
