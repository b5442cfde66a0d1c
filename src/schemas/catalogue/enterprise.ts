import { NEVER_NAME, type Entry } from "./entry.ts";

/** What only Nomad Enterprise has. */
export const ENTERPRISE = {
  quotas: {
    noun: "quota",
    path: "/v1/quotas",
    namespaced: false,
    keyField: "Name",
    nameField: "Name",
    grants: [["quota:read"]],
    neverPrefix: NEVER_NAME,
    timeFields: [],
    references: {},
  },
  "sentinel-policies": {
    noun: "sentinel-policy",
    path: "/v1/sentinel/policies",
    namespaced: false,
    keyField: "Name",
    nameField: "Name",
    grants: [],
    neverPrefix: NEVER_NAME,
    timeFields: [],
    references: {},
  },
  recommendations: {
    noun: "recommendation",
    path: "/v1/recommendations",
    namespaced: true,
    keyField: "ID",
    nameField: "ID",
    grants: [["read-job"], ["submit-recommendation"], ["submit-job"]],
    neverPrefix: undefined,
    timeFields: [],
    references: { job: "JobID", group: "Group" },
  },
} as const satisfies Record<string, Entry>;
