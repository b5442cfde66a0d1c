import { isJsonObject, stringField, type Json, type JsonObject } from "../schemas/json.ts";
import { RESOURCES, type ObjectRef, type Resource, type ResourceType } from "../schemas/resources.ts";
import { globMatches, type Rights } from "../schemas/rights.ts";

/** What a policy grants, as far as a feed of changes is concerned. */
export interface PolicyRules {
  /** By name or glob of a namespace. */
  readonly namespaces: readonly Rule[];
  /** By `<namespace>\0<path>`, globs in both. */
  readonly variables: readonly Rule[];
  /** By name or glob of a node pool. */
  readonly nodePools: readonly Rule[];
  /** Levels of what is granted for the whole cluster; "" where nothing is. */
  readonly wide: Readonly<Record<WideRule, string>>;
}

interface Rule {
  readonly name: string;
  readonly capabilities: readonly string[];
}

/** What is granted for the whole cluster, by level: a level of more than reading a plugin does not list plugins. */
const WIDE = {
  node: { read: "node:read", write: "node:read" },
  operator: { read: "operator:read", write: "operator:read" },
  plugin: { list: "plugin:list", read: "plugin:read" },
  quota: { read: "quota:read", write: "quota:read" },
} as const satisfies Record<string, Partial<Record<string, string>>>;
type WideRule = keyof typeof WIDE;
/** Highest first. */
const LEVELS = ["deny", "write", "read", "list"];

/**
 * `RulesJSON` of a policy; undefined where the answer has none (Nomad before 0.10.2). What a `policy = "…"` stands for
 * Nomad writes out in it itself, each version its own way: `scale` reads jobs since 2.0, and did not in 1.9.
 */
export function rulesOf(policy: JsonObject): PolicyRules | undefined {
  const rules = policy["RulesJSON"];
  if (!isJsonObject(rules)) return undefined;
  const namespaces = objectsIn(rules["Namespaces"]);
  const levelOf = (name: string): string => {
    const rule = rules[name];
    return isJsonObject(rule) ? (stringField(rule, "Policy") ?? "") : "";
  };
  return {
    namespaces: namespaces.flatMap(ruleOf),
    variables: namespaces.flatMap(variableRules),
    nodePools: objectsIn(rules["NodePools"]).flatMap(ruleOf),
    wide: {
      node: levelOf("Node"),
      operator: levelOf("Operator"),
      plugin: levelOf("Plugin"),
      quota: levelOf("Quota"),
    },
  };
}

function objectsIn(list: Json | undefined): JsonObject[] {
  return Array.isArray(list) ? list.filter(isJsonObject) : [];
}

function ruleOf(rule: JsonObject): Rule[] {
  const { Name: name } = rule;
  return typeof name === "string" ? [{ name, capabilities: capabilitiesOf(rule) }] : [];
}

function variableRules({ Name: namespace, Variables: variables }: JsonObject): Rule[] {
  if (typeof namespace !== "string" || !isJsonObject(variables)) return [];
  return objectsIn(variables["Paths"]).flatMap((rule) => {
    const { PathSpec: path } = rule;
    const capabilities = capabilitiesOf(rule);
    const implied = capabilities.includes("read") ? ["list"] : [];
    return typeof path === "string"
      ? [{ name: variableName(namespace, path), capabilities: [...capabilities, ...implied] }]
      : [];
  });
}

function variableName(namespace: string, path: string): string {
  return `${namespace}\0${path}`;
}

function capabilitiesOf({ Capabilities: listed }: JsonObject): string[] {
  return Array.isArray(listed) ? listed.filter((item) => typeof item === "string") : [];
}

/**
 * The rights that policies add up to, exactly as Nomad decides: an exact name wins outright, among globs the
 * closest; rules of two names never add up; rules for one name do, and a deny clears them. What is granted for the
 * whole cluster goes by the highest privilege, and a deny wins over all.
 */
export function rightsOfPolicies(policies: readonly PolicyRules[]): Rights {
  const namespaces = new Grants(policies.flatMap((policy) => policy.namespaces));
  const variables = new Grants(policies.flatMap((policy) => policy.variables));
  const pools = new Grants(policies.flatMap((policy) => policy.nodePools));
  const wide = wideGrants(policies);
  const grantedBy =
    ({ grants }: Resource) =>
    (granted: ReadonlySet<string>): boolean =>
      grants.some((all) => all.every((capability) => granted.has(capability)));
  const allows = (capability: string) => (granted: ReadonlySet<string>) =>
    granted.has(capability) && !granted.has("deny");
  const mayListEverywhere = (type: ResourceType): boolean => {
    const resource = RESOURCES[type];
    if (type === "namespaces") return namespaces.everywhere("*", isKnown);
    if (resource.grantedEach === true) return grantedEach(type)?.(null) ?? false;
    return resource.namespaced ? namespaces.everywhere("*", grantedBy(resource)) : grantedBy(resource)(wide);
  };
  /** Rights by single objects: whether the object of that namespace and key may be seen, or all that there may be. */
  const grantedEach = (type: string) => {
    if (type === "node-pools") {
      return (ref: ObjectRef | null): boolean =>
        ref === null ? pools.everywhere("*", allows("read")) : allows("read")(pools.of(ref.key));
    }
    if (type !== "variables") return undefined;
    return (ref: ObjectRef | null): boolean =>
      ref === null
        ? variables.everywhere(variableName("*", "*"), allows("list"))
        : allows("list")(variables.of(variableName(ref.namespace, ref.key)));
  };
  return {
    mayList: (type, namespace) => {
      const resource = RESOURCES[type];
      if (type === "namespaces") return true;
      if (resource.grantedEach === true || !resource.namespaced) return mayListEverywhere(type);
      return grantedBy(resource)(namespaces.of(namespace));
    },
    mayListEverywhere,
    mayRead: (ref) => grantedEach(ref.resource)?.(ref) ?? false,
    mayKnow: (namespace) => isKnown(namespaces.of(namespace)),
    none: wide.size === 0 && ![namespaces, variables, pools].some((grants) => grants.any(isKnown)),
  };
}

function isKnown(granted: ReadonlySet<string>): boolean {
  return granted.size > 0 && !granted.has("deny");
}

function wideGrants(policies: readonly PolicyRules[]): ReadonlySet<string> {
  return new Set(
    (Object.keys(WIDE) as WideRule[]).flatMap((rule) => {
      const levels = policies.map(({ wide }) => wide[rule]);
      const granted: Readonly<Record<string, string>> = WIDE[rule];
      return granted[LEVELS.find((level) => levels.includes(level)) ?? ""] ?? [];
    }),
  );
}

/** Names come from the log, so they are few; a bound all the same. */
const MAX_REMEMBERED = 10_000;
const NOTHING: ReadonlySet<string> = new Set();

/** Rules for names and globs of one sort, as Nomad puts them together. */
class Grants {
  readonly #byName = new Map<string, ReadonlySet<string>>();
  readonly #remembered = new Map<string, ReadonlySet<string>>();

  constructor(rules: readonly Rule[]) {
    for (const { name, capabilities } of rules) {
      const united = new Set([...(this.#byName.get(name) ?? []), ...capabilities]);
      this.#byName.set(name, united.has("deny") ? new Set(["deny"]) : united);
    }
  }

  /** What is granted for a name. */
  of(name: string): ReadonlySet<string> {
    const found = this.#remembered.get(name) ?? this.#closest(name);
    if (this.#remembered.size < MAX_REMEMBERED) this.#remembered.set(name, found);
    return found;
  }

  /** Whether the rule for everything grants it, and no other rule takes it back. */
  everywhere(glob: string, allows: (granted: ReadonlySet<string>) => boolean): boolean {
    return this.#byName.has(glob) && [...this.#byName.values()].every(allows);
  }

  any(allows: (granted: ReadonlySet<string>) => boolean): boolean {
    return [...this.#byName.values()].some(allows);
  }

  #closest(name: string): ReadonlySet<string> {
    const exact = name.includes("*") ? undefined : this.#byName.get(name);
    if (exact !== undefined) return exact;
    let best: { readonly distance: number; readonly glob: string } | undefined;
    for (const glob of this.#byName.keys()) {
      if (!glob.includes("*") || !globMatches(glob, name)) continue;
      const distance = name.length - glob.length + glob.split("*").length - 1;
      // Of two that are as close, Nomad's sort takes the last in the order of their names.
      if (best === undefined || distance < best.distance || (distance === best.distance && glob > best.glob))
        best = { distance, glob };
    }
    return (best && this.#byName.get(best.glob)) ?? NOTHING;
  }
}
