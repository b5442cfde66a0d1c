import type { Change } from "../schemas/change.ts";
import { equalJson } from "../schemas/json.ts";
import type { ObjectRef, Resource } from "../schemas/resources.ts";
import { stubOf } from "./raw-list.ts";

/**
 * What became of an object from one version of its stub to another; null is its absence. Undefined where their JSON is
 * the same, whatever the order of members. The change holds copies.
 * @throws MalformedList where a stub is not JSON.
 */
export function changeBetween(
  resource: Resource,
  ref: ObjectRef,
  before: Buffer | null,
  after: Buffer | null,
): Change | undefined {
  if (before === null)
    return after === null ? undefined : { op: "create", ref, after: stubOf(resource, after) };
  if (after === null) return { op: "delete", ref, before: stubOf(resource, before) };
  if (before.equals(after)) return undefined;
  const [old, fresh] = [stubOf(resource, before), stubOf(resource, after)];
  return equalJson(old.value, fresh.value) ? undefined : { op: "update", ref, before: old, after: fresh };
}
