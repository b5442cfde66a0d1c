import { integerText, isJsonObject, type JsonObject } from "./json.ts";

/**
 * The resource catalogue: what the feed watches, one entry a kind of Nomad object. Everything that depends on
 * the kind (where to list it, what identifies one, which index tells its versions apart) is read from here;
 * adding a resource is adding an entry.
 */
export interface Resource {
  /** Plural, as in Nomad's path and in `types=`: "allocations". */
  readonly type: ResourceType;
  /** Singular, as in the event type `nomad.<noun>.updated` and in `history <noun>/<key>`. */
  readonly noun: Noun;
  /** List endpoint. */
  readonly path: string;
  /** Whether one lists it per namespace. Cluster-wide resources have the namespace "-". */
  readonly namespaced: boolean;
  /** Field of the stub that identifies an object within its namespace. */
  readonly keyField: "ID" | "Name";
  /** What a human calls the object. */
  readonly nameField: string;
  /** Nomad's capability for the list, for `doctor` and error texts. */
  readonly capability: string;
  /** A prefix no object has, valid for this list: asks "may I?" at no cost. Undefined: any list is that cheap. */
  readonly neverPrefix: string | undefined;
  /** Stub fields (nanoseconds since 1970) that date a change, best first. */
  readonly timeFields: readonly string[];
  /** Fields that tie the object to others, for filters and history. */
  readonly references: { readonly job?: string; readonly group?: string; readonly node?: string };
}

export const RESOURCE_TYPES = [
  "jobs",
  "nodes",
  "allocations",
  "deployments",
  "evaluations",
  "namespaces",
] as const;
export type ResourceType = (typeof RESOURCE_TYPES)[number];

const NOUNS = {
  jobs: "job",
  nodes: "node",
  allocations: "allocation",
  deployments: "deployment",
  evaluations: "evaluation",
  namespaces: "namespace",
} as const satisfies Record<ResourceType, string>;
/** Singular of a resource, as event types have it. */
type Noun<Type extends ResourceType = ResourceType> = (typeof NOUNS)[Type];

const NEVER_UUID = "00000000-0000-0000-0000-000000000000";

export const RESOURCES: Readonly<Record<ResourceType, Resource>> = {
  jobs: {
    type: "jobs",
    noun: NOUNS.jobs,
    path: "/v1/jobs",
    namespaced: true,
    keyField: "ID",
    nameField: "Name",
    capability: "list-jobs",
    neverPrefix: "~none~",
    // SubmitTime dates a registration only, not a status change.
    timeFields: [],
    references: { job: "ID" },
  },
  nodes: {
    type: "nodes",
    noun: NOUNS.nodes,
    path: "/v1/nodes",
    namespaced: false,
    keyField: "ID",
    nameField: "Name",
    capability: "node:read",
    neverPrefix: NEVER_UUID,
    timeFields: [],
    references: { node: "ID" },
  },
  allocations: {
    type: "allocations",
    noun: NOUNS.allocations,
    path: "/v1/allocations",
    namespaced: true,
    keyField: "ID",
    nameField: "Name",
    capability: "read-job",
    neverPrefix: NEVER_UUID,
    timeFields: ["ModifyTime"],
    references: { job: "JobID", group: "TaskGroup", node: "NodeID" },
  },
  deployments: {
    type: "deployments",
    noun: NOUNS.deployments,
    path: "/v1/deployments",
    namespaced: true,
    keyField: "ID",
    nameField: "ID",
    capability: "read-job",
    neverPrefix: NEVER_UUID,
    timeFields: ["ModifyTime"],
    references: { job: "JobID" },
  },
  evaluations: {
    type: "evaluations",
    noun: NOUNS.evaluations,
    path: "/v1/evaluations",
    namespaced: true,
    keyField: "ID",
    nameField: "ID",
    capability: "read-job",
    neverPrefix: NEVER_UUID,
    timeFields: ["ModifyTime"],
    references: { job: "JobID", node: "NodeID" },
  },
  namespaces: {
    type: "namespaces",
    noun: NOUNS.namespaces,
    path: "/v1/namespaces",
    namespaced: false,
    keyField: "Name",
    nameField: "Name",
    capability: "any capability in the namespace",
    neverPrefix: undefined,
    timeFields: [],
    references: {},
  },
};

export function isResourceType(text: string): text is ResourceType {
  return (RESOURCE_TYPES as readonly string[]).includes(text);
}

/** Identity of one Nomad object; `namespace` is "-" for cluster-wide resources. */
export interface ObjectRef {
  readonly resource: ResourceType;
  readonly namespace: string;
  readonly key: string;
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
    ModifyIndex: integerText(stub["ModifyIndex"]),
    "JobSummary.ModifyIndex": isJsonObject(summary) ? integerText(summary["ModifyIndex"]) : undefined,
  };
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
  return integerText(stub["CreateIndex"]);
}
