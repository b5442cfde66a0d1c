import type { State } from "../store/state.ts";
import { secretGroup } from "../store/state.ts";
import { expandCapabilities, type Capability } from "./capabilities.ts";
import type { PolicyRules } from "./records.ts";

/** What a request may do, decided once when it starts. */
export interface Access {
  readonly management: boolean;
  /** Whether the capability is granted in the namespace; for "*", in any. */
  allows(namespace: string, capability: Capability): boolean;
  /** Whether anything at all is granted in the namespace. */
  seesNamespace(namespace: string): boolean;
  readonly nodeRead: boolean;
  readonly agentRead: boolean;
  /** Names of the policies it has, for listing them. */
  readonly policies: ReadonlySet<string>;
  readonly accessorId: string | undefined;
}

export const FULL_ACCESS: Access = {
  management: true,
  allows: () => true,
  seesNamespace: () => true,
  nodeRead: true,
  agentRead: true,
  policies: new Set(),
  accessorId: undefined,
};

/** The rights of a token, or undefined where Nomad answers "Permission denied" to it: unknown or expired. */
export function resolveAccess(state: State, secret: string, nowMs: number): Access | undefined {
  if (secret === "") return accessOf(state, ["anonymous"], undefined);
  const [token] = state.tables.tokens.group(secretGroup(secret));
  if (token === undefined) return undefined;
  if (token.stub.ExpirationTime !== null && Date.parse(token.stub.ExpirationTime) <= nowMs) return undefined;
  if (token.stub.Type === "management") return { ...FULL_ACCESS, accessorId: token.key };
  return accessOf(state, token.stub.Policies ?? [], token.key);
}

type Grants = ReadonlyMap<string, ReadonlySet<Capability>>;

function accessOf(state: State, names: readonly string[], accessorId: string | undefined): Access {
  const rules = names
    .map((name) => state.tables.policies.get("-", name)?.model.rules)
    .filter((rule) => rule !== undefined);
  const grants = grantsOf(rules);
  const granted = (namespace: string): ReadonlySet<Capability> =>
    matchNamespace(grants, namespace) ?? new Set();
  return {
    management: false,
    allows(namespace, capability) {
      if (namespace === "*") return [...grants.values()].some((set) => set.has(capability));
      return granted(namespace).has(capability);
    },
    seesNamespace(namespace) {
      const set = granted(namespace);
      return set.size > 0 && !set.has("deny");
    },
    nodeRead: coarse(rules.map((rule) => rule.node)),
    agentRead: coarse(rules.map((rule) => rule.agent)),
    policies: new Set(names),
    accessorId,
  };
}

/** Rules for the same name are united; a deny clears the set. */
function grantsOf(rules: readonly PolicyRules[]): Grants {
  const grants = new Map<string, Set<Capability>>();
  for (const [name, rule] of rules.flatMap((policy) => Object.entries(policy.namespaces ?? {}))) {
    const set = grants.get(name) ?? new Set<Capability>();
    const capabilities = expandCapabilities(rule);
    if (set.has("deny") || capabilities.includes("deny")) grants.set(name, new Set(["deny"]));
    else grants.set(name, new Set([...set, ...capabilities]));
  }
  return grants;
}

/** An exact rule wins outright; among globs, the one closest in length. Rules of two names never add up. */
function matchNamespace(grants: Grants, namespace: string): ReadonlySet<Capability> | undefined {
  const exact = namespace.includes("*") ? undefined : grants.get(namespace);
  if (exact !== undefined) return exact;
  const globs = [...grants.keys()]
    .filter((name) => name.includes("*") && globMatches(name, namespace))
    // Of two that are as close Nomad's sort takes the last in the order of their names.
    .toSorted()
    .toReversed();
  const distance = (glob: string): number => namespace.length - glob.length + glob.split("*").length - 1;
  const best = globs.toSorted((a, b) => distance(a) - distance(b))[0];
  return best === undefined ? undefined : grants.get(best);
}

function globMatches(glob: string, text: string): boolean {
  const escaped = glob.split("*").map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, "\\$&"));
  return new RegExp(`^${escaped.join(".*")}$`, "s").test(text);
}

/** The highest privilege wins, a deny wins over all. */
function coarse(levels: readonly ("read" | "write" | "deny" | undefined)[]): boolean {
  return !levels.includes("deny") && levels.some((level) => level === "read" || level === "write");
}
