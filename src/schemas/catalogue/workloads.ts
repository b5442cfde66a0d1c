import { isJsonObject, type Json, type JsonObject } from "../json.ts";
import { NEVER_NAME, NEVER_UUID, READ_JOB, type Entry } from "./entry.ts";

/** What jobs use and leave behind, and where they may run. */
export const WORKLOADS = {
  "node-pools": {
    noun: "node-pool",
    path: "/v1/node/pools",
    namespaced: false,
    keyField: "Name",
    nameField: "Name",
    grants: [],
    grantedEach: true,
    capability: "read of the node pool",
    neverPrefix: NEVER_NAME,
    timeFields: [],
    references: {},
  },
  services: {
    noun: "service",
    path: "/v1/services",
    namespaced: true,
    keyField: "ServiceName",
    nameField: "ServiceName",
    grants: READ_JOB,
    neverPrefix: undefined,
    timeFields: [],
    references: {},
    listOf: servicesIn,
  },
  variables: {
    noun: "variable",
    path: "/v1/vars",
    namespaced: true,
    keyField: "Path",
    nameField: "Path",
    grants: [],
    grantedEach: true,
    capability: "list of the variable's path",
    neverPrefix: NEVER_NAME,
    timeFields: ["ModifyTime"],
    references: {},
    // What it holds is secret, and a lock is told to management tokens alone.
    members: ["Namespace", "Path", "CreateIndex", "CreateTime", "ModifyIndex", "ModifyTime"],
  },
  "scaling-policies": {
    noun: "scaling-policy",
    path: "/v1/scaling/policies",
    namespaced: true,
    keyField: "ID",
    nameField: "ID",
    grants: [["list-scaling-policies"], ["list-jobs", "read-job"]],
    neverPrefix: NEVER_UUID,
    timeFields: [],
    references: { job: "Job", group: "Group" },
    listOf: (answer) => elementsOf(answer).map(withTarget),
  },
} as const satisfies Record<string, Entry>;

/** Of `[{Namespace, Services: [{ServiceName, Tags}]}]` one object a service. Nomad gives tags in any order. */
function servicesIn(answer: Json): JsonObject[] {
  return elementsOf(answer).flatMap(({ Namespace = "", Services = null }) =>
    elementsOf(Services).map((service) => ({ Namespace, ...service, Tags: sorted(service["Tags"]) })),
  );
}

/** The list names the namespace, job and group of a policy in a map alone. */
function withTarget(policy: JsonObject): JsonObject {
  const target = isJsonObject(policy["Target"]) ? policy["Target"] : {};
  const { Namespace = "", Job = "", Group = "" } = target;
  return { Namespace, Job, Group, ...policy };
}

function sorted(tags: Json | undefined): Json {
  return Array.isArray(tags) ? tags.filter((tag) => typeof tag === "string").toSorted() : [];
}

function elementsOf(answer: Json): JsonObject[] {
  return Array.isArray(answer) ? answer.filter(isJsonObject) : [];
}
