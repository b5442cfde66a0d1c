import type { Aspect } from "../schemas/draft.ts";
import type { ResourceType } from "../schemas/resources.ts";
import { ASPECT_RULES } from "./aspect-rules.ts";
import type { JsonChange } from "./json-diff.ts";

/** From the most to the least significant: an event has the first of these that its changed paths mean. */
const SIGNIFICANCE: readonly Aspect[] = ["status", "spec", "placement", "summary", "meta"];

/** Aspect of events about an object's whole existence. */
export function existenceAspect(resource: ResourceType): Aspect {
  return ASPECT_RULES[resource].existence;
}

/** Aspect of an update: the most significant one its changed paths mean; "meta" where nothing changed. */
export function aspectOf(resource: ResourceType, changes: readonly JsonChange[]): Aspect {
  const found = new Set(changes.map((change) => aspectOfPath(resource, change.path)));
  return SIGNIFICANCE.find((aspect) => found.has(aspect)) ?? "meta";
}

function aspectOfPath(resource: ResourceType, path: string): Aspect {
  const names = path.split("/");
  let decided: Aspect = "spec";
  let length = 0;
  for (const rule of RULES[resource]) {
    if (rule.names.length > length && covers(rule.names, names))
      [decided, length] = [rule.aspect, rule.names.length];
  }
  return decided;
}

function covers(rule: readonly string[], names: readonly string[]): boolean {
  return rule.length <= names.length && rule.every((name, at) => name === "*" || name === names[at]);
}

const RULES = Object.fromEntries(
  Object.entries(ASPECT_RULES).map(([resource, { paths }]) => [
    resource,
    Object.entries(paths).flatMap(([aspect, patterns]) =>
      patterns.map((pattern) => ({ aspect: aspect as Aspect, names: pattern.split("/") })),
    ),
  ]),
) as Record<ResourceType, { aspect: Aspect; names: string[] }[]>;
