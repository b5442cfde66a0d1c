import { isJsonObject, parseExact, type Json } from "../../src/schemas/json.ts";
import { refOf, RESOURCES, subjectOf } from "../../src/schemas/resources.ts";

/** Everything Nomad has, as its own lists say: subject → stub. */
export async function nomadTruth(address: string): Promise<Map<string, Json>> {
  const truth = new Map<string, Json>();
  for (const resource of Object.values(RESOURCES)) {
    const query = resource.namespaced ? "?namespace=*" : "";
    const response = await fetch(`${address}${resource.path}${query}`);
    const list = parseExact(await response.text());
    if (!response.ok || !Array.isArray(list)) throw new Error(`${resource.path}: ${response.status}`);
    for (const stub of list) {
      const ref = isJsonObject(stub) ? refOf(resource, stub) : undefined;
      if (ref === undefined) throw new Error(`${resource.path}: a stub without identity`);
      truth.set(subjectOf(ref), stub);
    }
  }
  return truth;
}
