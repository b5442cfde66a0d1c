import type { Capability } from "../acl/capabilities.ts";
import type { GoValue } from "../go-json.ts";

/** How a list is asked for, and who may see it. */
interface PlainList {
  /** Behind /v1/. */
  readonly path: string;
  /** What the parameter `type` must be. */
  readonly type?: string;
  readonly key: string;
  readonly namespaced?: boolean;
  /** In the namespace asked for. */
  readonly capability?: Capability;
  /** Others see an empty list, or none. */
  readonly management?: "filtered" | "refused";
}

/** Objects without a life of their own here: what a test or a person writes, and nothing else, is in their tables. */
const PLAIN_LISTS = {
  "node-pools": { path: "node/pools", key: "Name" },
  services: { path: "services", key: "ServiceName", namespaced: true, capability: "read-job" },
  variables: { path: "vars", key: "Path", namespaced: true, management: "filtered" },
  "scaling-policies": {
    path: "scaling/policies",
    key: "ID",
    namespaced: true,
    capability: "list-scaling-policies",
  },
  "csi-volumes": {
    path: "volumes",
    type: "csi",
    key: "ID",
    namespaced: true,
    capability: "csi-list-volume",
  },
  "csi-plugins": { path: "plugins", type: "csi", key: "ID" },
  "host-volumes": {
    path: "volumes",
    type: "host",
    key: "ID",
    namespaced: true,
    capability: "host-volume-read",
  },
  "host-volume-claims": {
    path: "volumes/claims",
    key: "ID",
    namespaced: true,
    capability: "host-volume-read",
  },
  "acl-roles": { path: "acl/roles", key: "ID", management: "refused" },
  "acl-auth-methods": { path: "acl/auth-methods", key: "Name" },
  "acl-binding-rules": { path: "acl/binding-rules", key: "ID", management: "refused" },
} as const satisfies Record<string, PlainList>;

export type PlainTable = keyof typeof PLAIN_LISTS;
export const PLAIN_TABLES = Object.keys(PLAIN_LISTS) as readonly PlainTable[];

/** Members as Nomad lists them; it is for whoever writes them to write whole stubs. */
export type PlainFields = Readonly<Record<string, GoValue>>;
export type PlainStub = PlainFields & { readonly CreateIndex: number; readonly ModifyIndex: number };

export function plainList(table: PlainTable): PlainList {
  return PLAIN_LISTS[table];
}
