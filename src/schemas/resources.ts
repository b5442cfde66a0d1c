import { ACL } from "./catalogue/acl.ts";
import { CLUSTER } from "./catalogue/cluster.ts";
import { CORE } from "./catalogue/core.ts";
import type { Entry } from "./catalogue/entry.ts";
import { ENTERPRISE } from "./catalogue/enterprise.ts";
import { VOLUMES } from "./catalogue/volumes.ts";
import { WORKLOADS } from "./catalogue/workloads.ts";
import { integerText, isJsonObject, type JsonObject } from "./json.ts";

/** Names under which several kinds are chosen at once: `resources: core,volumes`. */
export const RESOURCE_GROUPS = {
  core: CORE,
  workloads: WORKLOADS,
  volumes: VOLUMES,
  acl: ACL,
  cluster: CLUSTER,
  enterprise: ENTERPRISE,
} as const;
export type ResourceGroup = keyof typeof RESOURCE_GROUPS;

const ENTRIES = { ...CORE, ...WORKLOADS, ...VOLUMES, ...ACL, ...CLUSTER, ...ENTERPRISE } as const;

/** Plural, as in Nomad's path and in `types=`: "allocations". */
export type ResourceType = keyof typeof ENTRIES;
/** Singular of a resource, as event types have it. */
export type Noun = (typeof ENTRIES)[ResourceType]["noun"];

export const RESOURCE_TYPES = Object.keys(ENTRIES) as readonly ResourceType[];
/** What is watched by default. */
export const CORE_TYPES = Object.keys(CORE) as readonly (keyof typeof CORE)[];

/**
 * One kind of Nomad object that the feed can watch. Everything that depends on the kind (where to list it, what
 * identifies one, which index tells its versions apart) is read from the catalogue; adding a resource is adding an
 * entry to one of its groups.
 */
export interface Resource extends Entry {
  readonly type: ResourceType;
  readonly noun: Noun;
  /** What a token needs for the list, for `doctor` and error texts. */
  readonly capability: string;
}

export const RESOURCES = Object.fromEntries(
  RESOURCE_TYPES.map((type) => {
    const entry: Entry = ENTRIES[type];
    const inWords = entry.grants.map((all) => all.join(" and ")).join(" or ") || "a management token";
    return [type, { capability: inWords, ...entry, type }];
  }),
) as unknown as Readonly<Record<ResourceType, Resource>>;

export function isResourceType(text: string): text is ResourceType {
  return (RESOURCE_TYPES as readonly string[]).includes(text);
}

/** Whether every Nomad has the kind, and a feed watches it by default. */
export function isCore(type: ResourceType): boolean {
  return Object.hasOwn(CORE, type);
}

const NAMED_BY_ID: ReadonlySet<ResourceType> = new Set(["jobs", "csi-volumes", "csi-plugins"]);

/** Whether people name objects of the kind; the others have UUIDs, of which one writes the beginning. */
export function isNamed(type: ResourceType): boolean {
  const { keyField } = RESOURCES[type];
  return NAMED_BY_ID.has(type) || (keyField !== "ID" && keyField !== "AccessorID");
}

/** Identity of one Nomad object; `namespace` is "-" for cluster-wide resources. */
export interface ObjectRef {
  readonly resource: ResourceType;
  readonly namespace: string;
  readonly key: string;
}

/** The object that an event is about; undefined where it is about none. */
export function refOfEvent(facts: {
  readonly resource: string | null;
  readonly namespace: string | null;
  readonly key: string | null;
}): ObjectRef | undefined {
  const { resource, namespace, key } = facts;
  if (resource === null || namespace === null || key === null || !isResourceType(resource)) return undefined;
  return { resource, namespace, key };
}

/** `allocations/default/5456bd7a-…`: the subject and partition key of every event about the object. */
export function subjectOf(ref: ObjectRef): string {
  return `${ref.resource}/${ref.namespace}/${ref.key}`;
}

/** The raft indexes of a stub's parts, in decimal, by where they stand in it. */
export function indexesOf(stub: JsonObject): {
  readonly ModifyIndex: string | undefined;
  readonly "JobSummary.ModifyIndex": string | undefined;
} {
  const summary = stub["JobSummary"];
  return {
    ModifyIndex: raftIndex(stub["ModifyIndex"]),
    "JobSummary.ModifyIndex": isJsonObject(summary) ? raftIndex(summary["ModifyIndex"]) : undefined,
  };
}

/** What no Raft index can be, none is: below 0, or of more digits than 64 bits have. */
function raftIndex(value: JsonObject[string] | undefined): string | undefined {
  const text = integerText(value);
  return text !== undefined && /^\d{1,20}$/.test(text) ? text : undefined;
}

/**
 * The raft index that tells this version of the stub from others, in decimal. A job's stub changes with its
 * summary, so for a job it is the higher of the two indexes. Compare revs with !=, never with >.
 */
export function revOf(stub: JsonObject): string | undefined {
  const { ModifyIndex: own, "JobSummary.ModifyIndex": nested } = indexesOf(stub);
  if (own === undefined || nested === undefined) return own;
  return BigInt(nested) > BigInt(own) ? nested : own;
}

export function createIndexOf(stub: JsonObject): string | undefined {
  return raftIndex(stub["CreateIndex"]);
}
