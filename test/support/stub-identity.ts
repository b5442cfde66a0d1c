import { stringField, type JsonObject } from "../../src/schemas/json.ts";
import type { ObjectRef, Resource } from "../../src/schemas/resources.ts";

/** Who a stub is of. @throws TypeError where it lacks what says so. */
export function identityOf(resource: Resource, stub: JsonObject): ObjectRef {
  const key = stringField(stub, resource.keyField);
  const namespace = resource.namespaced ? stringField(stub, "Namespace") : "-";
  if (key === undefined || namespace === undefined) throw new TypeError("The stub has no identity");
  return { resource: resource.type, namespace, key };
}
