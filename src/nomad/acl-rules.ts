import { isJsonObject, stringField, type Json, type JsonObject } from "../schemas/json.ts";
import { RESOURCES, type ResourceType } from "../schemas/resources.ts";
import { globMatches, type Rights } from "../schemas/rights.ts";

/** What a policy grants, as far as a feed of changes is concerned. */
export interface PolicyRules {
  /** Capabilities by name or glob of a namespace. */
  readonly namespaces: readonly { readonly name: string; readonly capabilities: readonly string[] }[];
  readonly node: string;
}

const READ = [
  "list-jobs",
  "parse-job",
  "read-job",
  "csi-list-volume",
  "csi-read-volume",
  "read-job-scaling",
  "list-scaling-policies",
  "read-scaling-policy",
  "host-volume-read",
];

/** What Nomad makes of a namespace's `policy = "…"`; scale may read jobs but not list them. */
const SHORTHANDS: ReadonlyMap<string, readonly string[]> = new Map(
  Object.entries({
    read: READ,
    write: [...READ, "submit-job"],
    scale: ["read-job", "read-job-scaling", "scale-job", "list-scaling-policies", "read-scaling-policy"],
    deny: ["deny"],
  }),
);

/** `RulesJSON` of a policy; undefined where the answer has none (Nomad before 0.10.2). */
export function rulesOf(policy: JsonObject): PolicyRules | undefined {
  const rules = policy["RulesJSON"];
  if (!isJsonObject(rules)) return undefined;
  const { Namespaces: namespaces, Node: node } = rules;
  return {
    namespaces: Array.isArray(namespaces) ? namespaces.flatMap(namespaceRule) : [],
    node: isJsonObject(node) ? (stringField(node, "Policy") ?? "") : "",
  };
}

function namespaceRule(rule: Json): PolicyRules["namespaces"] {
  if (!isJsonObject(rule)) return [];
  const { Name: name, Policy: policy, Capabilities: listed } = rule;
  if (typeof name !== "string") return [];
  const capabilities = Array.isArray(listed) ? listed.filter((item) => typeof item === "string") : [];
  const shorthand = typeof policy === "string" ? (SHORTHANDS.get(policy) ?? []) : [];
  return [{ name, capabilities: [...capabilities, ...shorthand] }];
}

/**
 * The rights that policies add up to, exactly as Nomad decides: an exact name wins outright, among globs the
 * closest; rules of two names never add up; rules for one name do, and a deny clears them. For nodes the
 * highest privilege counts, and a deny wins over all.
 */
export function rightsOfPolicies(policies: readonly PolicyRules[]): Rights {
  const grants = grantsOf(policies);
  const nodeRead = mayReadNodes(policies.map(({ node }) => node));
  const known = new Map<string, ReadonlySet<string>>();
  const grantedIn = (namespace: string): ReadonlySet<string> => {
    const found = known.get(namespace) ?? closest(grants, namespace);
    if (known.size < MAX_REMEMBERED) known.set(namespace, found);
    return found;
  };
  const everywhere = (allows: (granted: ReadonlySet<string>) => boolean) =>
    grants.has("*") && [...grants.values()].every(allows);
  const mayList = (resource: ResourceType, namespace: string): boolean => {
    if (resource === "nodes") return nodeRead;
    if (resource === "namespaces") return true;
    return grantedIn(namespace).has(RESOURCES[resource].capability);
  };
  return {
    mayList,
    mayListEverywhere: (resource) => {
      if (resource === "nodes") return nodeRead;
      if (resource === "namespaces") return everywhere(isKnown);
      return everywhere((granted) => granted.has(RESOURCES[resource].capability));
    },
    mayKnow: (namespace) => isKnown(grantedIn(namespace)),
    none: !nodeRead && ![...grants.values()].some(isKnown),
  };
}

/** Names of namespaces come from the log, so they are few; a bound all the same. */
const MAX_REMEMBERED = 10_000;
const NOTHING: ReadonlySet<string> = new Set();

function isKnown(granted: ReadonlySet<string>): boolean {
  return granted.size > 0 && !granted.has("deny");
}

function grantsOf(policies: readonly PolicyRules[]): ReadonlyMap<string, ReadonlySet<string>> {
  const grants = new Map<string, ReadonlySet<string>>();
  for (const { name, capabilities } of policies.flatMap(({ namespaces }) => namespaces)) {
    const united = new Set([...(grants.get(name) ?? []), ...capabilities]);
    grants.set(name, united.has("deny") ? new Set(["deny"]) : united);
  }
  return grants;
}

function closest(grants: ReadonlyMap<string, ReadonlySet<string>>, namespace: string): ReadonlySet<string> {
  const exact = namespace.includes("*") ? undefined : grants.get(namespace);
  if (exact !== undefined) return exact;
  let best: { readonly distance: number; readonly name: string } | undefined;
  for (const name of grants.keys()) {
    if (!name.includes("*") || !globMatches(name, namespace)) continue;
    const distance = namespace.length - name.length + name.split("*").length - 1;
    // Of two that are as close, Nomad's sort takes the last in the order of their names.
    if (best === undefined || distance < best.distance || (distance === best.distance && name > best.name))
      best = { distance, name };
  }
  return (best && grants.get(best.name)) ?? NOTHING;
}

function mayReadNodes(levels: readonly string[]): boolean {
  return !levels.includes("deny") && levels.some((level) => level === "read" || level === "write");
}
