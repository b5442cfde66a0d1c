import type { NomadApi } from "../nomad/api.ts";
import type { ObjectRef } from "../schemas/resources.ts";
import type { Scope } from "../schemas/scope.ts";

/**
 * What is to be made of objects that are missing from a list:
 * - `believable`: the token may see them if they are there; ask the list once more and believe that answer;
 * - `hidden`: the token lost its rights on them; their absence says nothing;
 * - `namespaceGone`: the scope's namespace does not exist any more.
 */
export interface Verdict {
  readonly hidden: readonly ObjectRef[];
  readonly hiddenNamespaces: readonly string[];
  readonly namespaceGone: boolean;
}

const SUSPICIOUS_COUNT = 10;
const SUSPICIOUS_SHARE = 0.2;

/**
 * Whether missing objects call for a check. A token that lost rights is answered `200 []` or fewer rows, not
 * 403, so a list that shrank a lot, emptied, or lost every object of a namespace is not believed as it is.
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
  if (scope.resource === "namespaces") return true;
  if (missing.length > Math.max(SUSPICIOUS_COUNT, before * SUSPICIOUS_SHARE)) return true;
  if (scope.namespace !== "*") return false;
  const left = input.namespacesLeft();
  return missing.some((ref) => !left.has(ref.namespace));
}

/** Asks Nomad whether the token may still see what is missing. Rejects where Nomad cannot be asked. */
export async function judge(
  nomad: NomadApi,
  scope: Scope,
  missing: readonly ObjectRef[],
  signal: AbortSignal,
): Promise<Verdict> {
  if (scope.resource === "namespaces") return judgeNamespaces(nomad, missing, signal);
  if (scope.namespace === "-") {
    const allowed = await nomad.mayList(scope.resource, "-", signal);
    return { hidden: allowed ? [] : missing, hiddenNamespaces: [], namespaceGone: false };
  }
  const hiddenNamespaces: string[] = [];
  let namespaceGone = false;
  for (const namespace of new Set(missing.map((ref) => ref.namespace))) {
    const presence = await nomad.namespacePresence(namespace, signal);
    if (presence === "absent") namespaceGone = scope.namespace === namespace;
    else if (presence === "hidden" || !(await nomad.mayList(scope.resource, namespace, signal))) {
      hiddenNamespaces.push(namespace);
    }
  }
  const hidden = missing.filter((ref) => hiddenNamespaces.includes(ref.namespace));
  return { hidden, hiddenNamespaces, namespaceGone };
}

async function judgeNamespaces(
  nomad: NomadApi,
  missing: readonly ObjectRef[],
  signal: AbortSignal,
): Promise<Verdict> {
  const hidden: ObjectRef[] = [];
  for (const ref of missing) {
    if ((await nomad.namespacePresence(ref.key, signal)) !== "absent") hidden.push(ref);
  }
  return { hidden, hiddenNamespaces: hidden.map((ref) => ref.key), namespaceGone: false };
}
