import type { StatePart } from "../../feed/log.ts";
import type { EventFacts } from "../../schemas/draft.ts";
import { isResourceType, RESOURCE_TYPES } from "../../schemas/resources.ts";
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
  if (resource !== "namespaces") return rights.mayList(resource, namespace);
  if (key === null) return rights.mayListEverywhere(resource);
  return rights.mayList(resource, namespace) && rights.mayKnow(key);
}

/** Whether there is nothing in the feed that must be kept from them. */
export function seesAll(access: Access): boolean {
  return RESOURCE_TYPES.every((resource) => access.maySee({ resource, namespace: "*", key: null }));
}

/**
 * Whether there may be objects of this resource and namespace that they may see. Asked before the log is: what is
 * passed over there takes time, which would tell that it exists.
 */
export function maySeeSome(access: Access, part: StatePart): boolean {
  // Objects that are namespaces are decided one by one.
  return (part.resource === "namespaces" && part.namespace === "-") || access.maySee({ ...part, key: null });
}

/** Of a scope's name, as `jobs/default`; what is no scope concerns them who see all. */
export function maySeeScope(access: Access, name: string): boolean {
  const scope = parseScopeName(name);
  return scope === undefined ? seesAll(access) : access.maySee({ ...scope, key: null });
}
