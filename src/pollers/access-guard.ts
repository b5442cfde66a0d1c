import type { NomadApi } from "../nomad/api.ts";
import type { ObjectRef } from "../schemas/resources.ts";
import type { Scope } from "../schemas/scope.ts";

/** What is to be made of objects that are missing from a list. */
export interface Verdict {
  /** Namespaces, or names of node pools, in which the token has lost its rights: absence there says nothing. */
  readonly hiddenNamespaces: readonly string[];
  /** Whether the scope's own namespace does not exist any more. */
  readonly namespaceGone: boolean;
}

const SUSPICIOUS_COUNT = 10;
const SUSPICIOUS_SHARE = 0.2;

/**
 * Whether missing objects call for a check. A token that lost rights is answered `200 []` or fewer rows, not
 * 403, so a list that shrank a lot, emptied, or lost every object of a namespace is not accepted as it is.
 */
export function isSuspicious(input: {
  scope: Scope;
  before: number;
  after: number;
  missing: readonly ObjectRef[];
  namespacesLeft: () => ReadonlySet<string>;
}): boolean {
  const { scope, before, after, missing } = input;
  if (missing.length === 0) return false;
  if (after === 0) return true;
  if (isSeenByName(scope)) return true;
  if (missing.length > Math.max(SUSPICIOUS_COUNT, before * SUSPICIOUS_SHARE)) return true;
  if (scope.namespace !== "*") return false;
  const left = input.namespacesLeft();
  return missing.some((ref) => !left.has(ref.namespace));
}

/** Whether rights go by the names of the objects themselves, of which Nomad can be asked one by one. */
export function isSeenByName({ resource }: Scope): boolean {
  return resource === "namespaces" || resource === "node-pools";
}

/** Asks Nomad whether the token may still see what is missing. Rejects where Nomad cannot be asked. */
export async function verifyAbsence(
  nomad: NomadApi,
  scope: Scope,
  missing: readonly ObjectRef[],
  signal: AbortSignal,
): Promise<Verdict> {
  const hiddenNamespaces: string[] = [];
  let namespaceGone = false;
  if (isSeenByName(scope)) {
    for (const { key } of missing) {
      const presence =
        scope.resource === "namespaces"
          ? await nomad.namespacePresence(key, signal)
          : await nomad.nodePoolPresence(key, signal);
      if (presence !== "absent") hiddenNamespaces.push(key);
    }
    return { hiddenNamespaces, namespaceGone };
  }
  if (scope.namespace === "-") {
    const allowed = await nomad.mayList(scope.resource, "-", signal);
    return { hiddenNamespaces: allowed ? [] : ["-"], namespaceGone };
  }
  for (const namespace of new Set(missing.map((ref) => ref.namespace))) {
    const presence = await nomad.namespacePresence(namespace, signal);
    if (presence === "absent") namespaceGone ||= scope.namespace === namespace;
    else if (presence === "hidden" || !(await nomad.mayList(scope.resource, namespace, signal))) {
      hiddenNamespaces.push(namespace);
    }
  }
  return { hiddenNamespaces, namespaceGone };
}
