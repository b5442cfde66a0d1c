import type { StatePart } from "../../feed/log.ts";
import type { EventFacts } from "../../schemas/draft.ts";
import { isResourceType, RESOURCE_TYPES, RESOURCES, type ResourceType } from "../../schemas/resources.ts";
import type { Rights } from "../../schemas/rights.ts";
import { parseScopeName } from "../../schemas/scope.ts";

/** What of an event, an object or a scope (no `key`) tells who may see it. */
export type Visible = Pick<EventFacts, "resource" | "namespace" | "key">;

/**
 * What a subscriber may see. Decided per resource and namespace, as Nomad decides what a token may list. The
 * answer changes while a stream is open: ask for each event, keep none.
 */
export interface Access {
  /** Who it is, for logs: never a secret. */
  readonly name: string;
  /** What the feed watches, or ever did. Absent: may be anything. */
  readonly kinds?: readonly ResourceType[];
  /** Whether objects of this resource and namespace, and what the feed says of such a scope, may be seen. */
  maySee(visible: Visible): boolean;
}

/** Of who is not asked who they are. */
export const EVERYTHING: Access = { name: "anybody", maySee: () => true };

/**
 * Whether rights cover it. What speaks of the whole feed is for everybody. What speaks of all namespaces at once
 * counts objects, and may name some, of all of them: it is for those who may list them all.
 */
export function covers(rights: Rights, { resource, namespace, key }: Visible): boolean {
  if (resource === null) return true;
  if (!isResourceType(resource)) return false;
  if (namespace === null || namespace === "*") return rights.mayListEverywhere(resource);
  if (resource === "namespaces") {
    if (key === null) return rights.mayListEverywhere(resource);
    return rights.mayList(resource, namespace) && rights.mayKnow(key);
  }
  if (rights.mayList(resource, namespace)) return true;
  return (
    key !== null && RESOURCES[resource].grantedEach === true && rights.mayRead({ resource, namespace, key })
  );
}

/** Whether there is nothing in the feed that must be kept from them. */
export function seesAll(access: Access): boolean {
  return (access.kinds ?? RESOURCE_TYPES).every((resource) =>
    access.maySee({ resource, namespace: "*", key: null }),
  );
}

/**
 * Whether there may be objects of this resource and namespace that they may see. Asked before the log is: what is
 * passed over there takes time, which would tell that it exists.
 */
export function maySeeSome(access: Access, part: StatePart): boolean {
  // Some objects are decided one by one; of those in a namespace only where that may be known of.
  const isEach = RESOURCES[part.resource].grantedEach === true;
  if (isEach && part.namespace === "-") return !RESOURCES[part.resource].namespaced;
  const namespace = { resource: "namespaces", namespace: "-", key: part.namespace } as const;
  return access.maySee({ ...part, key: null }) || (isEach && access.maySee(namespace));
}

/** Of a scope's name, as `jobs/default`; what is no scope concerns them who see all. */
export function maySeeScope(access: Access, name: string): boolean {
  const scope = parseScopeName(name);
  return scope === undefined ? seesAll(access) : access.maySee({ ...scope, key: null });
}
