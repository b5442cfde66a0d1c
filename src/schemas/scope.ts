import { RESOURCE_TYPES, type ResourceType } from "./resources.ts";

/** What one blocking-query loop watches. `namespace` is a name, "*" (all), or "-" (cluster-wide resource). */
export interface Scope {
  readonly resource: ResourceType;
  readonly namespace: string;
}

/** `allocations/default`, `jobs/*`, `nodes/-`. */
export function scopeName(scope: Scope): string {
  return `${scope.resource}/${scope.namespace}`;
}

/** The scope of this name; undefined where it is none. */
export function parseScopeName(name: string): Scope | undefined {
  const split = name.indexOf("/");
  const resource = RESOURCE_TYPES.find((type) => type === name.slice(0, split));
  const namespace = name.slice(split + 1);
  return resource === undefined || namespace === "" ? undefined : { resource, namespace };
}

/** Whether two scopes can hold the same object: only one of them may be polled at a time. */
export function scopesOverlap(a: Scope, b: Scope): boolean {
  return (
    a.resource === b.resource && (a.namespace === b.namespace || a.namespace === "*" || b.namespace === "*")
  );
}
