import { isJsonObject, parseExact, type Json } from "../../src/schemas/json.ts";
import { CORE_TYPES, RESOURCES, subjectOf } from "../../src/schemas/resources.ts";
import { identityOf } from "./stub-identity.ts";

/** Everything Nomad has, as its own lists say: subject → stub. */
export async function nomadTruth(address: string): Promise<Map<string, Json>> {
  const truth = new Map<string, Json>();
  for (const resource of CORE_TYPES.map((type) => RESOURCES[type])) {
    const query = resource.namespaced ? "?namespace=*" : "";
    const response = await fetch(`${address}${resource.path}${query}`);
    const list = parseExact(await response.text());
    if (!response.ok || !Array.isArray(list)) throw new Error(`${resource.path}: ${response.status}`);
    for (const stub of list) {
      if (!isJsonObject(stub)) throw new Error(`${resource.path}: an element is no object`);
      truth.set(subjectOf(identityOf(resource, stub)), stub);
    }
  }
  return truth;
}
